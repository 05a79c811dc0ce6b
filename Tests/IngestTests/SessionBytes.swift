import Stream
import Wire

extension ByteSession {
    /// Bytes go in until the session takes no more; what it leaves is shown again.
    func take(
        _ pending: inout [UInt8], at now: Instant, into effects: inout Effects,
        out: inout Outbox
    ) {
        while !pending.isEmpty {
            let taken = receive(pending.raw, at: now, into: &effects, out: &out)
            guard taken > 0 else { return }
            pending.removeFirst(taken)
        }
    }
}
