package import Media
import Wire

/// The `codecs` parameter of RFC 6381, by which players choose: HLS playlists, MIME types of MSE.
package enum CodecsText {
    /// `nil` for what has no name there, or too little is known.
    package static func text(for format: Format) -> String? {
        switch format.codec {
        case .h264: format.profile == 0 ? nil : "avc1." + hex(format.profile, digits: 6)
        case .h265: h265(format)
        case .av1: av1(format)
        case .vp8: "vp08.00.41.08"
        case .vp9: vp9(format)
        case .aac: "mp4a.40.\(format.profile == 0 ? 2 : format.profile)"
        case .mp3: "mp4a.40.34"
        case .mp2: "mp4a.40.33"
        case .opus: "opus"
        case .flac: "fLaC"
        case .ac3: "ac-3"
        case .eac3: "ec-3"
        case .mjpeg, .mpeg4Visual, .pcma, .pcmu, .g722, .g726, .l16, .speex, .data: nil
        }
    }

    /// ISO/IEC 14496-15 annex E: profile, reversed compatibility, tier and level, constraint bytes
    /// without trailing zeros.
    private static func h265(_ format: Format) -> String? {
        var sets = ParameterSets(.h265)
        sets.note(format.parameterSets)
        guard let active = sets.activeSequence,
            let set = try? H265SequenceParameterSet(active.raw)
        else { return nil }
        let profile = set.profile
        let space = ["", "A", "B", "C"][Int(profile.space & 3)]
        var reversed: UInt32 = 0
        for bit in 0..<32 where profile.compatibility >> bit & 1 == 1 {
            reversed |= 1 << (31 - bit)
        }
        var text = "hvc1.\(space)\(profile.profile).\(hex(reversed))."
        text += "\(profile.isHighTier ? "H" : "L")\(profile.level)"
        var bytes = [40, 32, 24, 16, 8, 0].map { UInt8(profile.constraints >> $0 & 0xff) }
        while bytes.last == 0 { bytes.removeLast() }
        for byte in bytes { text += "." + hex(UInt32(byte)) }
        return text
    }

    /// AV1 in ISO-BMFF §5: the optional part only when it says something.
    private static func av1(_ format: Format) -> String? {
        guard let unit = format.parameterSets.first,
            let header = AV1TemporalUnit.sequenceHeader(in: unit.raw)
        else { return nil }
        return "av01.\(header.profile).\(two(Int(header.level)))\(header.isHighTier ? "H" : "M")."
            + two(header.bitDepth)
    }

    private static func vp9(_ format: Format) -> String? {
        guard let record = try? VPConfiguration(format.configuration.raw) else { return nil }
        return "vp09.\(two(Int(record.profile))).\(record.level).\(two(record.bitDepth))"
    }

    private static func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }

    /// In lower case, as Apple's examples for avc1 and everybody's for hvc1 are compared without
    /// case.
    private static func hex(_ value: UInt32, digits: Int = 1) -> String {
        let text = String(value, radix: 16, uppercase: digits == 1)
        return String(repeating: "0", count: max(0, digits - text.count)) + text
    }
}
