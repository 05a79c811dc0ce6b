package import Wire

/// Finds the frames of RFC 4571 in the bytes of an ICE-TCP connection: two bytes of length, then a
/// packet. It holds no bytes: it is shown all that has not been consumed.
package struct Framing: Sendable {
    /// Until a binding request has been authenticated, a stranger may make us keep this much.
    package static let sizeBeforeSTUN = 2048
    /// Packets are made for UDP, 1,500 bytes; a DTLS flight in one record stays below this.
    package static let sizeLimit = 8192
    /// A connection without an authenticated request by then is closed.
    package static let firstRequestLimit = Interval.seconds(10)

    /// Set by the owner when the first request proved authentic.
    package var isAuthenticated = false

    package init() {}

    /// - Returns: Where the first whole packet lies; the frame begins two bytes earlier. `nil`: not
    ///   there yet. An empty range is a keep-alive.
    /// - Throws: When the connection cannot become or remain one of ours: close it.
    package func next(in bytes: RawSpan) throws(ParseError) -> Range<Int>? {
        guard bytes.byteCount >= 2 else { return nil }
        let length = Int(bytes.byte(at: 0)) << 8 | Int(bytes.byte(at: 1))
        let limit = isAuthenticated ? Self.sizeLimit : Self.sizeBeforeSTUN - 2
        guard length <= limit else { throw .tooMuch("ICE-TCP frame", limit: limit) }
        if !isAuthenticated { try checkFirst(bytes, length) }
        guard bytes.byteCount >= 2 + length else { return nil }
        return 2..<2 + length
    }

    /// What cannot become a STUN message is refused at its first bytes, not at its last.
    private func checkFirst(_ bytes: RawSpan, _ length: Int) throws(ParseError) {
        guard length >= STUNMessage.headerSize, length % 4 == 0 else {
            throw .invalid("first ICE-TCP frame", value: UInt64(length), at: 0)
        }
        // A binding request begins 00 01; its cookie stands at 4.
        for (offset, wanted) in [(2, 0x00), (3, 0x01), (6, 0x21), (7, 0x12), (8, 0xa4), (9, 0x42)]
        where offset < bytes.byteCount && bytes.byte(at: offset) != wanted {
            throw .invalid("first ICE-TCP frame", value: UInt64(bytes.byte(at: offset)), at: offset)
        }
    }

    /// The head of a frame around `count` bytes.
    package static func head(_ count: Int) -> [2 of UInt8] {
        precondition(count <= 0xffff, "a frame holds at most 65,535 bytes")
        return [UInt8(count >> 8), UInt8(truncatingIfNeeded: count)]
    }
}

/// Who comes to a TCP port that several protocols share, by the first bytes.
package enum FirstBytes: Sendable, Equatable {
    case tls, http, framed, unknown
    case needMore

    package init(_ bytes: RawSpan) {
        guard bytes.byteCount >= 4 else {
            self = .needMore
            return
        }
        switch (bytes.byte(at: 0), bytes.byte(at: 1)) {
        case (0x16, 0x03): self = .tls
        // Length below 2 KiB, then the type of a binding request.
        case (0..<8, _) where bytes.byte(at: 2) == 0 && bytes.byte(at: 3) == 1: self = .framed
        case (0x41...0x5a, 0x41...0x5a): self = .http
        default: self = .unknown
        }
    }
}
