package import Stream
package import Wire

/// A call of ours as the configuration writes it:
///
///     srt://HOST:PORT?streamid=ID&passphrase=WORDS&latency=200&pbkeylen=16
///     srt://HOST:PORT/APP/STREAM            the id is made of the path
package struct SRTCallURL: Equatable, Sendable {
    package var streamID = ""
    package var passphrase = ""
    package var latency: Interval?
    package var keyLength: Int?

    /// What is wrong with it, in words.
    package struct Fault: Error, Equatable, Sendable { package var words: String }

    private static let latencies = Interval.milliseconds(20)...Interval.seconds(8)

    package init(_ url: LinkURL, _ purpose: LinkPurpose) throws(Fault) {
        let parts = url.path.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        if parts.count > 1 {
            for pair in parts[1].split(separator: "&") {
                let words = pair.split(
                    separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                if words.count == 2 { try note(words[0], Self.decoded(words[1])) }
            }
        }
        if streamID.isEmpty, !url.segments.isEmpty {
            let mode = purpose == .pull ? "request" : "publish"
            streamID = "#!::r=\(url.segments.joined(separator: "/")),m=\(mode)"
            if !url.password.isEmpty { streamID += ",u=\(url.user),s=\(url.password)" }
        }
        guard streamID.utf8.count <= 512 else {
            throw Fault(words: "streamid= is longer than the 512 bytes that SRT has for it")
        }
    }

    private mutating func note(_ key: Substring, _ value: String) throws(Fault) {
        switch key {
        case "streamid": streamID = value
        case "passphrase":
            guard (10...79).contains(value.utf8.count) else {
                throw Fault(words: "passphrase= needs 10 to 79 bytes")
            }
            passphrase = value
        case "latency":
            guard let count = Int64(value), Self.latencies.contains(.milliseconds(count)) else {
                throw Fault(
                    words: "latency= is in milliseconds here, from 20 to 8000 (FFmpeg's URLs "
                        + "have microseconds)")
            }
            latency = .milliseconds(count)
        case "pbkeylen":
            guard let count = Int(value), [16, 24, 32].contains(count) else {
                throw Fault(words: "pbkeylen= is 16, 24 or 32")
            }
            keyLength = count
        case "mode" where value != "caller":
            throw Fault(
                words:
                    "mode=\(value.prefix(16)): only mode=caller calls; callers come to srt.listen")
        default: break
        }
    }

    private static func decoded(_ text: Substring) -> String {
        let bytes = Array(text.utf8)
        let decoded = try? PercentCoding.decode(bytes.raw, 0..<bytes.count)
        return decoded.map { String(decoding: $0, as: UTF8.self) } ?? String(text)
    }
}
