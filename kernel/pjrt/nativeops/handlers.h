#ifndef SSWE_HANDLERS_H
#define SSWE_HANDLERS_H

#include <stddef.h>

// sswe_register gives the native operations to a plugin, by its table of functions. NULL, or why it can't take them. They use
// vectors of at most so many numbers.
const char *sswe_register(const void *pjrt_api, int most_lanes);

// sswe_lanes is the vector length that they run with, in floats.
int sswe_lanes(void);

#endif
