#include "CLinux.h"

#if __has_feature(thread_sanitizer)
void __tsan_acquire(void *address);
void __tsan_release(void *address);
void linux_lock_taken(void *lock) { __tsan_acquire(lock); }
void linux_lock_given(void *lock) { __tsan_release(lock); }
#else
void linux_lock_taken(void *lock) { (void)lock; }
void linux_lock_given(void *lock) { (void)lock; }
#endif
