import HTTP
import ICE
import WHIP
import Wire

/// A method, a URL, headers and a body, a line each: whatever they are, WHIP knows what to do, and
/// the session it would name in an answer can be found again by the URL of that answer.
func fuzzWHIP(_ bytes: RawSpan) {
    var rest = 0..<bytes.byteCount
    let method = HTTPMethod(rawValue: line(bytes, &rest)) ?? .post
    let target = line(bytes, &rest)
    var headers = HTTPHeaders()
    headers.add("Content-Type", line(bytes, &rest))
    headers.add("If-Match", line(bytes, &rest))
    headers.add("Content-Length", rest.count)
    guard let target = try? HTTPTarget(target), let route = try? WHIPRoute(target) else { return }
    var request = HTTPRequest(
        id: .init(number: 0), method: method, target: target, headers: headers)
    if case .takeBody = route.step(request, bodyIsWaiting: true, WHIPLinks()) {
        request.body = [UInt8](copying: bytes.extracting(rest))
    }
    switch route.step(request, bodyIsWaiting: false, WHIPLinks()) {
    case .takeBody: preconditionFailure("the body has been taken")
    case .answer(let response): precondition((200..<500).contains(response.status))
    case .run(.patch(_, _, let fragment)): _ = try? TrickleFragment(fragment.raw)
    case .run(.open(let offer)):
        let outcome = WHIPOutcome.opened(session: "s", etag: "e", sdp: offer.sdp)
        let response = outcome.response(offer.role, offer.dialect, WHIPLinks())
        guard let location = response.headers["Location"] else { return }
        guard let url = try? HTTPTarget(location),
            let found = try? WHIPRoute(url), found == .session(offer.role, "s", .itself)
        else { preconditionFailure("the session's URL leads elsewhere") }
    case .run: break
    }
}

private func line(_ bytes: RawSpan, _ rest: inout Range<Int>) -> String {
    let end = bytes.firstIndex(of: 0x0a, in: rest) ?? rest.upperBound
    defer { rest = min(end + 1, rest.upperBound)..<rest.upperBound }
    return bytes.string(rest.lowerBound..<end)
}
