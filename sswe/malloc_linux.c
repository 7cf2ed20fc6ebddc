// glibc's allocator maps large blocks and gives them back to the kernel when they are freed. XLA allocates the some 80 MB of
// a training step's intermediate results anew in each step, and filling them costs 20,000 page faults. Here freed memory
// stays with the process. Go's own memory is not concerned.

#include <malloc.h>

#ifdef __GLIBC__
// A constructor, because M_ARENA_MAX holds for arenas not yet made: a block of another than the main arena is mapped
// whatever the settings.
__attribute__((constructor)) static void keep_freed_memory(void) {
	mallopt(M_ARENA_MAX, 1);
	mallopt(M_MMAP_MAX, 0);
	mallopt(M_TRIM_THRESHOLD, 1 << 30);
}
#endif
