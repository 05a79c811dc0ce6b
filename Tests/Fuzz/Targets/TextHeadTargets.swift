import Wire

/// Any bytes as the head of an HTTP, RTSP and SIP message: each range it gives lies inside the
/// head, and a head that comes in two parts means the same as one that comes at once.
func fuzzTextHead(_ bytes: RawSpan) {
    for rules in [TextHead.Rules.http, .rtsp, .sip] {
        let whole = verdict(bytes, cut: bytes.byteCount, rules)
        let cut = bytes.byteCount == 0 ? 0 : Int(bytes.byte(at: 0)) % bytes.byteCount
        precondition(verdict(bytes, cut: cut, rules) == whole, "the cut changes the meaning")
    }
}

private enum Verdict: Equatable {
    case incomplete
    case refused(ParseError)
    case head(count: Int, fields: [TextHead.Field], body: TextHead.Body)
}

private func verdict(_ bytes: RawSpan, cut: Int, _ rules: TextHead.Rules) -> Verdict {
    var head = TextHead(rules: rules)
    do throws(ParseError) {
        _ = try head.read(bytes.extracting(0..<cut))
        guard try head.read(bytes) else { return .incomplete }
    } catch {
        return .refused(error)
    }
    for field in head.fields {
        precondition(!field.name.isEmpty && field.value.upperBound <= head.count, "out of the head")
        _ = bytes.string(field.value)
    }
    _ = try? head.requestLine(in: bytes)
    _ = try? head.statusLine(in: bytes)
    return .head(count: head.count, fields: head.fields, body: head.body)
}
