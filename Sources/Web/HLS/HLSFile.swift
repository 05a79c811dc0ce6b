/// The names of what a playlist lists, beside it in one folder: `s12.m4s`, `p12.3.m4s`, `i1.mp4`.
package enum HLSFile: Equatable, Sendable {
    case multivariant
    case playlist(HLSRules.Container)
    case header(Int)
    case segment(Int64, HLSRules.Container)
    case part(Int64, Int, HLSRules.Container)

    package static let folder = "hls"

    package var name: String {
        switch self {
        case .multivariant: "index.m3u8"
        case .playlist(.fmp4): "main.m3u8"
        case .playlist(.mpegTS): "ts.m3u8"
        case .header(let number): "i\(number).mp4"
        case .segment(let number, let container): "s\(number).\(Self.suffix(container))"
        case .part(let number, let part, let container):
            "p\(number).\(part).\(Self.suffix(container))"
        }
    }

    /// - Parameter name: A file in the folder.
    package init?(_ name: Substring) {
        let words = name.split(separator: ".", omittingEmptySubsequences: false)
        guard let first = words.first, let suffix = words.last else { return nil }
        switch (first.first, suffix, words.count) {
        case ("m", "m3u8", 2) where first == "main": self = .playlist(.fmp4)
        case ("t", "m3u8", 2) where first == "ts": self = .playlist(.mpegTS)
        case ("i", "mp4", 2):
            guard let number = Self.number(first.dropFirst()) else { return nil }
            self = .header(Int(number))
        case ("s", _, 2):
            guard let container = Self.container(suffix),
                let number = Self.number(first.dropFirst())
            else { return nil }
            self = .segment(number, container)
        case ("p", _, 3):
            guard let container = Self.container(suffix),
                let number = Self.number(first.dropFirst()), let part = Self.number(words[1])
            else { return nil }
            self = .part(number, Int(part), container)
        default: return nil
        }
    }

    /// Suffixes that ffmpeg's list of allowed extensions has.
    private static func suffix(_ container: HLSRules.Container) -> String {
        container == .fmp4 ? "m4s" : "ts"
    }

    private static func container(_ suffix: Substring) -> HLSRules.Container? {
        switch suffix {
        case "m4s": .fmp4
        case "ts": .mpegTS
        default: nil
        }
    }

    /// Digits only, without a sign: one name for one thing, also in caches.
    private static func number(_ text: Substring) -> Int64? {
        guard !text.isEmpty, text.utf8.count <= 15, text == "0" || text.first != "0",
            text.utf8.allSatisfy({ (0x30...0x39).contains($0) })
        else { return nil }
        return Int64(text)
    }
}
