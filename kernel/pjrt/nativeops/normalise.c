//go:build linux && cgo

#include "normalise.h"

#include <math.h>

#include "tiles.h"

// A part of a map is small enough for a processor's cache and large enough to be handed over. Parts follow from the map's
// size alone, and their sums are added up in order: the same bits on any number of threads.
enum { PART_FLOATS = 1 << 15 };

typedef struct {
  const float *x, *dy;
  long pixels, channels, part;
  const float *scale, *shift, *origin, *by, *with_x, *rest;
  float slope;
  float *sums, *to; // sums [parts][2][channels]
} pass;

static long parts(const pass *p) { return (p->pixels + p->part - 1) / p->part; }
static long pixels_of(const pass *p, long i) { return i < parts(p) - 1 ? p->part : p->pixels - i * p->part; }

static void moments_part(void *arg, long i) {
  const pass *p = arg;
  float *sum = p->sums + 2 * i * p->channels;
  tiles_here()->moments(p->x + i * p->part * p->channels, pixels_of(p, i), (int)p->channels, p->origin, sum, sum + p->channels);
}

static void normalise_part(void *arg, long i) {
  const pass *p = arg;
  long at = i * p->part * p->channels;
  tiles_here()->normalise(p->x + at, pixels_of(p, i), (int)p->channels, p->scale, p->shift, p->slope, p->to + at);
}

static void sums_part(void *arg, long i) {
  const pass *p = arg;
  long at = i * p->part * p->channels;
  float *sum = p->sums + 2 * i * p->channels;
  tiles_here()->gradient_sums(p->x + at, p->dy + at, pixels_of(p, i), (int)p->channels, p->scale, p->shift, p->slope, p->origin, sum,
                              sum + p->channels);
}

static void apply_part(void *arg, long i) {
  const pass *p = arg;
  long at = i * p->part * p->channels;
  tiles_here()->gradient_apply(p->x + at, p->dy + at, pixels_of(p, i), (int)p->channels, p->scale, p->shift, p->slope, p->origin, p->by,
                               p->with_x, p->rest, p->to + at);
}

static pass begin(const float *x, long pixels, long channels, float slope) {
  pass p = {.x = x, .pixels = pixels, .channels = channels, .slope = slope, .part = PART_FLOATS / channels};
  if (p.part < 1) p.part = 1;
  return p;
}

static void total(const pass *p, long channel, double *a, double *b) {
  *a = *b = 0;
  for (long i = 0; i < parts(p); i++) {
    *a += p->sums[2 * i * p->channels + channel];
    *b += p->sums[(2 * i + 1) * p->channels + channel];
  }
}

void fold(long channels, const float *gamma, const float *beta, const float *mean, const float *variance, float epsilon, float *scale,
          float *shift) {
  for (long i = 0; i < channels; i++) {
    double s = gamma[i] / sqrt((double)variance[i] + epsilon);
    scale[i] = (float)s;
    shift[i] = (float)(beta[i] - mean[i] * s);
  }
}

const char *normalise_batch(const crew *c, const float *x, long pixels, long channels, const float *gamma, const float *beta, float epsilon,
                            float slope, float *y, float *mean, float *variance) {
  pass p = begin(x, pixels, channels, slope);
  float *memory = borrow((size_t)(2 * (parts(&p) + 1) * channels));
  if (!memory) return "no memory";
  p.sums = memory + 2 * channels;
  p.origin = x; // the first pixel: near the mean, so that little is lost when squares are subtracted
  share(c, parts(&p), moments_part, &p);
  for (long i = 0; i < channels; i++) {
    double sum, square;
    total(&p, i, &sum, &square);
    double m = sum / (double)pixels, v = square / (double)pixels - m * m;
    mean[i] = (float)(x[i] + m);
    variance[i] = (float)(v > 0 ? v : 0);
  }
  fold(channels, gamma, beta, mean, variance, epsilon, memory, memory + channels);
  p.scale = memory, p.shift = memory + channels, p.to = y;
  share(c, parts(&p), normalise_part, &p);
  give_back(memory);
  return NULL;
}

const char *normalise_batch_gradient(const crew *c, const float *x, long pixels, long channels, const float *gamma, const float *beta,
                                     const float *mean, const float *variance, float epsilon, float slope, const float *dy, float *dx,
                                     float *dgamma, float *dbeta) {
  pass p = begin(x, pixels, channels, slope);
  float *memory = borrow((size_t)((5 + 2 * parts(&p)) * channels));
  if (!memory) return "no memory";
  float *scale = memory, *shift = scale + channels, *by = shift + channels, *with_x = by + channels, *rest = with_x + channels;
  fold(channels, gamma, beta, mean, variance, epsilon, scale, shift);
  p.dy = dy, p.scale = scale, p.shift = shift, p.origin = mean, p.sums = rest + channels;
  share(c, parts(&p), sums_part, &p);
  for (long i = 0; i < channels; i++) {
    double sum, product, deviation = sqrt((double)variance[i] + epsilon), n = (double)pixels;
    total(&p, i, &sum, &product);
    dbeta[i] = (float)sum;
    dgamma[i] = (float)(product / deviation);
    by[i] = (float)(gamma[i] / deviation);
    with_x[i] = (float)(-gamma[i] / (deviation * deviation * deviation) * product / n);
    rest[i] = (float)(-gamma[i] / deviation * sum / n);
  }
  p.by = by, p.with_x = with_x, p.rest = rest, p.to = dx;
  share(c, parts(&p), apply_part, &p);
  give_back(memory);
  return NULL;
}
