//go:build linux && cgo

#include "work.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

// The crew works on one batch at a time: a second caller waits, since the first one's work takes all processors anyway.
// Helpers watch for the next batch for a while before they sleep: waking a thread takes as long as a small operation.
static struct {
  pthread_mutex_t turn; // whose batch it is
  void (*job)(void *, long);
  void *arg;
  long jobs;
  atomic_long next;
  atomic_int open, inside; // the batch takes helpers; helpers at work
  atomic_ulong batches;    // posted so far

  pthread_mutex_t lock; // guards sleeping
  pthread_cond_t wake;
  int sleeping, helpers;
} team = {.turn = PTHREAD_MUTEX_INITIALIZER, .lock = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER};

enum { WATCH_NS = 80000, HELPERS_AT_MOST = 255 };

static void pause_briefly(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

static long now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000L + t.tv_nsec;
}

static void take_jobs(void) {
  for (long i; (i = atomic_fetch_add(&team.next, 1)) < team.jobs;) team.job(team.arg, i);
}

// await returns when another batch than the one seen last is posted.
static unsigned long await(unsigned long seen) {
  unsigned long posted;
  for (long until = now_ns() + WATCH_NS;;) {
    for (int i = 0; i < 64; i++) {
      if ((posted = atomic_load(&team.batches)) != seen) return posted;
      pause_briefly();
    }
    if (now_ns() > until) break;
  }
  pthread_mutex_lock(&team.lock);
  team.sleeping++;
  while ((posted = atomic_load(&team.batches)) == seen) pthread_cond_wait(&team.wake, &team.lock);
  team.sleeping--;
  pthread_mutex_unlock(&team.lock);
  return posted;
}

static void *helper(void *nothing) {
  for (unsigned long seen = 0;;) {
    seen = await(seen);
    atomic_fetch_add(&team.inside, 1);
    if (atomic_load(&team.open)) take_jobs();
    atomic_fetch_sub(&team.inside, 1);
  }
  return nothing;
}

crew crew_for(const ffi_frame *f) {
  int64_t n = 1;
  ffi_threads_args args = {.struct_size = sizeof args, .context = f->context, .threads = &n};
  ffi_error *error = ((ffi_error * (*)(ffi_threads_args *)) f->api->functions[FFI_THREAD_POOL_NUM_THREADS])(&args);
  if (error) {
    ffi_error_destroy_args destroy = {.struct_size = sizeof destroy, .error = error};
    ((void (*)(ffi_error_destroy_args *))f->api->functions[FFI_ERROR_DESTROY])(&destroy);
    n = 1;
  }
  return (crew){n < 1 ? 1 : n};
}

// hire starts helpers, as many as XLA has threads beside the caller's.
static void hire(const crew *c) {
  long wanted = c->threads - 1;
  if (wanted > HELPERS_AT_MOST) wanted = HELPERS_AT_MOST;
  sigset_t all, before; // Go's signals are for Go's threads
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  while (team.helpers < wanted) {
    pthread_t id;
    if (pthread_create(&id, NULL, helper, NULL)) break; // fewer will do
    pthread_detach(id);
    team.helpers++;
  }
  pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void share(const crew *c, long jobs, void (*job)(void *, long), void *arg) {
  if (jobs <= 1) {
    if (jobs == 1) job(arg, 0);
    return;
  }
  pthread_mutex_lock(&team.turn);
  if (!team.helpers) hire(c);
  team.job = job, team.arg = arg, team.jobs = jobs;
  atomic_store(&team.next, 0);
  atomic_store(&team.open, 1);
  atomic_fetch_add(&team.batches, 1);
  pthread_mutex_lock(&team.lock);
  if (team.sleeping) pthread_cond_broadcast(&team.wake);
  pthread_mutex_unlock(&team.lock);
  take_jobs();
  atomic_store(&team.open, 0); // who comes now finds nothing, and nobody waits for him
  while (atomic_load(&team.inside)) pause_briefly();
  pthread_mutex_unlock(&team.turn);
}

// A block of memory carries its size in front of it.
enum { ALIGN = 64, BLOCKS = 32 };

typedef struct {
  size_t floats;
} header;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char *blocks[BLOCKS];

static header *header_of(char *block) { return (header *)block; }

float *borrow(size_t floats) {
  int best = -1;
  pthread_mutex_lock(&lock);
  for (int i = 0; i < BLOCKS; i++) {
    if (!blocks[i] || header_of(blocks[i])->floats < floats || header_of(blocks[i])->floats > 2 * floats + 4096) continue;
    if (best < 0 || header_of(blocks[i])->floats < header_of(blocks[best])->floats) best = i;
  }
  char *block = best < 0 ? NULL : blocks[best];
  if (block) blocks[best] = NULL;
  pthread_mutex_unlock(&lock);
  if (!block) {
    void *fresh;
    if (floats > SIZE_MAX / sizeof(float) - ALIGN || posix_memalign(&fresh, ALIGN, ALIGN + floats * sizeof(float))) return NULL;
    block = fresh;
    header_of(block)->floats = floats;
  }
  return (float *)(block + ALIGN);
}

void give_back(float *memory) {
  if (!memory) return;
  char *block = (char *)memory - ALIGN;
  pthread_mutex_lock(&lock);
  int into = 0; // an empty place, or else the smallest block, which is let go
  for (int i = 0; i < BLOCKS && blocks[into]; i++)
    if (!blocks[i] || header_of(blocks[i])->floats < header_of(blocks[into])->floats) into = i;
  char *let_go = block;
  if (!blocks[into] || header_of(blocks[into])->floats <= header_of(block)->floats) let_go = blocks[into], blocks[into] = block;
  pthread_mutex_unlock(&lock);
  free(let_go);
}
