/// Text that a peer chose (a name, a user agent, a reason) on its way into a log line, a metric, a
/// JSON string, a page or a header. There is no other way there: each place has its own escaping,
/// and this type knows them all.
///
/// Cut to a bound, because the peer also chose the length. Control characters and the marks that
/// turn the direction of text never arrive as such.
public struct LabelText: Hashable, Sendable, CustomStringConvertible {
    public enum Place: Sendable {
        /// A value behind `key=`; quoted when it holds a space.
        case log
        /// A label value of the Prometheus text format, without its quotes.
        case metric
        /// The inside of a JSON string.
        case json
        /// Text or a quoted attribute value of a page.
        case html
        /// The value of a header: what may not stand there is percent-encoded.
        case header
    }

    /// Long enough for any stream name a person reads, short enough for a line.
    public static let bytesMaximum = 256

    private let text: String

    /// - Parameter limit: In bytes; a longer text ends in `…`.
    public init(_ text: some StringProtocol, limit: Int = LabelText.bytesMaximum) {
        guard text.utf8.count > limit else {
            self.text = String(text)
            return
        }
        var kept = ""
        var count = 0
        for scalar in text.unicodeScalars {
            count += UTF8.width(scalar)
            if count > limit { break }
            kept.unicodeScalars.append(scalar)
        }
        self.text = kept + "…"
    }

    /// The form of a log line, so that an interpolated value is safe without a thought.
    public var description: String { text(for: .log) }

    public func text(for place: Place) -> String {
        var bytes: [UInt8] = []
        write(for: place, into: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    public func write(for place: Place, into bytes: inout [UInt8]) {
        let isQuoted = place == .log && (text.isEmpty || text.utf8.contains(where: Self.splits))
        if isQuoted { bytes.append(0x22) }
        for scalar in text.unicodeScalars {
            switch place {
            case .log, .json: Self.writeBackslashed(scalar, into: &bytes)
            case .metric: Self.writeMetric(scalar, into: &bytes)
            case .html: Self.writeHTML(scalar, into: &bytes)
            case .header: Self.writeHeader(scalar, into: &bytes)
            }
        }
        if isQuoted { bytes.append(0x22) }
    }

    private static func splits(_ byte: UInt8) -> Bool {
        byte == ASCII.space || byte == 0x3d || byte == 0x22 || byte == 0x5c
    }

    /// Control characters of both ranges, line and paragraph separators, and what changes the
    /// direction of writing: a name must not be able to rewrite the line that it stands in.
    static func isTreacherous(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x7f..<0xa0: true
        case 0x61c, 0x200b...0x200f, 0x2028...0x202e, 0x2060...0x206f, 0xfeff: true
        case 0xe0000...0xe007f: true
        default: false
        }
    }

    /// JSON's escapes (RFC 8259 §7), which a log line shares.
    private static func writeBackslashed(_ scalar: Unicode.Scalar, into bytes: inout [UInt8]) {
        switch scalar {
        case "\"", "\\": bytes.append(contentsOf: [0x5c, UInt8(scalar.value)])
        case "\n": bytes.append(contentsOf: [0x5c, 0x6e])
        case "\r": bytes.append(contentsOf: [0x5c, 0x72])
        case "\t": bytes.append(contentsOf: [0x5c, 0x74])
        case _ where isTreacherous(scalar):
            for unit in String(scalar).utf16 {
                bytes.append(contentsOf: [0x5c, 0x75])
                for shift: UInt16 in [12, 8, 4, 0] {
                    bytes.append(Hex.digit(UInt8(unit >> shift & 15)))
                }
            }
        default: append(scalar, to: &bytes)
        }
    }

    /// Three escapes exist in the text format, and no more: the rest becomes U+FFFD.
    private static func writeMetric(_ scalar: Unicode.Scalar, into bytes: inout [UInt8]) {
        switch scalar {
        case "\"", "\\": bytes.append(contentsOf: [0x5c, UInt8(scalar.value)])
        case "\n": bytes.append(contentsOf: [0x5c, 0x6e])
        default: append(isTreacherous(scalar) ? "\u{fffd}" : scalar, to: &bytes)
        }
    }

    private static func writeHTML(_ scalar: Unicode.Scalar, into bytes: inout [UInt8]) {
        switch scalar {
        case "&": bytes.append(contentsOf: "&amp;".utf8)
        case "<": bytes.append(contentsOf: "&lt;".utf8)
        case ">": bytes.append(contentsOf: "&gt;".utf8)
        case "\"": bytes.append(contentsOf: "&quot;".utf8)
        case "'": bytes.append(contentsOf: "&#39;".utf8)
        default: append(isTreacherous(scalar) ? "\u{fffd}" : scalar, to: &bytes)
        }
    }

    private static func writeHeader(_ scalar: Unicode.Scalar, into bytes: inout [UInt8]) {
        for byte in String(scalar).utf8 {
            if byte > 0x7e || byte < 0x20 {
                PercentCoding.append(byte, to: &bytes)
            } else {
                bytes.append(byte)
            }
        }
    }

    /// A string of one scalar is stored in place: no allocation.
    private static func append(_ scalar: Unicode.Scalar, to bytes: inout [UInt8]) {
        if scalar.isASCII {
            bytes.append(UInt8(scalar.value))
        } else {
            bytes.append(contentsOf: String(scalar).utf8)
        }
    }
}
