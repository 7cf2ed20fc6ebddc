// Batch normalisation of maps [pixels][channels], followed by a leaky rectifier (slope 1 for none), and its gradient.
#ifndef SSWE_NORMALISE_H
#define SSWE_NORMALISE_H

#include "work.h"

// fold turns normalisation by known statistics into y = x * scale + shift.
void fold(long channels, const float *gamma, const float *beta, const float *mean, const float *variance, float epsilon, float *scale,
          float *shift);

// All return NULL or what went wrong. Statistics are over all pixels; the variance is that of the population.
const char *normalise_batch(const crew *c, const float *x, long pixels, long channels, const float *gamma, const float *beta, float epsilon,
                            float slope, float *y, float *mean, float *variance);
const char *normalise_batch_gradient(const crew *c, const float *x, long pixels, long channels, const float *gamma, const float *beta,
                                     const float *mean, const float *variance, float epsilon, float slope, const float *dy, float *dx,
                                     float *dgamma, float *dbeta);

#endif
