import Wire

/// How a line is written.
package enum LogFormat: Sendable {
    /// `2026-11-20T13:05:07.123Z INF webrtc session=ab12 stream=live/cam1 publishing`
    case text
    /// The same as one JSON object: `ts, level, module, …, msg`.
    case json

    /// One thing that is known, behind what is there.
    func append(_ key: String, _ value: LabelText, to bytes: inout [UInt8]) {
        switch self {
        case .text:
            bytes.append(UInt8(ascii: " "))
            bytes.append(contentsOf: key.utf8)
            bytes.append(UInt8(ascii: "="))
            value.write(for: .log, into: &bytes)
        case .json:
            bytes.append(contentsOf: ",\"".utf8)
            bytes.append(contentsOf: key.utf8)
            bytes.append(contentsOf: "\":\"".utf8)
            value.write(for: .json, into: &bytes)
            bytes.append(UInt8(ascii: "\""))
        }
    }
}

/// One line on its way out. The free text comes last, so that it cannot pass for a field.
struct LogLine {
    /// A line is for a person: what is longer is a dump in the wrong place.
    private static let longestText = 4096

    var level: Log.Level
    var module: String
    var context: [UInt8] = []
    var fields = LogFields(pairs: [])
    var text: String

    init(level: Log.Level, module: String, text: String) {
        self.level = level
        self.module = module
        self.text = text
    }

    func write(_ format: LogFormat, utc: Int64, into bytes: inout [UInt8]) {
        switch format {
        case .text:
            CivilTime(nanoseconds: utc).write(into: &bytes)
            bytes.append(contentsOf: " \(mark) \(module)".utf8)
            writeFields(format, into: &bytes)
            bytes.append(UInt8(ascii: " "))
            writeText(into: &bytes)
        case .json:
            bytes.append(contentsOf: "{\"ts\":\"".utf8)
            CivilTime(nanoseconds: utc).write(into: &bytes)
            bytes.append(contentsOf: "\",\"level\":\"\(level)\",\"module\":\"\(module)\"".utf8)
            writeFields(format, into: &bytes)
            format.append("msg", LabelText(text, limit: Self.longestText), to: &bytes)
            bytes.append(UInt8(ascii: "}"))
        }
        bytes.append(UInt8(ascii: "\n"))
    }

    private var mark: String {
        switch level {
        case .debug: "DBG"
        case .info: "INF"
        case .warning: "WRN"
        case .error: "ERR"
        }
    }

    private func writeFields(_ format: LogFormat, into bytes: inout [UInt8]) {
        bytes.append(contentsOf: context)
        for field in fields.pairs { format.append(field.key, LabelText(field.value), to: &bytes) }
    }

    private func writeText(into bytes: inout [UInt8]) {
        // Nearly every text is plain; it keeps its quotation marks.
        if text.utf8.count <= Self.longestText, text.utf8.allSatisfy({ 0x20..<0x7f ~= $0 }) {
            bytes.append(contentsOf: text.utf8)
        } else {
            LabelText(text, limit: Self.longestText).write(for: .json, into: &bytes)
        }
    }
}
