// The wall clock of the calling thread, held by a test. For C libraries that ask `gettimeofday`
// themselves (usrsctp); this program's symbol comes before libc's. Other threads see the real one.
#pragma once
#include <stdint.h>

// Microseconds since 1970; negative: the real clock again.
void held_clock_set(int64_t microseconds);
