//go:build linux && cgo

#include "tiles.h"

#include <limits.h>

static int most_lanes = INT_MAX; // set before the first operation runs

void limit_lanes(int most) { most_lanes = most; }

const tiles *tiles_here(void) {
#if defined(__x86_64__)
  if (most_lanes >= 16 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vl"))
    return tiles_avx512();
  if (most_lanes >= 8 && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return tiles_avx2();
#endif
  return tiles_any();
}
