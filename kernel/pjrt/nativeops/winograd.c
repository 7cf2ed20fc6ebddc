//go:build linux && cgo

#include "winograd.h"

#include <stdatomic.h>
#include <string.h>

#include "prepare.h"

enum { PRODUCTS = 16, NEAR_FLOATS = 3 << 16, MOST_TILES = 48, FEWEST_TILES = 24, GRADIENT_INPUTS = 64 };

// apart is how far the same number of two products lies apart, where each takes so many floats: not by a power of two, whose
// 16 multiples would all fall on the same few lines of a cache.
static long apart(long floats) { return floats + 16; }

// made tells whether an enlarged image has product p: what is spread to row or column 2 is 0.
static int made(int enlarge, long p) { return enlarge == 1 || (p >> 2 != 2 && (p & 3) != 2); }

// --- tiles: 2x2 output pixels each, counted over all images

typedef struct {
  images x; // as it is; its tiles are of the enlarged image
  int enlarge;
  long height, width, down, across, count;
} tiling;

static tiling tiles_of(const images *x, int enlarge) {
  tiling t = {.x = *x, .enlarge = enlarge, .height = x->height * enlarge, .width = x->width * enlarge};
  t.down = (t.height + 1) / 2, t.across = (t.width + 1) / 2, t.count = x->count * t.down * t.across;
  return t;
}

typedef struct {
  long pixel;              // the first output pixel, counted over all images
  long image, row, column; // of the tile
  int rows, columns;       // of output pixels that the image has
} place;

static place place_of(const tiling *t, long tile) {
  place p = {.image = tile / (t->down * t->across), .row = tile / t->across % t->down, .column = tile % t->across};
  p.pixel = (p.image * t->height + 2 * p.row) * t->width + 2 * p.column;
  p.rows = t->height - 2 * p.row > 1 ? 2 : 1;
  p.columns = t->width - 2 * p.column > 1 ? 2 : 1;
  return p;
}

// spread_tile takes channels from to from + channels of the pixels that a tile sees, zeros outside of the image.
static void spread_tile(const tiling *t, const place *p, long from, long channels, float *patch, float *to, long step) {
  const images *x = &t->x;
  long side = t->enlarge == 1 ? 4 : 3, row = (t->enlarge == 1 ? 2 : 1) * p->row - 1, column = (t->enlarge == 1 ? 2 : 1) * p->column - 1;
  void (*spread)(const float *, long, long, long, float *, long) = t->enlarge == 1 ? tiles_here()->spread_input : tiles_here()->spread_enlarged;
  if (row >= 0 && column >= 0 && row + side <= x->height && column + side <= x->width) {
    spread(x->at + ((p->image * x->height + row) * x->width + column) * x->channels + from, x->width * x->channels, x->channels, channels, to, step);
    return;
  }
  for (long i = 0; i < side; i++) {
    for (long j = 0; j < side; j++) {
      float *pixel = patch + (side * i + j) * channels;
      int inside = row + i >= 0 && row + i < x->height && column + j >= 0 && column + j < x->width;
      if (inside) memcpy(pixel, x->at + ((p->image * x->height + row + i) * x->width + column + j) * x->channels + from, (size_t)channels * 4);
      else memset(pixel, 0, (size_t)channels * 4);
    }
  }
  spread(patch, side * channels, channels, channels, to, step);
}

// block_of is how many tiles lie in a processor's own cache with so many floats for each of their products.
static long block_of(long floats) {
  long n = NEAR_FLOATS / (PRODUCTS * floats) / 6 * 6; // the pixels of the tiles that multiply
  return n > MOST_TILES ? MOST_TILES : n < 6 ? 6 : n;
}

int by_winograd(int sources, const images *x, int enlarge, const kernel *k) {
  long lanes = tiles_here()->lanes, fewest = 2 * lanes; // channels: transforms take longer than they save otherwise
  int fits = k->rows == 3 && k->columns == 3 && k->out % lanes == 0 && k->out >= fewest && tiles_of(x, enlarge).count >= FEWEST_TILES;
  for (int s = 0; s < sources; s++) fits = fits && x[s].channels % lanes == 0 && x[s].channels >= fewest;
  return fits;
}

// --- kernels

typedef struct {
  const kernel *k;
  float *to; // [16][in][out], apart
  long jobs;
} spreading;

static void spread_kernels(void *arg, long job) {
  const spreading *s = arg;
  long tap = s->k->in * s->k->out;
  for (long i = part(s->k->in, s->jobs, job) * s->k->out; i < part(s->k->in, s->jobs, job + 1) * s->k->out; i += s->k->out)
    tiles_here()->spread_kernel(s->k->at + i, tap, s->k->out, s->to + i, apart(tap));
}

// --- images

typedef struct {
  tiling t[2];
  int sources;
  const float *spread; // the kernel
  long in, out;        // of it
  after then;
  float *y;
  long block, parts; // tiles at a time, into how many parts output channels are cut
  long most;         // channels of a source
  atomic_int failed;
} winograd;

static void convolve_tiles(void *arg, long job) {
  winograd *w = arg;
  long lanes = tiles_here()->lanes, first = job / w->parts * w->block, left = w->t[0].count - first, count = left < w->block ? left : w->block;
  long from = part(w->out / lanes, w->parts, job % w->parts) * lanes, out = part(w->out / lanes, w->parts, job % w->parts + 1) * lanes - from;
  float *v = borrow((size_t)(PRODUCTS * (apart(w->block * w->most) + apart(w->block * w->out) + w->most)));
  if (!v) {
    atomic_store(&w->failed, 1);
    return;
  }
  float *products = v + PRODUCTS * apart(w->block * w->most), *patch = products + PRODUCTS * apart(w->block * w->out);
  const float *k = w->spread + from;
  for (int s = 0; s < w->sources; k += w->t[s++].x.channels * w->out) {
    const tiling *t = &w->t[s];
    long in = t->x.channels;
    for (long i = 0; i < count; i++) {
      place at = place_of(t, first + i);
      spread_tile(t, &at, 0, in, patch, v + i * in, apart(count * in));
    }
    for (long p = 0; p < PRODUCTS; p++) {
      static const long here = 0;
      float *y = products + p * apart(count * out);
      convolution product = {.x = v + p * apart(count * in), .xstep = in, .in = (int)in, .taps = 1, .tap = &here, .run = 1,
                             .k = k + p * apart(w->in * w->out), .kin = w->out, .y = y, .ystep = out, .height = 1, .width = (int)count, .out = (int)out,
                             .adds = s > 0 && made(w->t[0].enlarge, p)};
      if (made(t->enlarge, p)) tiles_here()->convolve(&product, 0, 1, 0, (int)out);
      else if (w->sources == 1) memset(y, 0, (size_t)(count * out) * 4);
    }
  }
  convolution result = {.ystep = w->out, .yrow = w->t[0].width * w->out, .out = (int)out, .slope = w->then.slope};
  if (w->then.scale) result.scale = w->then.scale + from, result.shift = w->then.shift + from;
  for (long i = 0; i < count; i++) {
    place at = place_of(&w->t[0], first + i);
    tiles_here()->gather_output(products + i * out, apart(count * out), &result, w->y + at.pixel * w->out + from, at.rows, at.columns);
  }
  give_back(v);
}

const char *winograd_images(const crew *c, int sources, const images *x, int enlarge, const kernel *k, const after *then, float *y) {
  winograd w = {.sources = sources, .in = k->in, .out = k->out, .then = *then, .y = y, .parts = 1};
  for (int s = 0; s < sources; s++) {
    w.t[s] = tiles_of(&x[s], s == 0 ? enlarge : 1);
    if (x[s].channels > w.most) w.most = x[s].channels;
  }
  spreading s = {.k = k, .to = borrow((size_t)(PRODUCTS * apart(k->in * k->out)))};
  if (!s.to) return no_memory;
  s.jobs = pieces(c, k->in, (double)(PRODUCTS * k->in * k->out) / 2);
  share(c, s.jobs, spread_kernels, &s);
  w.spread = s.to;
  w.block = block_of(w.most + k->out);
  long blocks = (w.t[0].count + w.block - 1) / w.block;
  while (blocks * w.parts < c->threads && w.parts * 4 * tiles_here()->lanes <= k->out) w.parts *= 2;
  share(c, blocks * w.parts, convolve_tiles, &w);
  give_back(s.to);
  return w.failed ? no_memory : NULL;
}

// --- gradients of kernels

typedef struct {
  tiling t;
  const float *dy;
  long out, block, parts; // tiles at a time; parts of the tiles, each with sums of its own
  float *sums;            // [parts][16][in][out], apart
  atomic_int failed;
} winograd_sums;

static void correlate_tiles(void *arg, long job) {
  winograd_sums *w = arg;
  long in = w->t.x.channels, groups = (in + GRADIENT_INPUTS - 1) / GRADIENT_INPUTS, p = job / groups, from = job % groups * GRADIENT_INPUTS;
  long inputs = in - from < GRADIENT_INPUTS ? in - from : GRADIENT_INPUTS;
  float *v = borrow((size_t)(PRODUCTS * (apart(w->block * inputs) + apart(w->block * w->out) + inputs)));
  if (!v) {
    atomic_store(&w->failed, 1);
    return;
  }
  float *slopes = v + PRODUCTS * apart(w->block * inputs), *patch = slopes + PRODUCTS * apart(w->block * w->out);
  float *sums = w->sums + p * PRODUCTS * apart(in * w->out) + from * w->out;
  for (long k = 0; k < PRODUCTS; k++) memset(sums + k * apart(in * w->out), 0, (size_t)(inputs * w->out) * 4);
  for (long first = part(w->t.count, w->parts, p), last = part(w->t.count, w->parts, p + 1); first < last; first += w->block) {
    long count = last - first < w->block ? last - first : w->block;
    for (long i = 0; i < count; i++) {
      place at = place_of(&w->t, first + i);
      spread_tile(&w->t, &at, from, inputs, patch, v + i * inputs, apart(count * inputs));
      tiles_here()->spread_slopes(w->dy + at.pixel * w->out, w->t.width * w->out, w->out, at.rows, at.columns, w->out, slopes + i * w->out,
                                  apart(count * w->out));
    }
    for (long k = 0; k < PRODUCTS; k++) {
      gradient product = {.x = v + k * apart(count * inputs), .xstep = inputs, .dy = slopes + k * apart(count * w->out), .ystep = w->out,
                          .height = 1, .width = (int)count, .in = (int)inputs, .out = (int)w->out, .bottom = 1};
      if (made(w->t.enlarge, k)) tiles_here()->correlate(&product, 0, 1, 0, (int)inputs, sums + k * apart(in * w->out), w->out);
    }
  }
  give_back(v);
}

typedef struct {
  const winograd_sums *w;
  float *dk;
  long ktap, jobs;
} kernel_gathering;

static void gather_kernels(void *arg, long job) {
  const kernel_gathering *g = arg;
  const winograd_sums *w = g->w;
  long in = w->t.x.channels, step = apart(in * w->out);
  for (long i = part(in, g->jobs, job); i < part(in, g->jobs, job + 1); i++) {
    float *sum = w->sums + i * w->out;
    for (long k = 0; k < PRODUCTS; k++)
      for (long p = 1; p < w->parts; p++)
        for (long o = 0; o < w->out; o++) sum[k * step + o] += sum[(p * PRODUCTS + k) * step + o];
    tiles_here()->gather_kernel(sum, step, w->out, g->dk + i * w->out, g->ktap);
  }
}

const char *winograd_gradient(const crew *c, const images *x, int enlarge, const float *dy, const kernel *k, long from, float *dk) {
  long in = x->channels, floats = PRODUCTS * apart(in * k->out);
  winograd_sums w = {.t = tiles_of(x, enlarge), .dy = dy, .out = k->out, .block = block_of(GRADIENT_INPUTS + k->out)};
  long blocks = (w.t.count + w.block - 1) / w.block;
  w.parts = (1 << 19) / floats;
  if (w.parts > 16) w.parts = 16;
  if (w.parts > blocks) w.parts = blocks;
  if (w.parts < 1) w.parts = 1;
  w.sums = borrow((size_t)(w.parts * floats));
  if (!w.sums) return no_memory;
  share(c, w.parts * ((in + GRADIENT_INPUTS - 1) / GRADIENT_INPUTS), correlate_tiles, &w);
  kernel_gathering g = {.w = &w, .dk = dk + from * k->out, .ktap = k->in * k->out, .jobs = pieces(c, in, (double)(w.parts * floats) / 2)};
  share(c, g.jobs, gather_kernels, &g);
  give_back(w.sums);
  return w.failed ? no_memory : NULL;
}
