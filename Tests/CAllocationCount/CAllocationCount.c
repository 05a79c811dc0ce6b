#include "CAllocationCount.h"
#include <errno.h>
#include <malloc.h>
#include <stddef.h>
#include <stdlib.h>

// glibc's own entry points, so that no dlsym (which allocates) is needed.
extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

static __thread uint64_t of_thread;
static uint64_t of_process;

static void count(void) {
    of_thread++;
    __atomic_fetch_add(&of_process, 1, __ATOMIC_RELAXED);
}

uint64_t allocation_count_thread(void) { return of_thread; }
uint64_t allocation_count_process(void) { return __atomic_load_n(&of_process, __ATOMIC_RELAXED); }

bool allocation_count_works(void) {
    uint64_t before = of_thread;
    void *volatile probe = malloc(1);  // Volatile: or the compiler leaves both calls out.
    free(probe);
    return of_thread > before;
}

uint64_t allocation_bytes_in_use(void) {
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

// A sanitizer brings its own malloc and must keep it; the counters then stay at zero, and tests
// that need them say that they were skipped.
#if !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer)
void *malloc(size_t size) {
    count();
    return __libc_malloc(size);
}

void *calloc(size_t n, size_t size) {
    count();
    return __libc_calloc(n, size);
}

void *realloc(void *old, size_t size) {
    count();
    return __libc_realloc(old, size);
}

void *memalign(size_t alignment, size_t size) {
    count();
    return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }

int posix_memalign(void **out, size_t alignment, size_t size) {
    void *memory = memalign(alignment, size);
    if (!memory) return ENOMEM;
    *out = memory;
    return 0;
}
#endif
