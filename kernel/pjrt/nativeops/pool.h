// Pooling of images [count, height, width, channels] by the maximum of each 2x2 block, and its gradient.
#ifndef SSWE_POOL_H
#define SSWE_POOL_H

#include "convolve.h"

void pool_images(const crew *c, const images *x, float *y);

// dx is dy where x is its block's maximum y, plus `and` (another gradient of x, or NULL).
void pool_gradient(const crew *c, const images *x, const float *y, const float *dy, const float *and, float *dx);

#endif
