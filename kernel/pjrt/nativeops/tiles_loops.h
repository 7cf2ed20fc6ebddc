// The loops of tiles.h for vectors of LANES floats; included by one file for each kind of processor, which defines LANES,
// TARGET (the functions' processor attributes), TILES (the table's name) and the tiles' sizes CONVOLVE_4, CONVOLVE_2,
// CONVOLVE_1, CORRELATE_2, CORRELATE_1: lists of X(pixels or channels), largest first, ending in 1; SLIDE, which may be short or empty; and SQUARE_ROOT.
#include <string.h>

#include "tiles.h"

typedef float vector __attribute__((vector_size(LANES * 4)));
typedef vector loose __attribute__((aligned(4))); // as it lies in memory
typedef int mask __attribute__((vector_size(LANES * 4)));

#define UNROLL _Pragma("GCC unroll 32")

TARGET static inline vector load(const float *p) { return *(const loose *)p; }
TARGET static inline void store(float *p, vector v) { *(loose *)p = v; }
TARGET static inline vector load_some(const float *p, int n) {
  vector v = {0};
  memcpy(&v, p, (size_t)n * 4);
  return v;
}
TARGET static inline vector choose(mask where, vector yes, vector no) { return (vector)((where & (mask)yes) | (~where & (mask)no)); }
TARGET static inline vector rectify(vector v, float slope) { return choose(v > 0, v, v * slope); }

// A tile of PIXELS pixels by VECTORS vectors; of the last vector `some` floats are written.
#define CONVOLVE_TILE(PIXELS, VECTORS)                                                                                          \
  TARGET static void convolve_##PIXELS##_##VECTORS(const convolution *c, const float *x, const float *k, float *y, int channel, int some) { \
    vector sum[PIXELS][VECTORS];                                                                                                \
    UNROLL for (int p = 0; p < PIXELS; p++) UNROLL for (int v = 0; v < VECTORS; v++) sum[p][v] = (vector){0};                   \
    const long xstep = c->xstep, kin = c->kin;                                                                                  \
    const int in = c->in;                                                                                                       \
    for (int t = 0; t < c->taps; t++) {                                                                                         \
      const float *xt = x + c->tap[t], *kt = k + t * c->ktap;                                                                   \
      for (int i = 0; i < in; i++, kt += kin) {                                                                                 \
        vector weight[VECTORS];                                                                                                 \
        UNROLL for (int v = 0; v < VECTORS; v++) weight[v] = load(kt + v * LANES);                                              \
        UNROLL for (int p = 0; p < PIXELS; p++) {                                                                               \
          vector value = xt[p * xstep + i] - (vector){0};                                                                       \
          UNROLL for (int v = 0; v < VECTORS; v++) sum[p][v] += value * weight[v];                                              \
        }                                                                                                                       \
      }                                                                                                                         \
    }                                                                                                                           \
    UNROLL for (int p = 0; p < PIXELS; p++) UNROLL for (int v = 0; v < VECTORS; v++)                                            \
        finish(c, y + p * c->ystep + v * LANES, sum[p][v], channel + v * LANES, v == VECTORS - 1 ? some : LANES);               \
  }

TARGET static inline void finish(const convolution *c, float *y, vector sum, int channel, int some) {
  if (__builtin_expect(some == LANES, 1)) {
    if (c->adds) sum += load(y);
    if (c->scale) sum = rectify(sum * load(c->scale + channel) + load(c->shift + channel), c->slope);
    store(y, sum);
    return;
  }
  if (c->adds) sum += load_some(y, some);
  if (c->scale) sum = rectify(sum * load_some(c->scale + channel, some) + load_some(c->shift + channel, some), c->slope);
  for (int i = 0; i < some; i++) y[i] = sum[i];
}

// A tile of PIXELS pixels by one vector, for runs of RUN taps: each input value is loaded once for all outputs that see it. With
// one vector of output channels, loads take longer than multiplications otherwise.
#define SLIDE_TILE(PIXELS, RUN)                                                                                              \
  TARGET static void slide_##PIXELS##_##RUN(const convolution *c, const float *x, const float *k, float *y, int channel, int some) { \
    vector sum[PIXELS];                                                                                                      \
    UNROLL for (int p = 0; p < PIXELS; p++) sum[p] = (vector){0};                                                            \
    const long xstep = c->xstep, kin = c->kin, ktap = c->ktap;                                                               \
    const int in = c->in;                                                                                                    \
    for (int t = 0; t < c->taps; t += RUN) {                                                                                 \
      const float *xt = x + c->tap[t], *kt = k + t * ktap;                                                                   \
      for (int i = 0; i < in; i++, kt += kin) {                                                                              \
        vector weight[RUN];                                                                                                  \
        UNROLL for (int r = 0; r < RUN; r++) weight[r] = load(kt + r * ktap);                                                \
        UNROLL for (int p = 0; p < PIXELS + RUN - 1; p++) {                                                                  \
          vector value = xt[p * xstep + i] - (vector){0};                                                                    \
          UNROLL for (int r = 0; r < RUN; r++) if (p - r >= 0 && p - r < PIXELS) sum[p - r] += value * weight[r];            \
        }                                                                                                                    \
      }                                                                                                                      \
    }                                                                                                                        \
    UNROLL for (int p = 0; p < PIXELS; p++) finish(c, y + p * c->ystep, sum[p], channel, some);                              \
  }

#define X(PIXELS) CONVOLVE_TILE(PIXELS, 4)
CONVOLVE_4
#undef X
#define X(PIXELS) SLIDE_TILE(PIXELS, 2) SLIDE_TILE(PIXELS, 3)
SLIDE
#undef X
#define X(PIXELS) CONVOLVE_TILE(PIXELS, 2)
CONVOLVE_2
#undef X
#define X(PIXELS) CONVOLVE_TILE(PIXELS, 1)
CONVOLVE_1
#undef X

// A row of tiles, the largest that fit first.
#define SLIDE_OF(PIXELS, RUN) \
  for (; p + PIXELS <= c->width; p += PIXELS) slide_##PIXELS##_##RUN(c, x + p * c->xstep, k, y + p * c->ystep, channel, some);
#define X_OF(PIXELS, VECTORS) \
  for (; p + PIXELS <= c->width; p += PIXELS) convolve_##PIXELS##_##VECTORS(c, x + p * c->xstep, k, y + p * c->ystep, channel, some);

TARGET static void convolve_row(const convolution *c, const float *x, const float *k, float *y, int channel, int vectors, int some) {
  int p = 0;
  switch (vectors) {
  case 4:
#define X(PIXELS) X_OF(PIXELS, 4)
    CONVOLVE_4
#undef X
    break;
  case 2:
#define X(PIXELS) X_OF(PIXELS, 2)
    CONVOLVE_2
#undef X
    break;
  default:
    if (c->run == 2) {
#define X(PIXELS) SLIDE_OF(PIXELS, 2)
      SLIDE
#undef X
    }
    if (c->run == 3) {
#define X(PIXELS) SLIDE_OF(PIXELS, 3)
      SLIDE
#undef X
    }
#define X(PIXELS) X_OF(PIXELS, 1)
    CONVOLVE_1
#undef X
  }
}

// A block of weights that all rows pass by has to stay in the cache beside them.
enum { BLOCK_FLOATS = 1 << 16 };

TARGET static void convolve(const convolution *c, long first, long last, int from, int to) {
  for (int channel = from; channel < to;) {
    int left = (to - channel + LANES - 1) / LANES, vectors = left >= WIDEST ? WIDEST : left >= 2 ? 2 : 1;
    int rest = to - channel - (vectors - 1) * LANES, some = rest < LANES ? rest : LANES;
    int taps = BLOCK_FLOATS / (c->in * vectors * LANES) / c->run * c->run; // at a time
    if (taps < c->run) taps = c->run;
    for (int t = 0; t < c->taps; t += taps) {
      convolution some_taps = *c;
      some_taps.tap += t;
      some_taps.k += t * c->ktap;
      some_taps.adds |= t > 0;
      if (t + taps < c->taps) some_taps.taps = taps, some_taps.scale = NULL;
      else some_taps.taps = c->taps - t;
      for (long r = first; r < last; r++) {
        long image = r / c->height, row = r % c->height;
        convolve_row(&some_taps, c->x + image * c->ximage + row * c->xrow, some_taps.k + channel,
                     c->y + image * c->yimage + row * c->yrow + channel, channel, vectors, some);
      }
    }
    channel += vectors * LANES;
  }
}

// A tile of CHANNELS input channels by VECTORS vectors of output channels, summed over rows.
#define CORRELATE_TILE(CHANNELS, VECTORS)                                                                                   \
  TARGET static void correlate_##CHANNELS##_##VECTORS(const gradient *g, long first, long last, int in, int out, float *into, long stride) { \
    vector sum[CHANNELS][VECTORS];                                                                                          \
    UNROLL for (int i = 0; i < CHANNELS; i++) UNROLL for (int v = 0; v < VECTORS; v++) sum[i][v] = load(into + i * stride + v * LANES); \
    const long xstep = g->xstep, ystep = g->ystep;                                                                          \
    long image = first / g->height, row = first % g->height;                                                                \
    for (long r = first; r < last; r++, row++) {                                                                            \
      if (row == g->height) row = 0, image++;                                                                               \
      if (row < g->top || row >= g->bottom) continue;                                                                       \
      const float *x = g->x + image * g->ximage + row * g->xrow + in, *dy = g->dy + image * g->yimage + row * g->yrow + out; \
      for (int p = 0; p < g->width; p++, x += xstep, dy += ystep) {                                                         \
        vector slope[VECTORS];                                                                                              \
        UNROLL for (int v = 0; v < VECTORS; v++) slope[v] = load(dy + v * LANES);                                           \
        UNROLL for (int i = 0; i < CHANNELS; i++) {                                                                         \
          vector value = x[i] - (vector){0};                                                                                \
          UNROLL for (int v = 0; v < VECTORS; v++) sum[i][v] += value * slope[v];                                           \
        }                                                                                                                   \
      }                                                                                                                     \
    }                                                                                                                       \
    UNROLL for (int i = 0; i < CHANNELS; i++) UNROLL for (int v = 0; v < VECTORS; v++) store(into + i * stride + v * LANES, sum[i][v]); \
  }

#define X(CHANNELS) CORRELATE_TILE(CHANNELS, 4)
CORRELATE_4
#undef X
#define X(CHANNELS) CORRELATE_TILE(CHANNELS, 2)
CORRELATE_2
#undef X
#define X(CHANNELS) CORRELATE_TILE(CHANNELS, 1)
CORRELATE_1
#undef X

TARGET static void correlate(const gradient *g, long first, long last, int from, int to, float *into, long stride) {
  for (int out = 0; out < g->out;) {
    int vectors = WIDEST == 4 && g->out - out > 3 * LANES ? 4 : g->out - out > LANES ? 2 : 1, in = from;
    if (vectors == 4) {
#define X(CHANNELS) \
  for (; in + CHANNELS <= to; in += CHANNELS) correlate_##CHANNELS##_4(g, first, last, in, out, into + (in - from) * stride + out, stride);
      CORRELATE_4
#undef X
    } else if (vectors == 2) {
#define X(CHANNELS) \
  for (; in + CHANNELS <= to && (CHANNELS != 6 || to - in != 8); in += CHANNELS) /* 8 are 4 and 4 */ \
    correlate_##CHANNELS##_2(g, first, last, in, out, into + (in - from) * stride + out, stride);
      CORRELATE_2
#undef X
    } else {
#define X(CHANNELS) \
  for (; in + CHANNELS <= to; in += CHANNELS) correlate_##CHANNELS##_1(g, first, last, in, out, into + (in - from) * stride + out, stride);
      CORRELATE_1
#undef X
    }
    out += vectors * LANES;
  }
}

// The passes over a map go channel vector by channel vector: `some` is LANES, or less in the last one.
#define EACH_VECTOR(channels)                                                             \
  for (int ch = 0, some; some = channels - ch < LANES ? channels - ch : LANES, ch < channels; ch += LANES)
#define TAKE(p) (some == LANES ? load(p) : load_some(p, some))
#define PUT(p, v)                                  \
  do {                                             \
    vector put = v;                                \
    if (some == LANES) store(p, put);              \
    else memcpy(p, &put, (size_t)some * 4);        \
  } while (0)

TARGET static void moments(const float *x, long pixels, int channels, const float *origin, float *sum, float *square) {
  EACH_VECTOR(channels) {
    vector s[2] = {{0}, {0}}, q[2] = {{0}, {0}}, o = TAKE(origin + ch);
    for (long p = 0; p < pixels; p++) { // two sums in turn: additions take longer than loads
      vector d = TAKE(x + p * channels + ch) - o;
      s[p & 1] += d;
      q[p & 1] += d * d;
    }
    PUT(sum + ch, s[0] + s[1]);
    PUT(square + ch, q[0] + q[1]);
  }
}

TARGET static void normalise(const float *x, long pixels, int channels, const float *scale, const float *shift, float slope, float *y) {
  EACH_VECTOR(channels) {
    vector a = TAKE(scale + ch), b = TAKE(shift + ch);
    for (long p = 0; p < pixels; p++) PUT(y + p * channels + ch, rectify(TAKE(x + p * channels + ch) * a + b, slope));
  }
}

// through is the gradient before the rectifier.
TARGET static inline vector through(vector dy, vector before, float slope) { return choose(before > 0, dy, dy * slope); }

TARGET static void gradient_sums(const float *x, const float *dy, long pixels, int channels, const float *scale, const float *shift,
                                 float slope, const float *origin, float *sum, float *product) {
  EACH_VECTOR(channels) {
    vector a = TAKE(scale + ch), b = TAKE(shift + ch), o = TAKE(origin + ch), s[2] = {{0}, {0}}, q[2] = {{0}, {0}};
    for (long p = 0; p < pixels; p++) {
      vector v = TAKE(x + p * channels + ch), g = through(TAKE(dy + p * channels + ch), v * a + b, slope);
      s[p & 1] += g;
      q[p & 1] += g * (v - o);
    }
    PUT(sum + ch, s[0] + s[1]);
    PUT(product + ch, q[0] + q[1]);
  }
}

TARGET static void gradient_apply(const float *x, const float *dy, long pixels, int channels, const float *scale, const float *shift,
                                  float slope, const float *origin, const float *by, const float *with_x, const float *rest, float *dx) {
  EACH_VECTOR(channels) {
    vector a = TAKE(scale + ch), b = TAKE(shift + ch), o = TAKE(origin + ch), m = TAKE(by + ch), n = TAKE(with_x + ch), r = TAKE(rest + ch);
    for (long p = 0; p < pixels; p++) {
      vector v = TAKE(x + p * channels + ch), g = through(TAKE(dy + p * channels + ch), v * a + b, slope);
      PUT(dx + p * channels + ch, g * m + (v - o) * n + r);
    }
  }
}

TARGET static void largest(const float *a, const float *b, const float *c, const float *d, long channels, float *to) {
  EACH_VECTOR(channels) {
    vector p = TAKE(a + ch), q = TAKE(b + ch), r = TAKE(c + ch), s = TAKE(d + ch);
    p = choose(q > p, q, p), r = choose(s > r, s, r);
    PUT(to + ch, choose(r > p, r, p));
  }
}

TARGET static void where_largest(const float *x, const float *y, const float *dy, const float *and, long channels, float *dx) {
  EACH_VECTOR(channels) {
    vector v = choose(TAKE(x + ch) >= TAKE(y + ch), TAKE(dy + ch), (vector){0});
    PUT(dx + ch, and ? v + TAKE(and + ch) : v);
  }
}

#include "tiles_winograd.h"

TARGET static void adam(const adam_step *a, long from, long to) {
  const adam_step s = *a;
  for (long i = from; i < to; i += LANES) {
    int some = to - i < LANES ? (int)(to - i) : LANES;
    vector w = TAKE(s.w + i), g = TAKE(s.g + i);
    vector first = s.beta1 * TAKE(s.m + i) + s.rest1 * g, second = s.beta2 * TAKE(s.v + i) + s.rest2 * (g * g);
    PUT(s.to_m + i, first);
    PUT(s.to_v + i, second);
    PUT(s.to_w + i, w - (s.rate * (first * s.bias1) / (SQUARE_ROOT(second * s.bias2) + s.epsilon) + s.rate * (w * s.decay)));
  }
}

const tiles *TILES(void) {
  static const tiles t = {LANES, convolve, correlate, moments, normalise, gradient_sums, gradient_apply, largest, where_largest,
                          spread_input, spread_enlarged, spread_kernel, spread_slopes, gather_output, gather_kernel, adam};
  return &t;
}
