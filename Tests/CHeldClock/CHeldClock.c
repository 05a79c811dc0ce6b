#include "CHeldClock.h"
#include <sys/time.h>
#include <time.h>

static __thread int64_t held = -1;

void held_clock_set(int64_t microseconds) { held = microseconds; }

int gettimeofday(struct timeval *restrict time, void *restrict zone) {
    (void)zone;
    if (held >= 0) {
        *time = (struct timeval){.tv_sec = held / 1000000, .tv_usec = held % 1000000};
        return 0;
    }
    struct timespec now;
    if (clock_gettime(CLOCK_REALTIME, &now) != 0) return -1;
    *time = (struct timeval){.tv_sec = now.tv_sec, .tv_usec = now.tv_nsec / 1000};
    return 0;
}
