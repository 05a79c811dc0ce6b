import Wire

/// What a datagram (or an RFC 4571 frame) on the one port is, by its first bytes (RFC 7983, with
/// the RTCP rule of RFC 5761). It only sorts: what it names is still to be parsed and proved.
package enum Demux: Sendable, Equatable {
    case stun, dtls, rtp, rtcp
    /// Nothing we speak: dropped before any lookup, counted.
    case unknown

    package init(_ datagram: RawSpan) {
        guard datagram.byteCount >= 2 else {
            self = .unknown
            return
        }
        switch datagram.byte(at: 0) {
        case 0...3: self = Self.isSTUN(datagram) ? .stun : .unknown
        // 32 to 63 is the unified header of DTLS 1.3 and of connection ids.
        case 20...63: self = datagram.byteCount >= 13 ? .dtls : .unknown
        case 128...191: self = Self.media(datagram)
        default: self = .unknown
        }
    }

    private static func isSTUN(_ datagram: RawSpan) -> Bool {
        guard datagram.byteCount >= STUNMessage.headerSize, datagram.byteCount % 4 == 0 else {
            return false
        }
        return unsafe UInt32(
            bigEndian: datagram.unsafeLoadUnaligned(
                fromUncheckedByteOffset: 4, as: UInt32.self)) == STUNMessage.cookie
    }

    /// Smaller ones hold no header, let alone the tag that authenticates it.
    private static func media(_ datagram: RawSpan) -> Demux {
        if (192...223).contains(datagram.byte(at: 1)) {
            return datagram.byteCount >= 8 ? .rtcp : .unknown
        }
        return datagram.byteCount >= 12 ? .rtp : .unknown
    }
}
