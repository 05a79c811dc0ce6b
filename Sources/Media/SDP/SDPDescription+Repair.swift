package import Wire

extension SDPDescription {
    /// A camera's or an encoder's description. As it is, if that can be read; else without what
    /// cannot: text before the first `v=`, control characters, m-lines that are none, with all that
    /// belongs to them.
    package init(repairing text: RawSpan) throws(ParseError) {
        do throws(ParseError) {
            self = try SDPParser.parse(text)
            return
        } catch {
            guard case .invalid = error else { throw error }
        }
        let repaired = Self.repair([UInt8](copying: text))
        self = try SDPParser.parse(repaired.raw)
    }

    private static func repair(_ text: [UInt8]) -> [UInt8] {
        let lines = text.split { $0 == 0x0a || $0 == 0x0d }.map { line in
            line.filter { $0 >= 0x20 || $0 == 0x09 }
        }
        let start = lines.firstIndex { $0.starts(with: Array("v=".utf8)) } ?? 0
        var kept: [UInt8] = []
        var isSkipping = false
        for line in lines[start...] {
            if line.starts(with: Array("m=".utf8)) { isSkipping = !isMedia(line) }
            if !isSkipping { kept += line + [0x0d, 0x0a] }
        }
        return kept
    }

    private static func isMedia(_ line: [UInt8]) -> Bool {
        let words = line.dropFirst(2).split(separator: 0x20)
        guard words.count >= 3 else { return false }
        let port = String(decoding: words[1], as: UTF8.self).split(separator: "/").first
        return port.flatMap { UInt16($0) } != nil
    }
}
