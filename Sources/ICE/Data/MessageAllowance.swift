import Wire

/// How much a publisher may say to all its viewers: each message goes out once for each of them.
///
/// Both measures refill steadily; one message may be as large as messages may be at all, and is
/// then paid for by the silence that follows.
struct MessageAllowance: Sendable {
    static let messagesPerSecond: Int64 = 50
    static let bytesPerSecond: Int64 = 64 * 1024

    /// In billionths of a message or byte.
    private var messages = messagesPerSecond * 1_000_000_000
    private var bytes = bytesPerSecond * 1_000_000_000
    private var filledAt: Instant?

    mutating func admits(_ count: Int, at now: Instant) -> Bool {
        // Longer than a second fills both.
        let passed = min(max(0, (now - (filledAt ?? now)).nanoseconds), 8_000_000_000)
        filledAt = now
        messages = min(
            messages + passed * Self.messagesPerSecond, Self.messagesPerSecond * 1_000_000_000)
        bytes = min(bytes + passed * Self.bytesPerSecond, Self.bytesPerSecond * 1_000_000_000)
        guard messages >= 1_000_000_000, bytes > 0 else { return false }
        messages -= 1_000_000_000
        bytes -= Int64(count) * 1_000_000_000
        return true
    }
}
