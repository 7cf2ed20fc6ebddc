// What convolutions read, laid out for the tiles: images with zeros around them, pixels with their neighbours, kernels.
#ifndef SSWE_PREPARE_H
#define SSWE_PREPARE_H

#include "convolve.h"

enum { TAPS = 49 }; // of a kernel, at most

extern const char *const no_memory;

static inline long rounded(long n, long to) { return (n + to - 1) / to * to; }

// pieces says into how many jobs to cut so many units of work that take so many nanoseconds: enough to go round, each worth
// handing over. Job i takes the units from part(i) to part(i + 1).
long pieces(const crew *c, long units, double ns);
static inline long part(long units, long jobs, long i) { return units * i / jobs; }

// padded copies x with zeros around each image and behind each pixel's channels. Give back what these return; NULL is no memory.
float *padded(const crew *c, const images *x, long around_rows, long around_columns, long channels);

// few tells when a pixel's neighbours are so few numbers that they are better gathered: each pixel with all that a kernel sees
// of it as its channels.
int few(const images *x, const kernel *k);
float *gathered(const crew *c, const images *x, long rows, long columns);

// packed is, for the input channels from `from` on, the kernel that tiles read: [taps][in][channels], or transposed and
// reversed [taps][out][channels] for the gradient with respect to the input. For an image enlarged to 2 it has 16 taps:
// phase of the row, of the column, input row, input column; transposed the four output rows and columns that see an input
// pixel, the earliest first.
float *packed(const crew *c, const kernel *k, long from, long in, int enlarge, int transposed, long channels);

// Along an axis that is enlarged, two output pixels (phases) lie on an input pixel, and each sees two input pixels (near and
// far): which of the three taps fall together on one of them.
extern const struct tap_range {
  int from, to;
} falls_on[2][2]; // [phase][input pixel, from the earlier one]

#endif
