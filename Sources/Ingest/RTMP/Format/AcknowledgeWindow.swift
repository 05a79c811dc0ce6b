import Wire

/// How much may come before it is acknowledged. Some peers stop, or close the connection, when they
/// hear nothing for a window.
struct AcknowledgeWindow: Sendable {
    /// Ours, and the most that we wait for.
    static let usual: UInt32 = 2_500_000
    /// Below it the acknowledgements would outweigh the media.
    private static let least: UInt32 = 32_768

    private var size = usual
    private var acknowledged: UInt64 = 0

    /// The peer says how large it is.
    mutating func set(_ said: UInt32) { size = min(max(said, Self.least), Self.usual) }

    /// - Parameter received: Bytes since the beginning.
    mutating func acknowledge(_ received: UInt64, _ writer: ChunkWriter, into out: inout Outbox) {
        guard received - acknowledged >= UInt64(size) else { return }
        acknowledged = received
        writer.control(.acknowledgement, UInt32(truncatingIfNeeded: received), into: &out)
    }
}
