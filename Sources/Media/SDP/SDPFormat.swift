package import Media

/// A payload type of an RTP m-line: its `rtpmap`, `fmtp` and `rtcp-fb` lines together.
package struct SDPFormat: Equatable, Sendable {
    package var payloadType: UInt8
    /// As written: clients differ in case (`H264`, `h264`, `opus`, `OPUS`). Empty: no rtpmap line.
    package var encoding: String
    package var clockRate: Int32
    package var channels: Int32?
    package var parameters: [SDPParameter] = []
    package var feedback: [String] = []

    package init(payloadType: UInt8, encoding: String, clockRate: Int32, channels: Int32? = nil) {
        self.payloadType = payloadType
        self.encoding = encoding
        self.clockRate = clockRate
        self.channels = channels
    }

    /// A payload type without rtpmap line: the fixed ones of RFC 3551 §6 mean something.
    package init(payloadType: UInt8) {
        let fixed = Self.fixed(payloadType)
        self.init(
            payloadType: payloadType, encoding: fixed?.encoding ?? "",
            clockRate: fixed?.clockRate ?? 0, channels: fixed?.channels)
    }

    /// The value of a format parameter; names are compared without case (RFC 8866 leaves it to the
    /// format, and no format has two that differ by it).
    package func parameter(_ name: String) -> String? {
        let wanted = name.lowercased()
        return parameters.first { $0.name.lowercased() == wanted }?.value
    }

    package var codec: Codec? { Self.codecs[encoding.uppercased()] }

    /// The payload type whose lost packets this one repeats (RFC 4588 §8.6).
    package var repairs: UInt8? {
        guard encoding.uppercased() == "RTX" else { return nil }
        return parameter("apt").flatMap { UInt8($0) }
    }

    private static let codecs: [String: Codec] = [
        "H264": .h264, "H265": .h265, "HEVC": .h265, "AV1": .av1, "AV1X": .av1, "VP8": .vp8,
        "VP9": .vp9, "JPEG": .mjpeg, "MP4V-ES": .mpeg4Visual, "OPUS": .opus,
        "MPEG4-GENERIC": .aac, "MP4A-LATM": .aac, "PCMA": .pcma, "PCMU": .pcmu, "G722": .g722,
        "G726-16": .g726, "G726-24": .g726, "G726-32": .g726, "G726-40": .g726, "MPA": .mp2,
        "AC3": .ac3, "EAC3": .eac3, "L16": .l16, "SPEEX": .speex,
    ]

    private static func fixed(
        _ payloadType: UInt8
    ) -> (encoding: String, clockRate: Int32, channels: Int32?)? {
        switch payloadType {
        case 0: ("PCMU", 8000, 1)
        case 8: ("PCMA", 8000, 1)
        case 9: ("G722", 8000, 1)
        case 10: ("L16", 44100, 2)
        case 11: ("L16", 44100, 1)
        case 14: ("MPA", 90000, nil)
        case 26: ("JPEG", 90000, nil)
        case 33: ("MP2T", 90000, nil)
        default: nil
        }
    }
}

/// One `name=value` of an fmtp line, or a bare word (`111/111` of RED, `0-16` of events).
package struct SDPParameter: Equatable, Sendable {
    package var name: String
    package var value: String?

    package init(_ name: String, _ value: String? = nil) {
        self.name = name
        self.value = value
    }
}
