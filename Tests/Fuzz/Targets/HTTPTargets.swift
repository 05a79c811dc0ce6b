import HTTP
import Wire

/// Any bytes on an HTTP connection, whose requests are all answered. The same bytes in two reads
/// must give the same answers, but for the 100 that is left out when the body is there already, and
/// for pipes so full that the connection ends.
func fuzzHTTPRequest(_ bytes: RawSpan) {
    guard bytes.byteCount < 2000 else {
        _ = answers(bytes, cut: bytes.byteCount)
        return
    }
    let cut = bytes.byteCount == 0 ? 0 : Int(bytes.byte(at: bytes.byteCount - 1)) % bytes.byteCount
    let whole = answers(bytes, cut: bytes.byteCount)
    precondition(answers(bytes, cut: cut) == whole, "the cut changes the answers")
}

private func answers(_ bytes: RawSpan, cut: Int) -> [UInt8] {
    var connection = HTTPConnection(at: .start)
    var effects = HTTPEffects()
    connection.receive(bytes.extracting(0..<cut), at: .start, into: &effects)
    serve(&connection, &effects)
    connection.receive(bytes.extracting(cut..<bytes.byteCount), at: .start, into: &effects)
    serve(&connection, &effects)
    var written: [UInt8] = []
    while !effects.outbox.isEmpty {
        let count = effects.outbox.front.byteCount
        written.append(copying: effects.outbox.front)
        effects.outbox.advance(count)
    }
    let interim = Array("HTTP/1.1 100 Continue\r\n\r\n".utf8)
    return Array(written.split(separator: interim).joined())
}

private func serve(_ connection: inout HTTPConnection, _ effects: inout HTTPEffects) {
    while let event = effects.nextEvent() {
        switch event {
        case .offer(let request):
            connection.takeBody(of: request.id, limit: 1000, at: .start, into: &effects)
        case .request(let request):
            let etag = EntityTag("x").satisfies(ifNoneMatch: request.headers["If-None-Match"])
            let gzip = AcceptEncoding.allowsGzip(request.headers["Accept-Encoding"])
            let response: HTTPResponse
            if WebSocket.isWanted(by: request), let upgrade = try? WebSocket.upgrade(request) {
                response = upgrade
            } else if case .part(let range) = ByteRange(request.headers["Range"], length: 10) {
                response = HTTPResponse(status: 206, body: .bytes(Array(0..<10)[range].map { $0 }))
            } else {
                _ = AuthHeader(request.headers["Authorization"])
                let body = etag || gzip ? [] : request.body + Array(request.target.path.utf8)
                response = HTTPResponse(type: request.mediaType ?? "text/plain", body)
            }
            connection.respond(to: request.id, response, at: .start, into: &effects)
        case .upgraded, .close: break
        }
    }
}

/// Any bytes on a WebSocket. The same bytes in two reads must mean the same.
func fuzzWebSocket(_ bytes: RawSpan) {
    let cut = bytes.byteCount == 0 ? 0 : Int(bytes.byte(at: bytes.byteCount - 1)) % bytes.byteCount
    let whole = events(bytes, cut: bytes.byteCount)
    precondition(events(bytes, cut: cut) == whole, "the cut changes the meaning")
}

private func events(_ bytes: RawSpan, cut: Int) -> [WebSocket.Event] {
    var socket = WebSocket(at: .start, messageLimit: 1000)
    var effects = WebSocket.Effects()
    socket.receive(bytes.extracting(0..<cut), at: .start, into: &effects)
    socket.receive(bytes.extracting(cut..<bytes.byteCount), at: .start, into: &effects)
    return effects.events
}
