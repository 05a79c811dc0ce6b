package import Wire

/// Retransmission as a stream of its own (RFC 4588 §4): the number of the lost packet, then its
/// payload; time stamp and marker are those of the lost packet.
package enum RTX {
    package struct Original: Equatable, Sendable {
        package var sequence: UInt16
        /// Within the RTX payload.
        package var payload: Range<Int>
    }

    /// Refuses what repairs nothing: browsers probe the bandwidth with empty retransmissions.
    package static func unwrap(_ payload: RawSpan) throws(ParseError) -> Original {
        var reader = ByteReader(payload)
        let sequence = try reader.read(UInt16.self)
        guard reader.remaining > 0 else { throw .truncated(at: 2, needed: 1) }
        return Original(sequence: sequence, payload: 2..<payload.byteCount)
    }

    @_lifetime(out: copy out)
    package static func write(
        _ payload: RawSpan, sequence: UInt16, into out: inout ByteWriter
    ) {
        out.write(sequence)
        out.write(payload)
    }
}

/// Redundant audio (RFC 2198), read only: the newest frame is taken, the repetitions of older ones
/// are passed over.
package enum RED {
    package struct Primary: Equatable, Sendable {
        package var payloadType: UInt8
        /// Within the RED payload.
        package var payload: Range<Int>
    }

    /// Browsers repeat one or two frames.
    static let blocksMaximum = 8

    package static func primary(_ payload: RawSpan) throws(ParseError) -> Primary {
        var reader = ByteReader(payload)
        var skipped = 0
        for _ in 0...blocksMaximum {
            let first = try reader.read(UInt8.self)
            guard first & 0x80 != 0 else {
                try reader.skip(skipped)
                return Primary(payloadType: first, payload: reader.offset..<payload.byteCount)
            }
            // 14 bits of time, 10 bits of length.
            skipped += Int(try reader.readUInt24() & 0x3ff)
        }
        throw .tooMuch("RED blocks", limit: blocksMaximum)
    }
}
