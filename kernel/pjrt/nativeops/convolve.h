// Convolutions of images [count, height, width, channels] with kernels [rows, columns, in, out] of odd size, zeros outside, same
// size out; of an image enlarged to twice its height and width by repeating pixels, too, without making it; and their gradients.
#ifndef SSWE_CONVOLVE_H
#define SSWE_CONVOLVE_H

#include "tiles.h"
#include "work.h"

typedef struct {
  const float *at;
  long count, height, width, channels;
} images;

typedef struct {
  const float *at;
  long rows, columns, in, out;
} kernel;

// after is what follows a sum: y = rectified(sum * scale + shift), negative values times slope; scale NULL for nothing.
typedef struct {
  const float *scale, *shift;
  float slope;
} after;

// All return NULL or what went wrong. The kernel's input channels are those of the sources, one after the other; the first of
// them is enlarged by `enlarge`, 1 or 2 (2 for kernels of 3x3 only).

// y [count, height, width, out], the sum over sources.
const char *convolve_images(const crew *c, int sources, const images *x, int enlarge, const kernel *k, const after *then, float *y);

// dx, of the kernel's input channels from `from` on, from dy [count, height, width, out]; dx is 1/enlarge of its size.
const char *input_gradient(const crew *c, const images *dy, const kernel *k, long from, int enlarge, const images *dx, float *into);

// dk, of k's shape.
const char *filter_gradient(const crew *c, int sources, const images *x, int enlarge, const images *dy, const kernel *k, float *dk);

#endif
