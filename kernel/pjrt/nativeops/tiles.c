//go:build linux && cgo

#include "tiles.h"

static int lanes = 4; // set before the first operation runs

void use_lanes(int n) { lanes = n; }

const tiles *tiles_here(void) {
#if defined(__x86_64__)
  if (lanes >= 16) return tiles_avx512();
  if (lanes >= 8) return tiles_avx2();
#endif
  return tiles_any();
}
