//go:build linux && cgo

#include "prepare.h"

#include <string.h>

const char *const no_memory = "no memory";

long pieces(const crew *c, long units, double ns) {
  long rounds = (long)(ns / 5e3) / c->threads, most = c->threads == 1 ? 1 : 6; // whole rounds, so that nobody waits for a last job
  if (rounds > most) rounds = most;
  long n = rounds > 0 ? rounds * c->threads : ns < 5e3 ? 1 : c->threads;
  return n < units ? n : units < 1 ? 1 : units;
}

const struct tap_range falls_on[2][2] = {{{0, 0}, {1, 2}}, {{0, 1}, {2, 2}}};

// --- padding

typedef struct {
  images x;
  long above, left, height, width, channels; // of the result
  float *to;
  long jobs;
} padding;

static void pad_rows(void *arg, long job) {
  const padding *p = arg;
  long rows = p->x.count * p->height, row_floats = p->width * p->channels, in_floats = p->x.width * p->x.channels;
  for (long r = part(rows, p->jobs, job); r < part(rows, p->jobs, job + 1); r++) {
    long image = r / p->height, row = r % p->height - p->above;
    float *to = p->to + r * row_floats;
    if (row < 0 || row >= p->x.height) {
      memset(to, 0, (size_t)row_floats * 4);
      continue;
    }
    const float *from = p->x.at + (image * p->x.height + row) * in_floats;
    memset(to, 0, (size_t)(p->left * p->channels) * 4);
    to += p->left * p->channels;
    if (p->channels == p->x.channels) {
      memcpy(to, from, (size_t)in_floats * 4);
      to += in_floats;
    } else {
      for (long i = 0; i < p->x.width; i++, to += p->channels, from += p->x.channels) {
        memcpy(to, from, (size_t)p->x.channels * 4);
        memset(to + p->x.channels, 0, (size_t)(p->channels - p->x.channels) * 4);
      }
    }
    memset(to, 0, (size_t)((p->width - p->left - p->x.width) * p->channels) * 4);
  }
}

float *padded(const crew *c, const images *x, long around_rows, long around_columns, long channels) {
  padding p = {.x = *x, .above = around_rows, .left = around_columns, .height = x->height + 2 * around_rows,
               .width = x->width + 2 * around_columns, .channels = channels};
  size_t floats = (size_t)(x->count * p.height * p.width) * (size_t)channels;
  p.to = borrow(floats + 16); // whole vectors are read behind the last pixel
  if (!p.to) return NULL;
  p.jobs = pieces(c, x->count * p.height, 0.3 * (double)floats);
  share(c, p.jobs, pad_rows, &p);
  return p.to;
}

// --- columns: every pixel with its neighbours behind one another, for images of few channels

typedef struct {
  images x;
  long rows, columns;
  float *to;
  long jobs;
} neighbours;

static void gather_rows(void *arg, long job) {
  const neighbours *g = arg;
  const images *x = &g->x;
  long rows = x->count * x->height, channels = x->channels, piece = g->columns * channels, half = g->columns / 2;
  for (long r = part(rows, g->jobs, job); r < part(rows, g->jobs, job + 1); r++) {
    for (long a = 0; a < g->rows; a++) {
      long row = r % x->height + a - g->rows / 2;
      float *to = g->to + (r * x->width * g->rows + a) * piece;
      const float *from = x->at + ((r + a - g->rows / 2) * x->width - half) * channels;
      for (long j = 0; j < x->width; j++, to += g->rows * piece, from += channels) {
        int inside = row >= 0 && row < x->height;
        if (inside && j >= half && j < x->width - half) {
          for (long i = 0; i < piece; i++) to[i] = from[i];
          continue;
        }
        for (long i = 0; i < piece; i++) {
          long column = j - half + i / channels;
          to[i] = inside && column >= 0 && column < x->width ? from[i] : 0;
        }
      }
    }
  }
}

float *gathered(const crew *c, const images *x, long rows, long columns) {
  neighbours g = {.x = *x, .rows = rows, .columns = columns};
  long floats = x->count * x->height * x->width * rows * columns * x->channels;
  g.to = borrow((size_t)floats + 16);
  if (!g.to) return NULL;
  g.jobs = pieces(c, x->count * x->height, (double)floats);
  share(c, g.jobs, gather_rows, &g);
  return g.to;
}

int few(const images *x, const kernel *k) { return k->rows * k->columns > 1 && k->rows * k->columns * x->channels <= 32; }

// --- kernels

typedef struct {
  kernel k;
  long from, in; // its input channels that count
  int enlarge, transposed;
  long padded; // channels of the last axis
  float *to;
  long jobs;
} packing;

// taps_of tells which of the kernel's taps add up to tap t of the packed one: rows from to to, columns from to to.
static void taps_of(const packing *p, long t, long *rows, long *columns) {
  if (p->enlarge == 1) {
    rows[0] = rows[1] = t / p->k.columns;
    columns[0] = columns[1] = t % p->k.columns;
    return;
  }
  // Forward: phase of the row, of the column, input row, input column. Backward: the four output rows (and columns) that see
  // an input row, the earliest first.
  static const int phase[4] = {1, 0, 1, 0}, seen[4] = {1, 1, 0, 0};
  long a = p->transposed ? phase[t >> 2] : t >> 3, u = p->transposed ? seen[t >> 2] : t >> 1 & 1;
  long b = p->transposed ? phase[t & 3] : t >> 2 & 1, v = p->transposed ? seen[t & 3] : t & 1;
  rows[0] = falls_on[a][u].from, rows[1] = falls_on[a][u].to;
  columns[0] = falls_on[b][v].from, columns[1] = falls_on[b][v].to;
}

// pack_inputs writes, for some input channels, the kernel that tiles read: [taps][in][padded out], transposed and reversed
// [taps][out][padded in] for the gradient with respect to the input, and with taps added up for enlarged images.
static void pack_inputs(void *arg, long job) {
  const packing *p = arg;
  const kernel *k = &p->k;
  long taps = p->enlarge == 1 ? k->rows * k->columns : 16, first = part(p->in, p->jobs, job), last = part(p->in, p->jobs, job + 1);
  for (long t = 0; t < taps; t++) {
    long rows[2], columns[2];
    taps_of(p, t, rows, columns);
    for (long a = rows[0]; a <= rows[1]; a++) {
      for (long b = columns[0]; b <= columns[1]; b++) {
        const float *from = k->at + ((a * k->columns + b) * k->in + p->from) * k->out;
        int adds = a > rows[0] || b > columns[0];
        if (!p->transposed) {
          for (long i = first; i < last; i++) {
            float *to = p->to + (t * p->in + i) * p->padded;
            for (long o = 0; o < k->out; o++) to[o] = adds ? to[o] + from[i * k->out + o] : from[i * k->out + o];
            for (long o = k->out; o < p->padded; o++) to[o] = 0;
          }
          continue;
        }
        float *to = p->to + (p->enlarge == 1 ? taps - 1 - t : t) * k->out * p->padded;
        for (long o = 0; o < k->out; o++, to += p->padded) // the rows of `from` stay in the cache while o goes by
          for (long i = first; i < last; i++) to[i] = adds ? to[i] + from[i * k->out + o] : from[i * k->out + o];
      }
    }
  }
}

float *packed(const crew *c, const kernel *k, long from, long in, int enlarge, int transposed, long channels) {
  packing p = {.k = *k, .from = from, .in = in, .enlarge = enlarge, .transposed = transposed, .padded = channels};
  long taps = enlarge == 1 ? k->rows * k->columns : 16, floats = taps * (transposed ? k->out : in) * channels;
  p.to = borrow((size_t)floats);
  if (!p.to) return NULL;
  if (transposed && in < channels) memset(p.to, 0, (size_t)floats * 4);
  p.jobs = pieces(c, (in + 31) / 32, (double)floats);
  share(c, p.jobs, pack_inputs, &p);
  return p.to;
}
