/// The name of a stream, `live/cam1`: one grammar for every protocol, so that a name that passes
/// here is harmless in a path, a file name, a label and a log line.
///
/// Segments of `A-Z a-z 0-9 _ . ~ -`, none of them `.` nor with `..` inside, joined by `/`. The
/// first segment is the application; a name of one segment belongs to `live`.
public struct StreamName: Hashable, Sendable, CustomStringConvertible {
    public static let segmentBytes = 128
    /// Nobody nests deeper, and a recording's path stays far below what a file system allows.
    public static let segments = 8
    public static let defaultApp = "live"
    /// The first path segments that the gateway's own pages and interfaces take.
    public static let reservedApps: Set<String> = [
        "api", "whip", "whep", "play", "publish", "rtc", "index", "v3", "hls", "metrics",
        "healthz", "session",
    ]

    /// `app/stream`, never shorter.
    public let description: String

    public init(_ text: some StringProtocol) throws(ParseError) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count <= Self.segments else {
            throw .tooMuch("stream name segments", limit: Self.segments)
        }
        var offset = 0
        for part in parts {
            try Self.check(Array(part.utf8), at: offset)
            offset += part.utf8.count + 1
        }
        let name = parts.count == 1 ? "\(Self.defaultApp)/\(text)" : String(text)
        let app = name.prefix { $0 != "/" }
        guard !Self.reservedApps.contains(String(app)) else {
            throw .invalid("reserved app name", value: UInt64(app.utf8.count), at: 0)
        }
        description = name
    }

    public init(app: some StringProtocol, stream: some StringProtocol) throws(ParseError) {
        try self.init("\(app)/\(stream)")
    }

    public var app: Substring { description.prefix { $0 != "/" } }
    /// All behind the application: one segment or more.
    public var stream: Substring { description[description.index(after: app.endIndex)...] }

    private static func check(_ segment: [UInt8], at offset: Int) throws(ParseError) {
        guard segment.count <= segmentBytes else {
            throw .tooMuch("stream name segment", limit: segmentBytes)
        }
        guard !segment.isEmpty, segment != [0x2e] else {
            throw .invalid("stream name segment", value: UInt64(segment.count), at: offset)
        }
        for (index, byte) in segment.enumerated() {
            let repeatsDot = byte == 0x2e && index > 0 && segment[index - 1] == 0x2e
            guard PercentCoding.isUnreserved(byte), !repeatsDot else {
                throw .invalid("stream name", value: UInt64(byte), at: offset + index)
            }
        }
    }
}
