package import Wire

/// Reads an RTCP compound (RFC 3550 §6.1, RFC 5506) into statements, one at a time.
///
/// All of it is checked before the first statement is given: of a broken compound nothing counts.
/// Types nobody here knows are skipped by their length, as are APP packets.
package struct RTCPReader: ~Escapable {
    /// A datagram of 1,500 bytes with more is an attack: real compounds have at most ten.
    package static let packetsMaximum = 64

    private enum Kind: UInt8 {
        case senderReport = 200
        case receiverReport, sourceDescription, bye, application
        case transportFeedback, payloadFeedback, extendedReport
    }

    private var reader: ByteReader
    /// The packet being read: its type, count or format, and where it ends.
    private var kind: Kind?
    private var format: UInt8 = 0
    private var end = 0
    private var ssrc: UInt32 = 0
    private var media: UInt32 = 0
    /// Blocks, chunks or numbers still to come in this packet.
    private var left = 0

    @_lifetime(copy compound)
    package init(_ compound: RawSpan) throws(ParseError) {
        reader = ByteReader(compound)
        var packets = 0
        var walk = ByteReader(compound)
        repeat {
            packets += 1
            guard packets <= Self.packetsMaximum else {
                throw .tooMuch("RTCP packets in a datagram", limit: Self.packetsMaximum)
            }
            try walk.skip(2)
            try walk.skip(4 * Int(try walk.read(UInt16.self)))
        } while walk.remaining > 0
        while try advance() != nil {}
        reader = ByteReader(compound)
        (kind, end, left) = (nil, 0, 0)
    }

    /// The next statement; `nil` at the end.
    @_lifetime(self: copy self)
    package mutating func next() -> RTCPItem? {
        // What could fail has failed in `init`.
        do throws(ParseError) { return try advance() } catch { return nil }
    }

    @_lifetime(self: copy self)
    private mutating func advance() throws(ParseError) -> RTCPItem? {
        while true {
            if let item = try item() { return item }
            try reader.skip(end - reader.offset)
            guard reader.remaining > 0 else { return nil }
            try open()
        }
    }

    @_lifetime(self: copy self)
    private mutating func open() throws(ParseError) {
        let start = reader.offset
        let first = try reader.read(UInt8.self)
        guard first >> 6 == 2 else {
            throw .invalid("RTCP version", value: UInt64(first >> 6), at: start)
        }
        format = first & 0x1f
        let type = try reader.read(UInt8.self)
        let count = 4 * Int(try reader.read(UInt16.self))
        end = reader.offset + count
        kind = Kind(rawValue: type)
        left = Int(format)
        switch kind {
        case .senderReport, .receiverReport, .extendedReport:
            try need(4)
            ssrc = try reader.read(UInt32.self)
            // One more than blocks: the sender's own half comes first.
            if kind == .senderReport { left += 1 }
            if kind == .extendedReport { left = 0 }  // Its blocks say their own length.
        case .transportFeedback, .payloadFeedback:
            try need(8)
            ssrc = try reader.read(UInt32.self)
            media = try reader.read(UInt32.self)
        case .sourceDescription, .bye, .application, nil: break
        }
    }

    /// Nothing of a packet lies in the next one.
    private func need(_ count: Int) throws(ParseError) {
        guard count <= end - reader.offset else {
            throw .truncated(at: reader.offset, needed: count)
        }
    }

    @_lifetime(self: copy self)
    private mutating func item() throws(ParseError) -> RTCPItem? {
        switch kind {
        case .senderReport where left == Int(format) + 1: return try senderInfo()
        case .senderReport, .receiverReport: return try reportBlock()
        case .sourceDescription: return try name()
        case .bye: return try bye()
        case .transportFeedback: return try transportFeedback()
        case .payloadFeedback: return try payloadFeedback()
        case .extendedReport: return try extendedBlock()
        case .application, nil: return nil
        }
    }

    @_lifetime(self: copy self)
    private mutating func senderInfo() throws(ParseError) -> RTCPItem? {
        try need(20)
        left -= 1
        return .senderInfo(
            RTCPSenderInfo(
                ssrc: ssrc, ntp: NTPTime(bits: try reader.read(UInt64.self)),
                timestamp: try reader.read(UInt32.self), packets: try reader.read(UInt32.self),
                octets: try reader.read(UInt32.self)))
    }

    @_lifetime(self: copy self)
    private mutating func reportBlock() throws(ParseError) -> RTCPItem? {
        guard left > 0 else { return nil }
        try need(24)
        left -= 1
        let about = try reader.read(UInt32.self)
        let fraction = try reader.read(UInt8.self)
        let lost = Int32(bitPattern: try reader.readUInt24() << 8) >> 8
        return .report(
            from: ssrc,
            RTCPReportBlock(
                ssrc: about, fractionLost: fraction, cumulativeLost: lost,
                highestSequence: try reader.read(UInt32.self),
                jitter: try reader.read(UInt32.self), lastReport: try reader.read(UInt32.self),
                delay: try reader.read(UInt32.self)))
    }

    /// Chunks of an SSRC and items up to a zero, padded to words; only canonical names count.
    @_lifetime(self: copy self)
    private mutating func name() throws(ParseError) -> RTCPItem? {
        while left > 0 {
            left -= 1
            try need(5)
            let chunk = reader.offset
            ssrc = try reader.read(UInt32.self)
            var found: Range<Int>?
            while true {
                try need(1)
                let type = try reader.read(UInt8.self)
                if type == 0 { break }
                try need(1)
                let count = Int(try reader.read(UInt8.self))
                try need(count)
                if type == 1 { found = reader.offset..<reader.offset + count }
                try reader.skip(count)
            }
            let padding = (chunk - reader.offset) & 3
            try need(padding)
            try reader.skip(padding)
            if let found { return .cname(ssrc: ssrc, found) }
        }
        return nil
    }

    @_lifetime(self: copy self)
    private mutating func bye() throws(ParseError) -> RTCPItem? {
        guard left > 0 else { return nil }
        try need(4)
        left -= 1
        return .bye(ssrc: try reader.read(UInt32.self))
    }
}

// MARK: - Feedback (RFC 4585, RFC 5104) and extended reports (RFC 3611)

extension RTCPReader {
    @_lifetime(self: copy self)
    private mutating func transportFeedback() throws(ParseError) -> RTCPItem? {
        if format == 1, end - reader.offset >= 4 {
            let nack = RTCPNack(
                first: try reader.read(UInt16.self), mask: try reader.read(UInt16.self))
            return .nack(media: media, nack)
        }
        guard format == 15, reader.offset < end else { return nil }
        let body = reader.offset..<end
        try reader.skip(body.count)
        return .transportFeedback(body)
    }

    @_lifetime(self: copy self)
    private mutating func payloadFeedback() throws(ParseError) -> RTCPItem? {
        switch format {
        case 1:
            format = 0  // Said once.
            return .pictureLoss(media: media)
        case 4:
            guard end - reader.offset >= 8 else { return nil }
            let about = try reader.read(UInt32.self)
            let sequence = try reader.read(UInt8.self)
            try reader.skip(3)
            return .fullIntra(media: about, sequence: sequence)
        case 15: return try remb()
        default: return nil
        }
    }

    /// "REMB", a count, a 6-bit exponent with an 18-bit mantissa, and SSRCs.
    @_lifetime(self: copy self)
    private mutating func remb() throws(ParseError) -> RTCPItem? {
        format = 0
        guard end - reader.offset >= 8 else { return nil }
        guard try reader.read(UInt32.self) == 0x5245_4d42 else { return nil }
        let count = Int(try reader.read(UInt8.self))
        let packed = UInt64(try reader.readUInt24())
        try need(4 * count)
        // 18 bits moved by up to 63 do not fit: such an estimate means "no limit".
        let (mantissa, exponent) = (packed & 0x3_ffff, packed >> 18)
        let fits = mantissa == 0 || exponent <= UInt64(mantissa.leadingZeroBitCount)
        return .remb(bitsPerSecond: fits ? mantissa << exponent : .max)
    }

    /// Blocks of a type, a length and a body; each moves on by its header at least.
    @_lifetime(self: copy self)
    private mutating func extendedBlock() throws(ParseError) -> RTCPItem? {
        while true {
            if left > 0 {
                left -= 1
                return .receiverDelay(
                    ssrc: try reader.read(UInt32.self), lastReport: try reader.read(UInt32.self),
                    delay: try reader.read(UInt32.self))
            }
            guard end - reader.offset >= 4 else { return nil }
            let type = try reader.read(UInt8.self)
            try reader.skip(1)
            let count = 4 * Int(try reader.read(UInt16.self))
            try need(count)
            switch type {
            case 4 where count >= 8:
                let time = NTPTime(bits: try reader.read(UInt64.self))
                try reader.skip(count - 8)
                return .referenceTime(ssrc: ssrc, time)
            case 5:
                left = count / 12
                guard count % 12 == 0 else {
                    throw .invalid("DLRR length", value: UInt64(count), at: reader.offset)
                }
            default: try reader.skip(count)
            }
        }
    }
}
