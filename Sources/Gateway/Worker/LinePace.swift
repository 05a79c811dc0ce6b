import Wire

/// How much a viewer over UDP gets at a time: nobody tells us that it has room.
///
/// The last group of pictures leaves at once over TCP, at the speed that its reader has. Over UDP
/// that would be a megabyte in a millisecond, and the kernel of a player holds 208 KiB by default.
/// 48 KiB in 5 ms are 79 Mbit/s: above every live stream, and slow enough for FFmpeg.
struct LinePace {
    static let window = Interval.milliseconds(5)
    static let bytes = 48 * 1024

    private var since = Instant.start
    private var mark = 0

    /// Whether more may be written now, after so many bytes in all.
    mutating func allows(_ written: Int, at now: Instant) -> Bool {
        if now >= since + Self.window {
            since = now
            mark = written
        }
        return written - mark < Self.bytes
    }

    /// When there is room again.
    var next: Instant { since + Self.window }
}
