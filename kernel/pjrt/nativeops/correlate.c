//go:build linux && cgo

// Gradients of kernels.
#include "prepare.h"

#include <string.h>

#include "winograd.h"

// In an enlarged image, 16 pairs of an input pixel and one of its phases make the 9 taps.
enum { PAIRS = 16, PARTS = 16, CHANNELS = 32, NEAR_FLOATS = 1 << 13, FEWEST_PIXELS = 192 };

typedef struct {
  gradient of[TAPS]; // one for each tap or pair
  int count;
  long rows, width; // over all images
  long parts;       // of the rows: each sums by itself, so that the sum's order is that of the image, not of the threads
  long in, padded_out;
  float *sums; // [parts][count][in][padded_out]
} correlation;

static void correlate_part(void *arg, long job) {
  const correlation *w = arg;
  long groups = (w->in + CHANNELS - 1) / CHANNELS, p = job / groups, from = job % groups * CHANNELS;
  long to = from + CHANNELS < w->in ? from + CHANNELS : w->in;
  // Some rows at a time go by all taps, so few that they stay in the nearest cache.
  long width = w->width, chunk = NEAR_FLOATS / (width * (to - from + w->padded_out));
  if (chunk < FEWEST_PIXELS / width + 1) chunk = FEWEST_PIXELS / width + 1;
  for (int t = 0; t < w->count; t++)
    memset(w->sums + ((p * w->count + t) * w->in + from) * w->padded_out, 0, (size_t)((to - from) * w->padded_out) * 4);
  for (long row = part(w->rows, w->parts, p), last = part(w->rows, w->parts, p + 1); row < last; row += chunk) {
    for (int t = 0; t < w->count; t++) {
      float *into = w->sums + ((p * w->count + t) * w->in + from) * w->padded_out;
      tiles_here()->correlate(&w->of[t], row, row + chunk < last ? row + chunk : last, (int)from, (int)to, into, w->padded_out);
    }
  }
}

typedef struct {
  const correlation *w;
  const kernel *k;
  long from;
  int enlarge;
  float *dk;
} gathering;

// add_up_tap adds up what belongs to one tap of the kernel.
static void add_up_tap(void *arg, long tap) {
  const gathering *g = arg;
  const correlation *w = g->w;
  long out = g->k->out, row = tap / g->k->columns, column = tap % g->k->columns;
  for (long i = 0; i < w->in; i++) {
    float *to = g->dk + (tap * g->k->in + g->from + i) * out;
    memset(to, 0, (size_t)out * 4);
    for (int t = 0; t < w->count; t++) {
      if (g->enlarge == 1) {
        if (t != tap) continue;
      } else {
        int a = t >> 3, b = t >> 2 & 1, u = t >> 1 & 1, v = t & 1;
        if (row < falls_on[a][u].from || row > falls_on[a][u].to || column < falls_on[b][v].from || column > falls_on[b][v].to) continue;
      }
      for (long p = 0; p < w->parts; p++) {
        const float *sum = w->sums + ((p * w->count + t) * w->in + i) * w->padded_out;
        for (long o = 0; o < out; o++) to[o] += sum[o];
      }
    }
  }
}

// shifted limits g to the steps at which the input `rows` below and `columns` to the right lies in its image.
static void shifted(gradient *g, long rows, long columns) {
  g->x += rows * g->xrow + columns * g->xstep;
  g->top = rows < 0 ? (int)-rows : 0;
  g->bottom = rows > 0 ? g->height - (int)rows : g->height;
  if (columns < 0) g->x -= columns * g->xstep, g->dy -= columns * g->ystep;
  g->width -= (int)(columns < 0 ? -columns : columns);
}

static const char *source_gradient(const crew *c, const images *x, int enlarge, const images *dy, const float *slopes, long channels,
                                   const kernel *k, long from, float *dk) {
  const kernel own = {.rows = k->rows, .columns = k->columns, .in = x->channels, .out = k->out};
  if (by_winograd(1, x, enlarge, &own)) return winograd_gradient(c, x, enlarge, slopes, k, from, dk);
  int gather = enlarge == 1 && few(x, k) && k->in == x->channels;
  float *columns = gather ? gathered(c, x, k->rows, k->columns) : NULL;
  if (gather && !columns) return no_memory;
  long in = gather ? k->rows * k->columns * x->channels : x->channels, row = x->width * in;
  correlation w = {.rows = x->count * x->height, .width = x->width, .in = in, .padded_out = rounded(k->out, tiles_here()->lanes)};
  w.count = gather ? 1 : enlarge == 2 ? PAIRS : (int)(k->rows * k->columns);
  for (int t = 0; t < w.count; t++) {
    gradient *g = &w.of[t];
    *g = (gradient){.x = gather ? columns : x->at, .xstep = in, .xrow = row, .ximage = x->height * row, .dy = slopes, .ystep = enlarge * channels,
                    .yrow = enlarge * dy->width * channels, .yimage = dy->height * dy->width * channels,
                    .height = (int)x->height, .width = (int)x->width, .in = (int)in, .out = (int)k->out, .bottom = (int)x->height};
    if (enlarge == 2) {
      int a = t >> 3, b = t >> 2 & 1, u = t >> 1 & 1, v = t & 1;
      g->dy += (a * dy->width + b) * channels;
      shifted(g, a + u - 1, b + v - 1);
    } else if (!gather) {
      shifted(g, t / k->columns - k->rows / 2, t % k->columns - k->columns / 2);
    }
  }
  long floats = w.count * in * w.padded_out;
  w.parts = (1 << 18) / floats;
  if (w.parts > PARTS) w.parts = PARTS;
  if (w.parts > w.rows) w.parts = w.rows;
  if (w.parts < 1) w.parts = 1;
  w.sums = borrow((size_t)(w.parts * floats));
  if (w.sums) {
    share(c, w.parts * ((in + CHANNELS - 1) / CHANNELS), correlate_part, &w);
    if (gather) { // its channels are the kernel's taps and channels
      kernel flat = {.rows = 1, .columns = 1, .in = in, .out = k->out};
      gathering g = {.w = &w, .k = &flat, .enlarge = 1, .dk = dk};
      share(c, 1, add_up_tap, &g);
    } else {
      gathering g = {.w = &w, .k = k, .from = from, .enlarge = enlarge, .dk = dk};
      share(c, k->rows * k->columns, add_up_tap, &g);
    }
  }
  give_back(w.sums);
  give_back(columns);
  return w.sums ? NULL : no_memory;
}

const char *filter_gradient(const crew *c, int sources, const images *x, int enlarge, const images *dy, const kernel *k, float *dk) {
  long channels = rounded(k->out, tiles_here()->lanes), from = 0;
  const float *slopes = dy->at;
  float *wide = NULL;
  if (channels != k->out) slopes = wide = padded(c, dy, 0, 0, channels);
  const char *wrong = slopes ? NULL : no_memory;
  for (int s = 0; s < sources && !wrong; s++) {
    wrong = source_gradient(c, &x[s], s == 0 ? enlarge : 1, dy, slopes, channels, k, from, dk);
    from += x[s].channels;
  }
  give_back(wide);
  return wrong;
}
