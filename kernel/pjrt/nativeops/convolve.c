//go:build linux && cgo

#include "convolve.h"

#include <string.h>

static const char *const no_memory = "no memory";

static long rounded(long n, long to) { return (n + to - 1) / to * to; }

// pieces says into how many jobs to cut so many units of work that take so many nanoseconds: enough to go round, each worth
// handing over.
static long pieces(const crew *c, long units, double ns) {
  long n = (long)(ns / 2e4), most = c->threads == 1 ? 1 : 6 * c->threads;
  if (n > most) n = most;
  if (n > units) n = units;
  return n < 1 ? 1 : n;
}

static long part(long units, long jobs, long i) { return units * i / jobs; }

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

// padded copies x with zeros around each image and behind each pixel's channels; give the result back.
static float *padded(const crew *c, const images *x, long around_rows, long around_columns, long channels) {
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

static float *gathered(const crew *c, const images *x, long rows, long columns) {
  neighbours g = {.x = *x, .rows = rows, .columns = columns};
  long floats = x->count * x->height * x->width * rows * columns * x->channels;
  g.to = borrow((size_t)floats + 16);
  if (!g.to) return NULL;
  g.jobs = pieces(c, x->count * x->height, (double)floats);
  share(c, g.jobs, gather_rows, &g);
  return g.to;
}

// few tells when a pixel's neighbours are so few numbers that they are better gathered.
static int few(const images *x, const kernel *k) { return k->rows * k->columns > 1 && k->rows * k->columns * x->channels <= 32; }

// --- kernels

// Along an axis that is enlarged, two output pixels (phases) lie on an input pixel, and each sees two input pixels (near and
// far): which of the three taps fall together on one of them.
static const struct {
  int from, to;
} falls_on[2][2] = {{{0, 0}, {1, 2}}, {{0, 1}, {2, 2}}}; // [phase][input pixel, from the earlier one]

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

static float *packed(const crew *c, const kernel *k, long from, long in, int enlarge, int transposed, long channels) {
  packing p = {.k = *k, .from = from, .in = in, .enlarge = enlarge, .transposed = transposed, .padded = channels};
  long taps = enlarge == 1 ? k->rows * k->columns : 16, floats = taps * (transposed ? k->out : in) * channels;
  p.to = borrow((size_t)floats);
  if (!p.to) return NULL;
  if (transposed && in < channels) memset(p.to, 0, (size_t)floats * 4);
  p.jobs = pieces(c, (in + 31) / 32, (double)floats);
  share(c, p.jobs, pack_inputs, &p);
  return p.to;
}

// --- convolutions

enum { STEPS = 5 }; // four phases of an enlarged image, and another source

typedef struct {
  convolution steps[STEPS];
  int rows_per_unit[STEPS]; // an enlarged image has two output rows to one of its own
  int count;
  long units, row_jobs, block, block_jobs; // rows over all images; output channels of a block
} plan;

static void convolve_part(void *arg, long job) {
  const plan *p = arg;
  long rows = job / p->block_jobs, from = job % p->block_jobs * p->block;
  long first = part(p->units, p->row_jobs, rows), last = part(p->units, p->row_jobs, rows + 1);
  for (int s = 0; s < p->count; s++) {
    const convolution *c = &p->steps[s];
    long to = from + p->block < c->out ? from + p->block : c->out;
    tiles_here()->convolve(c, first * p->rows_per_unit[s], last * p->rows_per_unit[s], (int)from, (int)to);
  }
}

// carry_out cuts a plan into jobs. The weights of a block of output channels stay in a processor's cache while rows go by.
static void carry_out(const crew *c, plan *p) {
  double flops = 0, weights = 0;
  for (int s = 0; s < p->count; s++) {
    const convolution *step = &p->steps[s];
    double each = (double)step->taps * step->in * step->out;
    weights += each;
    flops += 2 * each * (double)(p->units * p->rows_per_unit[s]) * step->width;
  }
  long out = p->steps[0].out, jobs = pieces(c, p->units, flops / 100);
  int heavy = weights > 1 << 16; // each cut through the rows reads all of them again
  p->block = heavy ? 4 * tiles_here()->lanes : out;
  p->block_jobs = (out + p->block - 1) / p->block;
  if (heavy && jobs > 2 * c->threads) jobs = 2 * c->threads;
  p->row_jobs = (jobs + p->block_jobs - 1) / p->block_jobs;
  share(c, p->row_jobs * p->block_jobs, convolve_part, p);
}

enum { TAPS = 49, FOLDED_PIXELS = 64 };

// step_of is the convolution that reads padded images x, its first tap in the corner, by the kernel at k [taps][in][padded].
static convolution step_of(const float *x, const images *size, long margin_rows, long margin_columns, const long *tap, int taps, const float *k,
                           long padded_out, float *y, long out) {
  long in = size->channels, row = (size->width + margin_columns) * in;
  return (convolution){.x = x, .xstep = in, .xrow = row, .ximage = (size->height + margin_rows) * row, .in = (int)in, .taps = taps, .tap = tap,
                       .run = 1, .k = k, .ktap = in * padded_out, .kin = padded_out,
                       .y = y, .ystep = out, .yrow = size->width * out, .yimage = size->height * size->width * out,
                       .height = (int)size->height, .width = (int)size->width, .out = (int)out};
}

static void corner_taps(long *tap, long rows, long columns, long row, long channels) {
  for (long t = 0; t < rows * columns; t++) tap[t] = t / columns * row + t % columns * channels;
}

const char *convolve_images(const crew *c, int sources, const images *x, int enlarge, const kernel *k, const after *then, float *y) {
  static const long centre = 0;
  long lanes = tiles_here()->lanes, out = k->out, padded_out = rounded(out, lanes), from = 0, tap[2][TAPS], phase_taps[4][9];
  float *held[4] = {0};
  plan p = {.units = x[0].count * x[0].height};
  const char *wrong = no_memory;
  for (int s = 0; s < sources; s++, from += x[s - 1].channels) {
    const images *source = &x[s];
    int enlarged = s == 0 && enlarge == 2, gather = !enlarged && few(source, k);
    // The kernel as it is will do where vectors divide it; what is gathered needs its taps without gaps.
    // Taps that fall together in an enlarged image are added up beforehand, unless the image is so small that this takes longer.
    int folded = enlarged && source->count * source->height * source->width >= FOLDED_PIXELS;
    int as_is = !folded && out == padded_out && (!gather || k->in == source->channels);
    const float *weights = k->at + from * out;
    if (!as_is) {
      if (!(weights = held[2 * s] = packed(c, k, from, source->channels, folded ? 2 : 1, 0, padded_out))) goto end;
    }
    long around_rows = enlarged ? 1 : k->rows / 2, around_columns = enlarged ? 1 : k->columns / 2;
    const float *at = source->at;
    if (gather) {
      at = held[2 * s + 1] = gathered(c, source, k->rows, k->columns);
    } else if (around_rows || around_columns) {
      at = held[2 * s + 1] = padded(c, source, around_rows, around_columns, source->channels);
    }
    if (!at) goto end;
    if (gather) {
      images columns = *source;
      columns.channels *= k->rows * k->columns;
      convolution step = step_of(at, &columns, 0, 0, &centre, 1, weights, padded_out, y, out);
      p.rows_per_unit[p.count] = s > 0 ? enlarge : 1, p.steps[p.count++] = step;
    } else if (!enlarged) {
      corner_taps(tap[s], k->rows, k->columns, (source->width + 2 * around_columns) * source->channels, source->channels);
      convolution step = step_of(at, source, 2 * around_rows, 2 * around_columns, tap[s], (int)(k->rows * k->columns), weights, padded_out, y, out);
      if (as_is) step.ktap = k->in * out;
      if (k->columns == 3) step.run = 3;
      p.rows_per_unit[p.count] = s > 0 ? enlarge : 1, p.steps[p.count++] = step;
    } else {
      long row = (source->width + 2) * source->channels;
      for (int phase = 0; phase < 4; phase++) {
        int a = phase >> 1, b = phase & 1;
        float *corner = y + (a * 2 * source->width + b) * out;
        convolution step;
        if (folded) {
          for (int t = 0; t < 4; t++) phase_taps[phase][t] = (a + (t >> 1)) * row + (b + (t & 1)) * source->channels;
          step = step_of(at, source, 2, 2, phase_taps[phase], 4, weights + phase * 4 * source->channels * padded_out, padded_out, corner, out);
          step.run = 2;
        } else {
          for (int t = 0; t < 9; t++) phase_taps[phase][t] = (a + t / 3 + 1) / 2 * row + (b + t % 3 + 1) / 2 * source->channels;
          step = step_of(at, source, 2, 2, phase_taps[phase], 9, weights, padded_out, corner, out);
          if (as_is) step.ktap = k->in * out;
        }
        step.ystep *= 2, step.yrow *= 4, step.yimage *= 4;
        p.rows_per_unit[p.count] = 1, p.steps[p.count++] = step;
      }
    }
    if (s > 0) p.steps[p.count - 1].adds = 1;
  }
  for (int i = sources > 1 ? p.count - 1 : 0; i < p.count; i++) // the last to add: all phases, or the other source
    p.steps[i].scale = then->scale, p.steps[i].shift = then->shift, p.steps[i].slope = then->slope;
  carry_out(c, &p);
  wrong = NULL;
end:
  for (int i = 0; i < 4; i++) give_back(held[i]);
  return wrong;
}

const char *input_gradient(const crew *c, const images *dy, const kernel *k, long from, int enlarge, const images *dx, float *into) {
  long lanes = tiles_here()->lanes, in = dx->channels, padded_in = rounded(in, lanes), tap[TAPS];
  long around_rows = k->rows / 2, around_columns = k->columns / 2;
  float *weights = packed(c, k, from, in, enlarge, 1, padded_in), *margin = NULL;
  const float *at = dy->at;
  if (weights && (around_rows || around_columns)) at = margin = padded(c, dy, around_rows, around_columns, dy->channels);
  if (weights && at) {
    long row = (dy->width + 2 * around_columns) * dy->channels, rows = enlarge == 1 ? k->rows : 4, columns = enlarge == 1 ? k->columns : 4;
    corner_taps(tap, rows, columns, row, dy->channels);
    images size = *dx;
    size.channels = dy->channels; // what the sum runs over
    convolution step = step_of(at, &size, 0, 0, tap, (int)(rows * columns), weights, padded_in, into, in);
    step.xstep = enlarge * dy->channels, step.xrow = enlarge * row, step.ximage = (dy->height + 2 * around_rows) * row;
    if (enlarge == 1 && columns == 3) step.run = 3;
    plan p = {.steps = {step}, .rows_per_unit = {1}, .count = 1, .units = dx->count * dx->height};
    carry_out(c, &p);
  }
  give_back(weights);
  give_back(margin);
  return weights && at ? NULL : no_memory;
}

// --- gradients of kernels

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
