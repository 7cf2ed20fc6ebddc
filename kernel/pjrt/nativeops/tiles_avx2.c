//go:build linux && cgo

#if defined(__x86_64__)

#include <immintrin.h>

#define LANES 8
#define WIDEST 2
#define TARGET __attribute__((target("avx2,fma")))
#define TILES tiles_avx2
// 16 registers hold 12 sums.
#define CONVOLVE_4
#define CONVOLVE_2 X(6) X(4) X(3) X(2) X(1)
#define CONVOLVE_1 X(12) X(6) X(4) X(2) X(1)
#define SLIDE 
#define CORRELATE_4 
#define CORRELATE_2 X(6) X(4) X(2) X(1)
#define CORRELATE_1 X(8) X(4) X(2) X(1)
#define SQUARE_ROOT(v) ((vector)_mm256_sqrt_ps((__m256)(v)))
#include "tiles_loops.h"

#endif
