package import Wire

/// Walks the extensions of a header, in either form of RFC 8285, without copying.
package struct RTPExtensionReader: ~Escapable {
    private var reader: ByteReader
    private let twoByte: Bool

    package struct Element: Equatable, Sendable {
        package var id: UInt8
        /// Offsets into the bytes that were given.
        package var value: Range<Int>
    }

    /// Another profile than those of RFC 8285 (ONVIF's replay time, 0xabac) has no elements.
    @_lifetime(copy bytes)
    package init(profile: UInt16, _ bytes: RawSpan) {
        twoByte = profile & 0xfff0 == 0x1000
        let isKnown = twoByte || profile == 0xbede
        reader = ByteReader(isKnown ? bytes : bytes.extracting(0..<0))
    }

    @_lifetime(self: copy self)
    package mutating func next() throws(ParseError) -> Element? {
        while reader.remaining > 0 {
            let first = try reader.read(UInt8.self)
            if first == 0 { continue }  // Padding, anywhere.
            if twoByte { return try element(first, count: Int(try reader.read(UInt8.self))) }
            // §4.2: 15 is reserved and ends the processing of this header.
            if first >> 4 == 15 { return nil }
            return try element(first >> 4, count: Int(first & 15) + 1)
        }
        return nil
    }

    @_lifetime(self: copy self)
    private mutating func element(_ id: UInt8, count: Int) throws(ParseError) -> Element {
        let start = reader.offset
        try reader.skip(count)
        return Element(id: id, value: start..<start + count)
    }
}

/// The extensions of one packet that the gateway acts upon, read in one pass.
package struct RTPExtensions: Equatable, Sendable {
    package var mid: RTPLabel?
    package var rid: RTPLabel?
    package var repairedRID: RTPLabel?
    /// One counter over all packets of a transport: congestion feedback names these.
    package var transportSequence: UInt16?
    /// 6.18 fixed-point seconds, wrapping each 64 s.
    package var absoluteSendTime: UInt32?
    /// NTP 32.32 of when the frame was taken, by the sender's clock.
    package var absoluteCaptureTime: UInt64?
    /// Below full scale, in dB: 0 is the loudest, 127 silence.
    package var audioLevel: UInt8?
    /// 0000CFRR (3GPP TS 26.114): camera, flip, rotation.
    package var videoOrientation: UInt8?
    /// Minimum and maximum in units of 10 ms, 12 bits each.
    package var playoutDelay: UInt32?
    /// Offsets into the datagram.
    package var dependencyDescriptor: Range<Int>?
    package var colorSpace: Range<Int>?

    package init() {}

    /// An extension of a length that its definition does not know is passed over; one that reaches
    /// outside of the block makes the packet invalid.
    package init(
        _ header: RTPHeader, of datagram: RawSpan, by map: ExtensionMap
    ) throws(ParseError) {
        guard !header.extensions.isEmpty else { return }
        let block = datagram.extracting(header.extensions)
        var reader = RTPExtensionReader(profile: header.extensionProfile, block)
        while let element = try reader.next() {
            guard let kind = map.kind(of: element.id) else { continue }
            let start = header.extensions.lowerBound
            take(kind, block.extracting(element.value), at: start + element.value.lowerBound)
        }
    }

    private mutating func take(_ kind: RTPExtension, _ value: RawSpan, at offset: Int) {
        let count = value.byteCount
        switch kind {
        case .mid: mid = RTPLabel(value)
        case .rid: rid = RTPLabel(value)
        case .repairedRID: repairedRID = RTPLabel(value)
        case .transportSequence where count >= 2:
            transportSequence = UInt16(truncatingIfNeeded: Self.number(value, 2))
        case .absoluteSendTime where count == 3:
            absoluteSendTime = UInt32(truncatingIfNeeded: Self.number(value, 3))
        case .absoluteCaptureTime where count == 8 || count == 16:
            absoluteCaptureTime = Self.number(value, 8)
        case .audioLevel where count == 1: audioLevel = value.byte(at: 0) & 0x7f
        case .videoOrientation where count == 1: videoOrientation = value.byte(at: 0) & 0x0f
        case .playoutDelay where count == 3:
            playoutDelay = UInt32(truncatingIfNeeded: Self.number(value, 3))
        case .dependencyDescriptor: dependencyDescriptor = offset..<offset + count
        case .colorSpace: colorSpace = offset..<offset + count
        case .transportSequence, .absoluteSendTime, .absoluteCaptureTime, .audioLevel,
            .videoOrientation, .playoutDelay, .videoLayersAllocation:
            break
        }
    }

    private static func number(_ value: RawSpan, _ count: Int) -> UInt64 {
        var number: UInt64 = 0
        for index in 0..<count { number = number << 8 | UInt64(value.byte(at: index)) }
        return number
    }
}
