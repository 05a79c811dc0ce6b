package import Wire

/// AV1CodecConfigurationRecord (AV1 in ISO-BMFF §2.3): `av1C`, also the sequence start of Enhanced
/// RTMP. Four bytes, then the sequence header unit.
package struct AV1Configuration: Equatable, Sendable {
    /// The whole unit, with header and size; empty if the record leaves it to the stream.
    package var sequenceHeader: [UInt8]

    package init(sequenceHeader: [UInt8]) { self.sequenceHeader = sequenceHeader }

    package init(_ record: RawSpan) throws(ParseError) {
        var reader = ByteReader(record)
        let first = try reader.read(UInt8.self)
        guard first == 0x81 else { throw .invalid("av1C version", value: UInt64(first), at: 0) }
        try reader.skip(3)
        sequenceHeader = []
        let rest = reader.rest
        var units = AV1Units(rest)
        while let unit = try units.next() {
            guard unit.role == .sequenceHeader, sequenceHeader.isEmpty else { continue }
            guard unit.payload.count <= RawBytePayload.countMaximum else {
                throw .tooMuch("parameter set bytes", limit: RawBytePayload.countMaximum)
            }
            sequenceHeader = AV1TemporalUnit.whole(unit, of: rest)
        }
    }

    /// - Precondition: The sequence header can be read: it was parsed when it came.
    package func write(into out: inout [UInt8]) {
        guard let header = AV1TemporalUnit.sequenceHeader(in: sequenceHeader.raw) else {
            preconditionFailure("an av1C needs a sequence header")
        }
        out.append(0x81)
        out.append(header.profile << 5 | header.level)
        var third: UInt8 = header.isHighTier ? 0x80 : 0
        if header.bitDepth > 8 { third |= 0x40 }
        if header.bitDepth > 10 { third |= 0x20 }
        if header.isMonochrome { third |= 0x10 }
        if header.subsamplesWidth { third |= 8 }
        if header.subsamplesHeight { third |= 4 }
        out.append(third | header.chromaPosition)
        out.append(0)  // No presentation delay is promised.
        out.append(contentsOf: sequenceHeader)
    }
}
