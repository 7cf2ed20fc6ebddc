// Work that threads share, and memory that outlives a call.
#ifndef SSWE_WORK_H
#define SSWE_WORK_H

#include <stddef.h>

#include "ffi_abi.h"

// crew is who works on a call: the calling thread and helpers, together as many as XLA has threads.
typedef struct {
  long threads;
} crew;

crew crew_for(const ffi_frame *f);

// share runs job(arg, 0) to job(arg, jobs - 1), each once, and returns when all are done. Which thread takes which job is
// left to chance: a job's result must not depend on it.
void share(const crew *c, long jobs, void (*job)(void *arg, long i), void *arg);

// borrow returns memory for so many floats, aligned for vectors, with unknown content; NULL where there is none. give_back
// keeps it for the next who asks: fresh pages cost more than the work on them.
float *borrow(size_t floats);
void give_back(float *memory);

#endif
