//go:build linux && cgo

#if defined(__x86_64__)

#include <immintrin.h>

#define LANES 16
#define WIDEST 4
#define TARGET __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,fma")))
#define TILES tiles_avx512
// 32 registers hold 24 sums, 16 where the compiler needs some for itself.
#define CONVOLVE_4 X(6) X(4) X(3) X(2) X(1)
#define CONVOLVE_2 X(8) X(6) X(4) X(2) X(1)
#define CONVOLVE_1 X(12) X(6) X(4) X(2) X(1)
#define SLIDE X(12) X(6)
#define CORRELATE_4 X(4) X(2) X(1)
#define CORRELATE_2 X(8) X(4) X(2) X(1)
#define CORRELATE_1 X(16) X(8) X(4) X(2) X(1)
#define SQUARE_ROOT(v) ((vector)_mm512_sqrt_ps((__m512)(v)))
#include "tiles_loops.h"

#endif
