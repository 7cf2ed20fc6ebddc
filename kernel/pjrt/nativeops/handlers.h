#ifndef SSWE_HANDLERS_H
#define SSWE_HANDLERS_H

#include <stddef.h>

// sswe_register gives the native operations to a plugin, by its table of functions. NULL, or why it can't take them. They use
// vectors of so many numbers: 16 where the processor has AVX-512 (F, BW, DQ, VL), 8 where it has AVX2 and FMA, else 4.
const char *sswe_register(const void *pjrt_api, int lanes);

#endif
