import System
import Wire

/// The writing end of the ring to another worker: made at first use, for all streams together.
final class RingOut {
    /// What a record is: media of a relay, or of a publisher whose stream lives elsewhere, or a
    /// datagram as it came, for a session that lives elsewhere.
    enum Kind: UInt32 { case relay = 1, feed = 2, packet = 3 }

    private var writer: PacketRing.Writer
    private var hasNews = false

    init(_ writer: consuming PacketRing.Writer) { self.writer = writer }

    /// - Returns: false, and nothing is written, if there is no room now.
    func write(_ kind: Kind, _ first: RawSpan, _ second: RawSpan) -> Bool {
        guard writer.tryWrite(kind: kind.rawValue, first, second) else { return false }
        hasNews = true
        return true
    }

    /// Wakes the reader, once for all that was written in this turn.
    func flush() {
        guard hasNews else { return }
        hasNews = false
        writer.flush()
    }
}

/// The reading end of the ring from another worker.
final class RingIn {
    let from: Int
    private var reader: PacketRing.Reader
    /// The record at hand was not taken: it is shown again.
    private var isHeld = false

    init(from: Int, _ reader: consuming PacketRing.Reader) {
        self.from = from
        self.reader = reader
    }

    var isEmpty: Bool { !isHeld && reader.isEmpty() }

    /// Shows records until there are none, the turn's share is used up, or one is not taken.
    func drain(upTo bytes: Int, _ take: (UInt32, RawSpan) -> Bool) {
        var left = bytes
        while left > 0 {
            if !isHeld, !reader.next() { return }
            isHeld = true
            let count = reader.bytes.byteCount
            guard take(reader.kind, reader.bytes) else { return }
            isHeld = false
            left -= count + 16
        }
    }
}
