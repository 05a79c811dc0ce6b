/// Why the gateway refused something: one code for the answer, the log line, the metric and the
/// page, so that a user who reports one of them has reported them all.
public struct Problem: Error, Equatable, Sendable {
    public var code: ProblemCode
    /// What was wrong this time. It may hold what the peer sent: it is escaped where it is shown.
    public var cause: String
    /// When to come back.
    public var retryAfter: Interval?

    public init(_ code: ProblemCode, _ cause: String = "", retryAfter: Interval? = nil) {
        self.code = code
        self.cause = cause
        self.retryAfter = retryAfter
    }

    /// RFC 9457, and with `error` for players that look for that key alone.
    public func write(into json: inout JSONWriter) {
        json.object { writeFields(into: &$0) }
    }

    /// Inside of an object that says more.
    public func writeFields(into json: inout JSONWriter) {
        json.field("type", "/problems/\(code.rawValue)")
        json.field("title", code.title)
        json.field("status", code.status)
        json.field("code", code.rawValue)
        let detail = LabelText(cause.isEmpty ? code.title : cause, limit: 1024)
        json.field("detail", detail)
        if !code.fix.isEmpty { json.field("fix", code.fix) }
        json.field("error", detail)
    }
}

extension Problem: CustomStringConvertible {
    /// The form of a log line.
    public var description: String {
        let told = LabelText(cause.isEmpty ? code.title : cause, limit: 1024)
        return "code=\(code.rawValue) cause=\(told)"
    }
}
