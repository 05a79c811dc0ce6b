package import Wire

/// HEVCDecoderConfigurationRecord (ISO/IEC 14496-15 §8.3.3.1): `hvcC` of MP4, the sequence header
/// of Enhanced RTMP and of the older codec id 12.
package struct HEVCConfiguration: Equatable, Sendable {
    package var lengthSize = 4
    package var videoSets: [[UInt8]] = []
    package var sequenceSets: [[UInt8]] = []
    package var pictureSets: [[UInt8]] = []

    package init(videoSets: [[UInt8]], sequenceSets: [[UInt8]], pictureSets: [[UInt8]]) {
        self.videoSets = videoSets
        self.sequenceSets = sequenceSets
        self.pictureSets = pictureSets
    }

    package init(_ record: RawSpan) throws(ParseError) {
        var reader = ByteReader(record)
        let version = try reader.read(UInt8.self)
        // Version 0 is what older encoders wrote while the format was a draft; the rest is equal.
        guard version <= 1 else { throw .invalid("hvcC version", value: UInt64(version), at: 0) }
        // 12 bytes of profile, then segmentation, parallelism, chroma, depths and frame rate: all
        // but the length size follow from the sequence set.
        try reader.skip(20)
        lengthSize = 1 + Int(try reader.read(UInt8.self) & 3)
        guard lengthSize != 3 else { throw .invalid("hvcC length size", value: 3, at: 21) }
        for _ in 0..<(try reader.read(UInt8.self)) {
            let type = try reader.read(UInt8.self) & 63
            for _ in 0..<(try reader.read(UInt16.self)) {
                let set = try reader.read(count: Int(try reader.read(UInt16.self)))
                try note(set, type: type)
            }
        }
    }

    private mutating func note(_ set: RawSpan, type: UInt8) throws(ParseError) {
        guard set.byteCount <= RawBytePayload.countMaximum else {
            throw .tooMuch("parameter set bytes", limit: RawBytePayload.countMaximum)
        }
        switch type {
        case 32: ParameterSetText.appendUnits(of: set, to: &videoSets)
        case 33: ParameterSetText.appendUnits(of: set, to: &sequenceSets)
        case 34: ParameterSetText.appendUnits(of: set, to: &pictureSets)
        default: break  // Supplemental information for the whole stream: nobody here reads it.
        }
    }

    /// - Precondition: There is a sequence set that can be read.
    package func write(into out: inout [UInt8]) {
        guard let first = sequenceSets.first,
            let sequence = try? H265SequenceParameterSet(first.raw)
        else { preconditionFailure("an hvcC needs a sequence parameter set") }
        out.append(1)
        sequence.profile.append(to: &out)
        // Spatial segmentation and parallelism: 0, unknown. Frame rates: 0, unspecified.
        out.append(contentsOf: [0xf0, 0, 0xfc, 0xfc | UInt8(sequence.chromaFormat)])
        out.append(0xf8 | UInt8(min(sequence.bitDepthLuma - 8, 7)))
        out.append(0xf8 | UInt8(min(sequence.bitDepthChroma - 8, 7)))
        out.append(contentsOf: [0, 0])
        let layers = UInt8(sequence.subLayers) << 3 | (sequence.temporalIDNested ? 4 : 0)
        out.append(layers | UInt8(lengthSize - 1))
        let arrays: [(type: UInt8, sets: [[UInt8]])] = [
            (32, videoSets), (33, sequenceSets), (34, pictureSets),
        ]
        let present = arrays.filter { !$0.sets.isEmpty }
        out.append(UInt8(present.count))
        for (type, sets) in present {
            // array_completeness: `hvc1` promises that no set comes in-band (§8.4.3).
            out.append(0x80 | type)
            out.append(0)
            out.append(UInt8(min(sets.count, 255)))
            for set in sets.prefix(255) { AVCConfiguration.append(set, to: &out) }
        }
    }
}
