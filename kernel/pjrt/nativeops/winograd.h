// Convolutions with 3x3 kernels by Winograd's F(2x2, 3x3): 16 products for four outputs that see 36, and 9 of an enlarged
// image. Worth its transforms where channels are many.
#ifndef SSWE_WINOGRAD_H
#define SSWE_WINOGRAD_H

#include "convolve.h"

// by_winograd tells whether a convolution of these sources is done so, the first of them enlarged to `enlarge` (1 or 2) times
// its size. It depends on shapes alone.
int by_winograd(int sources, const images *x, int enlarge, const kernel *k);

// As in convolve.h.
const char *winograd_images(const crew *c, int sources, const images *x, int enlarge, const kernel *k, const after *then, float *y);

// winograd_gradient is the gradient of the kernel's input channels from `from` on, those of x; dy has whole vectors of channels.
const char *winograd_gradient(const crew *c, const images *x, int enlarge, const float *dy, const kernel *k, long from, float *dk);

#endif
