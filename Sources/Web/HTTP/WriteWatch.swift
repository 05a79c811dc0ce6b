package import Wire

/// Notices a peer that does not read what it asked for.
///
/// Progress is counted in bytes, not in writes: a reader of one byte a second is no reader.
package struct WriteWatch: Sendable {
    /// The least that must go out in `patience` while anything waits.
    static let progress = 4096
    package static let patience = Interval.seconds(10)

    private var since: Instant?
    private var written = 0

    package init() {}

    /// When patience ends; `nil` while nothing waits.
    package var deadline: Instant? { since.map { $0 + Self.patience } }

    /// Bytes have been queued, or it was looked whether there are any.
    package mutating func queued(_ waiting: Int, at now: Instant) {
        guard since == nil, waiting > 0 else { return }
        since = now
        written = 0
    }

    /// `count` bytes have gone out, `waiting` are left.
    package mutating func wrote(_ count: Int, waiting: Int, at now: Instant) {
        written += count
        if waiting == 0 {
            since = nil
            written = 0
        } else if written >= Self.progress {
            since = now
            written = 0
        }
    }
}
