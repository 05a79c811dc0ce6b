import Foundation
import Testing

/// The house rules that a compiler does not know. A rule that is not here is only a wish.
struct TidyTests {
    /// Who may import whom. Pure modules cannot reach a socket or a clock: they lack the import.
    static let imports: [String: Set<String>] = [
        "Wire": [],
        "Media/Model": ["Wire"],
        "Media/Codecs": ["Wire", "Media"],
        "Media/RTP": ["Wire", "Media", "Codecs"],
        "Media/SDP": ["Wire", "Media"],
        "Media/Stream": ["Wire", "Media", "Codecs", "RTP"],
        "Media/Containers": ["Wire", "Media", "Codecs", "Stream"],
        "Ingest/RTMP": ["Wire", "Media", "Codecs", "Stream", "Containers", "Crypto"],
        "Ingest/RTSP": ["Wire", "Media", "Codecs", "RTP", "SDP", "Stream", "Crypto"],
        "Ingest/GB28181": ["Wire", "Media", "RTP", "SDP", "Stream", "Containers", "Crypto"],
        "Crypto": ["Wire", "COpenSSL", "CCryptoShims", "CSRTP", "CIPSecMB"],
        "ICE": ["Wire", "Media", "Codecs", "RTP", "SDP", "Stream", "Crypto"],
        "SCTP": ["Wire", "CSCTPShims"],
        "SRTPort": ["Wire", "CSRTShims"],
        "Ingest/SRT": ["Wire", "Media", "Stream", "Containers"],
        "Web/HTTP": ["Wire"],
        "Web/WHIP": ["Wire", "HTTP"],
        "Web/Live": ["Wire", "Media", "Stream", "Containers", "HTTP"],
        "Web/HLS": ["Wire", "Media", "Codecs", "Stream", "Containers", "HTTP"],
        "Ingest/Demo": ["Wire", "Media", "Codecs", "Stream"],
        "Transcode": ["Wire", "Media", "Codecs", "COpus", "CTranscodeShims"],
        "Gateway/Config": ["Wire", "CYAML"],
        "System": ["Wire", "CLinux", "Glibc", "Synchronization"],
        "Gateway": [
            "Wire", "Media", "Codecs", "RTP", "SDP", "Stream", "Containers", "Crypto", "ICE",
            "SCTP", "HTTP", "WHIP", "Live", "HLS", "RTMP", "RTSP", "SRT", "SRTPort", "GB28181",
            "Demo", "Transcode", "System", "Settings", "CZlib", "Glibc", "Synchronization",
        ],
    ]

    /// The modules that only System and Gateway are not: told the time, the dice and the bytes.
    static let pure = Set(imports.keys).subtracting(["System", "Gateway"])

    struct SourceFile: CustomTestStringConvertible, Sendable {
        var module: String
        var path: String
        var lines: [Substring]
        var testDescription: String { path }
    }

    static let root = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    static let sources = swiftFiles(under: "Sources")
    static let tests = swiftFiles(under: "Tests") + swiftFiles(under: "bench")

    static func swiftFiles(under folder: String) -> [SourceFile] {
        let top = root.appending(path: folder)
        let all = FileManager.default.enumerator(atPath: top.path)
        let paths = all?.compactMap { $0 as? String }.filter { $0.hasSuffix(".swift") } ?? []
        return paths.sorted().map { path in
            let text = try? String(contentsOf: top.appending(path: path), encoding: .utf8)
            let lines = (text ?? "").split(separator: "\n", omittingEmptySubsequences: false)
            return SourceFile(module: module(of: path), path: "\(folder)/\(path)", lines: lines)
        }
    }

    /// The module whose folder holds the file: the longest known folder that begins its path.
    static func module(of path: String) -> String {
        let known = imports.keys.filter { path.hasPrefix($0 + "/") }
        return known.max { $0.count < $1.count } ?? String(path.prefix { $0 != "/" })
    }

    @Test func thereIsSomethingToCheck() { #expect(Self.sources.count > 10) }

    @Test func importsFollowTheGraph() {
        for file in Self.sources {
            let allowed = Self.imports[file.module]
            if allowed == nil {
                Issue.record("\(file.path): its module is not in the import graph")
            }
            for line in file.lines {
                let words = line.split(separator: " ")
                guard let at = words.firstIndex(of: "import"), at <= 1, at + 1 < words.count else {
                    continue
                }
                let name = String(words[at + 1])
                if allowed?.contains(name) != true {
                    Issue.record("\(file.path): \(file.module) may not import \(name)")
                }
            }
        }
    }

    @Test func linesFitTwoToAScreenAndFilesFitAHead() {
        for file in Self.sources + Self.tests {
            #expect(file.lines.count <= 501, "\(file.path) has \(file.lines.count) lines")
            for (index, line) in file.lines.enumerated() where line.count > 100 {
                Issue.record("\(file.path):\(index + 1): \(line.count) columns")
            }
        }
    }

    @Test func protocolCodeNeverAsksForTheTimeOrTheDice() {
        let ambient = [
            ".now", "Date()", "clock_gettime", "SystemRandomNumber", "ContinuousClock",
            "SuspendingClock", ".random(in:", "getenv", "DispatchTime",
        ]
        for file in Self.sources where Self.pure.contains(file.module) {
            for (index, line) in Self.code(file) {
                for word in ambient where line.contains(word) && !line.contains("using:") {
                    Issue.record("\(file.path):\(index): \(word) must be handed in")
                }
            }
        }
    }

    /// `!`, `try!` and `as!` are found by swift-format; these it does not know.
    @Test func nothingHidesFromTheCompiler() {
        for file in Self.sources {
            for (index, line) in Self.code(file) {
                for word in ["nonisolated(unsafe)", "@preconcurrency", "import Foundation"]
                where line.contains(word) {
                    Issue.record("\(file.path):\(index): \(word) has no place here")
                }
                let mayShare = file.path == "Sources/System/PacketRing.swift"
                if line.contains("@unchecked Sendable") && !mayShare {
                    Issue.record("\(file.path):\(index): only PacketRing shares raw memory")
                }
            }
        }
    }

    @Test func thereIsNoConcurrencyRuntime() {
        let words = ["async ", "await ", "Task {", "Task.detached", "DispatchQueue", " actor "]
        for file in Self.sources {
            for (index, line) in Self.code(file) {
                for word in words where line.contains(word) {
                    Issue.record("\(file.path):\(index): \(word): workers are threads of ours")
                }
            }
        }
    }

    /// A comment that says which test shows something: the test is there, under that name.
    @Test func testsThatCommentsNameExist() {
        for file in Self.sources + Self.tests {
            for (index, line) in file.lines.enumerated() where line.contains("//") {
                for name in line.matches(of: /\b([A-Z]\w*Tests)\.([a-z]\w*)/) {
                    let isThere = Self.tests.contains {
                        $0.path.hasSuffix("/\(name.1).swift")
                            && $0.lines.contains { $0.contains("func \(name.2)(") }
                    }
                    if !isThere {
                        Issue.record("\(file.path):\(index + 1): there is no \(name.0)")
                    }
                }
            }
        }
    }

    @Test func functionsFitAScreen() {
        for file in Self.sources + Self.tests {
            for function in Self.functions(of: file) where function.length > 60 {
                Issue.record("\(file.path):\(function.line): \(function.length) lines")
            }
        }
    }

    /// Lines that are not comments, with their numbers.
    static func code(_ file: SourceFile) -> [(Int, Substring)] {
        file.lines.enumerated().compactMap { index, line in
            line.drop { $0 == " " }.hasPrefix("//") ? nil : (index + 1, line)
        }
    }

    /// By indentation, which swift-format guarantees: from `func` or `init` to the brace below it.
    static func functions(of file: SourceFile) -> [(line: Int, length: Int)] {
        var found: [(Int, Int)] = []
        for (index, line) in file.lines.enumerated() {
            let indent = line.prefix { $0 == " " }
            let words = line.drop { $0 == " " }
            let head = words.prefix { $0 != "(" && $0 != "{" }
            let isInit = head.hasSuffix("init") && !head.hasSuffix(".init")
            guard head.contains("func ") || isInit, !words.hasPrefix("//") else { continue }
            let end = file.lines[index...].firstIndex { $0.hasPrefix(indent + "}") }
            if !line.hasSuffix("}"), let end { found.append((index + 1, end - index + 1)) }
        }
        return found
    }
}
