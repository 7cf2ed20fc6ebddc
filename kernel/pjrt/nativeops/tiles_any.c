//go:build linux && cgo

// Any processor: SSE2 where it is an old x86, NEON on ARM.
#include <math.h>

#define LANES 4
#define WIDEST 2
#define TARGET
#define TILES tiles_any
#define CONVOLVE_4
#define CONVOLVE_2 X(6) X(4) X(3) X(2) X(1)
#define CONVOLVE_1 X(12) X(6) X(4) X(2) X(1)
#define SLIDE 
#define CORRELATE_4 
#define CORRELATE_2 X(4) X(2) X(1)
#define CORRELATE_1 X(8) X(4) X(2) X(1)
#define SQUARE_ROOT(v) roots(v)

typedef float four __attribute__((vector_size(16)));
static inline four roots(four v) { return (four){sqrtf(v[0]), sqrtf(v[1]), sqrtf(v[2]), sqrtf(v[3])}; }

#include "tiles_loops.h"
