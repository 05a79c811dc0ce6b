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
            Self.writeTime(utc, into: &bytes)
            bytes.append(contentsOf: " \(mark) \(module)".utf8)
            writeFields(format, into: &bytes)
            bytes.append(UInt8(ascii: " "))
            writeText(into: &bytes)
        case .json:
            bytes.append(contentsOf: "{\"ts\":\"".utf8)
            Self.writeTime(utc, into: &bytes)
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

    /// RFC 3339 in UTC with milliseconds; no libc, whose way depends on a time zone and a lock.
    static func writeTime(_ utc: Int64, into bytes: inout [UInt8]) {
        let milliseconds = utc / 1_000_000
        let seconds = milliseconds / 1000
        let date = civil(days: seconds / 86_400)
        let time = seconds % 86_400
        func digits(_ value: Int64, _ count: Int) {
            var divisor: Int64 = 1
            for _ in 1..<count { divisor *= 10 }
            for _ in 0..<count {
                bytes.append(0x30 + UInt8(truncatingIfNeeded: value / divisor % 10))
                divisor /= 10
            }
        }
        let parts: [(Int64, Int, Character)] = [
            (date.year, 4, "-"), (date.month, 2, "-"), (date.day, 2, "T"), (time / 3600, 2, ":"),
            (time / 60 % 60, 2, ":"), (time % 60, 2, "."), (milliseconds % 1000, 3, "Z"),
        ]
        for (value, count, end) in parts {
            digits(value, count)
            bytes.append(contentsOf: String(end).utf8)
        }
    }

    /// Days since 1970 as a date of the Gregorian calendar. Years are counted from March, so that
    /// the leap day is the last one, in eras of 400 years, which all have 146,097 days.
    private static func civil(days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = days + 719_468
        let era = shifted / 146_097
        let dayOfEra = shifted % 146_097
        let yearOfEra =
            (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let month = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * month + 2) / 5 + 1
        let isNextYear = month >= 10
        let year = yearOfEra + era * 400 + (isNextYear ? 1 : 0)
        return (year, isNextYear ? month - 9 : month + 3, day)
    }
}
