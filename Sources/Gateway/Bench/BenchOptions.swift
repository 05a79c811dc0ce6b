import Settings
package import Wire

/// What `gateway bench` was asked to do.
package struct BenchOptions: Equatable, Sendable {
    package enum Kind: String, CaseIterable, Sendable {
        /// Viewers.
        case whep, flv
        /// A publisher.
        case rtmp
    }

    package var kind = Kind.whep
    package var url: BenchURL
    package var viewers = 1
    /// Viewers that begin in a second; nil: all at once.
    package var ramp: Int?
    /// The time of playing, once all have joined.
    package var length = Interval.seconds(10)
    package var rounds = 1
    /// Each n-th viewer opens what it gets; the others count headers.
    package var checkEach = 1
    package var token: String?
    /// The server's process, whose processor time is wanted.
    package var pid: Int?
    package var printsJSON = false
    package var takesKernelTime = false
    /// Of a publisher's pictures.
    package var bitRate = 2_000_000
    package var frameRate = 30
    package var group = 60

    /// More than a host has ports for.
    static let viewersMaximum = 50_000

    /// - Parameter words: What stands behind `bench`.
    package init(_ words: [String]) throws(UsageError) {
        guard let name = words.first, !name.hasPrefix("-") else {
            throw UsageError(description: "bench needs to know what: try 'gateway help bench'")
        }
        guard let kind = Kind(rawValue: name) else {
            let near = NearestName.find(name, in: Kind.allCases.map(\.rawValue))
            let hint = near.map { "did you mean '\($0)'?" } ?? "try 'gateway help bench'"
            throw UsageError(description: "no such bench: \(name): \(hint)")
        }
        var reader = BenchWords(words.dropFirst())
        try reader.read()
        guard let url = reader.values["--url"] else {
            throw UsageError(
                description:
                    "--url is missing: gateway bench \(name) --url \(kind.scheme)://HOST/PATH")
        }
        self.kind = kind
        self.url = try BenchURL(url, scheme: kind.scheme, port: kind.port)
        viewers = try reader.number("--viewers", 1...Self.viewersMaximum) ?? viewers
        ramp = try reader.number("--ramp", 1...100_000)
        length = .seconds(Int64(try reader.number("--seconds", 0...86_400) ?? 10))
        rounds = try reader.number("--rounds", 1...10_000) ?? rounds
        checkEach = try reader.share("--check") ?? checkEach
        pid = try reader.number("--pid", 1...(1 << 22))
        token = reader.values["--token"]
        printsJSON = reader.flags.contains("--json")
        bitRate = (try reader.number("--kbps", 16...1_000_000)).map { $0 * 1000 } ?? bitRate
        frameRate = try reader.number("--fps", 1...240) ?? frameRate
        group = try reader.number("--gop", 1...10_000) ?? group
        takesKernelTime = reader.flags.contains("--kernel-time")
    }
}

extension BenchOptions.Kind {
    var scheme: String { self == .rtmp ? "rtmp" : "http" }
    /// What is counted: for FLV the tags that were read, and the reads of those who do not check.
    var unit: String { self == .flv ? "tags" : "packets" }
    var port: UInt16 { self == .rtmp ? 1935 : 80 }
}

/// Options with values and without, as they stand on the command line.
struct BenchWords {
    static let withValue = [
        "--url", "--viewers", "--ramp", "--seconds", "--rounds", "--check", "--pid", "--token",
        "--kbps", "--fps", "--gop",
    ]
    static let alone = ["--json", "--kernel-time"]

    private var rest: ArraySlice<String>
    private(set) var values: [String: String] = [:]
    private(set) var flags: Set<String> = []

    init(_ words: ArraySlice<String>) { rest = words }

    mutating func read() throws(UsageError) {
        while let word = rest.popFirst() {
            let parts = word.split(
                separator: "=", maxSplits: 1, omittingEmptySubsequences: false
            ).map(String.init)
            if Self.alone.contains(word) {
                flags.insert(word)
            } else if Self.withValue.contains(parts[0]) {
                guard let value = parts.count == 2 ? parts[1] : rest.popFirst() else {
                    throw UsageError(
                        description: "\(word) needs a value: try 'gateway help bench'")
                }
                values[parts[0]] = value
            } else {
                let near = NearestName.find(parts[0], in: Self.withValue + Self.alone)
                let hint = near.map { "did you mean \($0)?" } ?? "try 'gateway help bench'"
                throw UsageError(description: "no such option: \(parts[0]): \(hint)")
            }
        }
    }

    /// `50`, and `50/s` where it is a rate.
    func number(_ name: String, _ range: ClosedRange<Int>) throws(UsageError) -> Int? {
        guard let text = values[name] else { return nil }
        let digits = text.hasSuffix("/s") ? String(text.dropLast(2)) : text
        guard let number = Int(digits), range.contains(number) else {
            throw UsageError(
                description:
                    "\(name) \(text): a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    /// `1/10` or `10`: each tenth.
    func share(_ name: String) throws(UsageError) -> Int? {
        guard let text = values[name] else { return nil }
        let digits = text.hasPrefix("1/") ? String(text.dropFirst(2)) : text
        guard let number = Int(digits), number > 0 else {
            throw UsageError(description: "\(name) \(text): a share like 1/10")
        }
        return number
    }
}
