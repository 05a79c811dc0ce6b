// Counts what the whole process allocates, by standing in front of malloc and its relatives.
// Linked only into benches and allocation tests: a threshold in a test is a count, never a time.
#pragma once
#include <stdbool.h>
#include <stdint.h>

/// Calls of malloc, calloc, realloc, aligned_alloc and posix_memalign by this thread so far.
uint64_t allocation_count_thread(void);
/// The same for all threads of the process.
uint64_t allocation_count_process(void);
/// Whether anything is counted: not under a sanitizer.
bool allocation_count_works(void);
/// Bytes the process holds from malloc now (0 under a sanitizer).
uint64_t allocation_bytes_in_use(void);
