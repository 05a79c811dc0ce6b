package import Wire

/// AVCDecoderConfigurationRecord (ISO/IEC 14496-15 §5.3.3.1): `avcC` of MP4, the sequence header of
/// FLV and RTMP.
package struct AVCConfiguration: Equatable, Sendable {
    /// Bytes of the length before each NAL unit: 1, 2 or 4.
    package var lengthSize = 4
    /// Both may be empty: some publishers send their sets in-band and an empty record.
    package var sequenceSets: [[UInt8]] = []
    package var pictureSets: [[UInt8]] = []

    package init(sequenceSets: [[UInt8]], pictureSets: [[UInt8]]) {
        self.sequenceSets = sequenceSets
        self.pictureSets = pictureSets
    }

    package init(_ record: RawSpan) throws(ParseError) {
        var reader = ByteReader(record)
        let version = try reader.read(UInt8.self)
        guard version == 1 else {
            throw .invalid("avcC version", value: UInt64(version), at: 0)
        }
        try reader.skip(3)  // Profile, constraints and level: repeated from the first set.
        lengthSize = 1 + Int(try reader.read(UInt8.self) & 3)
        guard lengthSize != 3 else { throw .invalid("avcC length size", value: 3, at: 4) }
        let count = Int(try reader.read(UInt8.self) & 31)
        sequenceSets = try Self.readSets(&reader, count)
        pictureSets = try Self.readSets(&reader, Int(try reader.read(UInt8.self)))
        // What follows for the high profiles repeats the sequence set, and is often missing.
    }

    private static func readSets(
        _ reader: inout ByteReader, _ count: Int
    ) throws(ParseError) -> [[UInt8]] {
        var sets: [[UInt8]] = []
        for _ in 0..<count {
            let set = try reader.read(count: Int(try reader.read(UInt16.self)))
            guard set.byteCount <= RawBytePayload.countMaximum else {
                throw .tooMuch("parameter set bytes", limit: RawBytePayload.countMaximum)
            }
            // Annex B start codes inside the record, as some encoders leave them.
            ParameterSetText.appendUnits(of: set, to: &sets)
        }
        return sets
    }

    /// - Precondition: There is a sequence set: a record is made of sets that were parsed before.
    package func write(into out: inout [UInt8]) {
        guard let first = sequenceSets.first, first.count >= 4 else {
            preconditionFailure("an avcC needs a sequence parameter set")
        }
        out.append(contentsOf: [1, first[1], first[2], first[3], 0xfc | UInt8(lengthSize - 1)])
        let sequences = sequenceSets.prefix(31)
        let pictures = pictureSets.prefix(255)
        out.append(0xe0 | UInt8(sequences.count))
        for set in sequences { Self.append(set, to: &out) }
        out.append(UInt8(pictures.count))
        for set in pictures { Self.append(set, to: &out) }
        // Only these four profiles have the tail, though more carry a chroma format (§5.3.3.1.2).
        guard first[1] == 100 || first[1] == 110 || first[1] == 122 || first[1] == 144,
            let sequence = try? H264SequenceParameterSet(first.raw)
        else { return }
        out.append(0xfc | UInt8(sequence.chromaFormat))
        out.append(0xf8 | UInt8(sequence.bitDepthLuma - 8))
        out.append(0xf8 | UInt8(sequence.bitDepthChroma - 8))
        out.append(0)  // No extension sets: they are for auxiliary pictures (alpha).
    }

    static func append(_ set: [UInt8], to out: inout [UInt8]) {
        out.append(UInt8(truncatingIfNeeded: set.count >> 8))
        out.append(UInt8(truncatingIfNeeded: set.count))
        out.append(contentsOf: set)
    }
}
