import SDP

/// The classes of RFC 6184 §8.1 table 5: different numbers can name the same profile.
package enum H264Profile: UInt8, Sendable {
    case constrainedBaseline, baseline, main, constrainedHigh, high

    /// - Parameter profileLevelID: profile_idc, constraint flags and level_idc, a byte each.
    package init?(profileLevelID: UInt32) {
        let flags = UInt8(truncatingIfNeeded: profileLevelID >> 8)
        switch UInt8(truncatingIfNeeded: profileLevelID >> 16) {
        case 0x42: self = flags & 0x40 != 0 ? .constrainedBaseline : .baseline
        case 0x4d: self = flags & 0x80 != 0 ? .constrainedBaseline : .main
        case 0x58: self = flags & 0xc0 == 0xc0 ? .constrainedBaseline : .baseline
        case 0x64: self = flags & 0x0c == 0x0c ? .constrainedHigh : .high
        default: return nil
        }
    }

    /// From the text of an fmtp line. Absent means Baseline level 1 (§8.1). FFmpeg 8.0 prints the
    /// flag of constrained Baseline as 0x200, which makes seven digits.
    package init?(_ text: String?) {
        guard let text else {
            self = .baseline
            return
        }
        if text.utf8.count == 7, text.hasPrefix("422") {
            self = .constrainedBaseline
            return
        }
        guard text.utf8.count == 6, let number = UInt32(text, radix: 16) else { return nil }
        self.init(profileLevelID: number)
    }

    /// Which offered profile to answer for a stream of this one: itself, then what decodes more,
    /// then what decodes less, since many decoders do more than they say.
    var order: [H264Profile] {
        switch self {
        case .constrainedBaseline:
            [.constrainedBaseline, .baseline, .main, .constrainedHigh, .high]
        case .baseline: [.baseline, .constrainedBaseline, .main, .high, .constrainedHigh]
        case .main: [.main, .high, .constrainedHigh, .constrainedBaseline, .baseline]
        // Safari stays black when High is announced as 42e01f; it offers 640c1f.
        case .constrainedHigh:
            [.constrainedHigh, .high, .main, .constrainedBaseline, .baseline]
        case .high: [.high, .constrainedHigh, .main, .constrainedBaseline, .baseline]
        }
    }
}

extension SDPFormat {
    /// RFC 6184 §8.1: absent is 0.
    var packetizationMode: Int { parameter("packetization-mode").flatMap { Int($0) } ?? 0 }
}
