internal import CLinux
import Glibc
package import Wire

/// Where time comes from. Only the shell asks, once for each wake-up; protocol code is told.
package enum Clock {
    /// The monotonic clock: never set, never going back.
    package static var now: Instant { Instant(nanoseconds: linux_clock(CLOCK_MONOTONIC)) }

    /// UTC in nanoseconds since 1970, as the host believes it: raw, it may jump. The one place
    /// where it is smoothed is the stream's wall clock.
    package static var utcNanoseconds: Int64 { linux_clock(CLOCK_REALTIME) }

    /// CPU time that this thread has used: what benches count.
    package static var threadTime: Interval {
        Interval(nanoseconds: linux_clock(CLOCK_THREAD_CPUTIME_ID))
    }

    /// CPU time of all threads of the process.
    package static var processTime: Interval {
        Interval(nanoseconds: linux_clock(CLOCK_PROCESS_CPUTIME_ID))
    }
}
