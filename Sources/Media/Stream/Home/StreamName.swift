/// Which names a stream may have: `app/stream`, more levels allowed, as URLs and files can carry
/// them. The only way a name from a peer becomes a name of ours.
package enum StreamName {
    /// Path, label, file name, SRT stream id: all carry 128 bytes.
    package static let lengthMaximum = 128
    package static let levelMaximum = 8

    /// First levels that are paths of the HTTP server: a stream there could not be reached.
    static let reservedApps: Set<String> = [
        "api", "whip", "whep", "play", "publish", "rtc", "index", "v3", "hls", "metrics",
        "healthz", "session",
    ]

    package static func check(_ name: String) throws(Refusal) {
        guard !name.isEmpty, name.utf8.count <= lengthMaximum else {
            throw Refusal(.badName, "a stream name has 1 to \(lengthMaximum) bytes")
        }
        guard name.utf8.allSatisfy(isAllowed) else {
            throw Refusal(.badName, "a stream name has letters, digits, - _ . ~ and / only")
        }
        let levels = name.split(separator: "/", omittingEmptySubsequences: false)
        guard levels.count <= levelMaximum else {
            throw Refusal(.badName, "a stream name has at most \(levelMaximum) levels")
        }
        // A level of dots only would climb in the file system and in URLs.
        guard levels.allSatisfy({ level in level.contains { $0 != "." } }) else {
            throw Refusal(.badName, "no level of a stream name is empty or only dots")
        }
        if let app = levels.first, reservedApps.contains(String(app)) {
            throw Refusal(.badName, "names under \(app)/ belong to the server itself")
        }
    }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"),
            UInt8(ascii: "."), UInt8(ascii: "~"), UInt8(ascii: "/"):
            true
        default: false
        }
    }
}
