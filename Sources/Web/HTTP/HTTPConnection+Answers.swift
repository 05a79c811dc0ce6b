package import Wire

/// The way out: answers, streams, and what time does to a connection.
extension HTTPConnection {
    /// Answers a request, whether its body has been taken or not.
    ///
    /// - Returns: False when the request has gone: with its peer, or because time has run out.
    @discardableResult
    package mutating func respond(
        to id: HTTPRequest.ID, _ response: HTTPResponse, at now: Instant,
        into effects: inout HTTPEffects
    ) -> Bool {
        guard let request, request.id == id else { return false }
        switch phase {
        case .answering: break
        // The body that we did not want is still coming: it must not be taken for a request.
        case .offered, .body: closesAfterAnswer = true
        case .head, .streaming, .upgraded, .closing: return false
        }
        if isPipeExhausted { closesAfterAnswer = true }
        if case .streamUntilClose = response.body { closesAfterAnswer = true }
        if case .stream = response.body, request.isHTTP10 { closesAfterAnswer = true }
        write(response, to: request, at: now, into: &effects)
        switch response.body {
        case .upgrade: upgrade(id, into: &effects)
        case .stream where hasBody(response, request):
            phase = .streaming
            streamFraming = request.isHTTP10 ? .untilClose : .chunked
        case .streamUntilClose where hasBody(response, request):
            phase = .streaming
            streamFraming = .untilClose
        case .none, .bytes, .chunk, .stream, .streamUntilClose:
            endAnswer(at: now, into: &effects)
        }
        return true
    }

    /// Sends a piece of a streamed answer.
    ///
    /// - Returns: False when nobody waits for it any more.
    @discardableResult
    package mutating func send(
        _ bytes: RawSpan, for id: HTTPRequest.ID, at now: Instant, into effects: inout HTTPEffects
    ) -> Bool {
        guard isStreaming(id) else { return false }
        if bytes.byteCount > 0 {
            openChunk(bytes.byteCount, into: &effects)
            effects.outbox.append(bytes)
            closeChunk(into: &effects)
            watch.queued(effects.outbox.byteCount, at: now)
        }
        return true
    }

    /// Sends a part of shared bytes without copying it.
    @discardableResult
    package mutating func send(
        _ chunk: Chunk, _ range: Range<Int>, for id: HTTPRequest.ID, at now: Instant,
        into effects: inout HTTPEffects
    ) -> Bool {
        guard isStreaming(id) else { return false }
        if !range.isEmpty {
            openChunk(range.count, into: &effects)
            effects.outbox.append(chunk, range)
            closeChunk(into: &effects)
            watch.queued(effects.outbox.byteCount, at: now)
        }
        return true
    }

    /// Ends a streamed answer.
    package mutating func finish(
        _ id: HTTPRequest.ID, at now: Instant, into effects: inout HTTPEffects
    ) {
        guard isStreaming(id) else { return }
        if streamFraming == .chunked { effects.outbox.append("0\r\n\r\n") }
        endAnswer(at: now, into: &effects)
    }

    // MARK: Time

    package mutating func expire(at now: Instant, into effects: inout HTTPEffects) {
        if phase != .upgraded, let stalled = watch.deadline, now >= stalled {
            effects.outbox.clear()
            watch = WriteWatch()
            // Also when it is closing already: what it was waiting for will not go out any more.
            phase = .closing
            effects.events.append(.close(.stalled))
            return
        }
        guard now >= phaseDeadline else { return }
        switch phase {
        case .head where buffer.count == start: close(.idle, into: &effects)
        case .head, .body: fail(Problem(.tooSlow, "10 s"), at: now, into: &effects)
        case .offered, .answering: fail(Problem(.noAnswer), at: now, into: &effects)
        case .streaming, .upgraded, .closing: break
        }
    }

    /// The shell has written bytes of the outbox.
    package mutating func wrote(_ count: Int, at now: Instant, _ effects: borrowing HTTPEffects) {
        watch.wrote(count, waiting: effects.outbox.byteCount, at: now)
    }

    // MARK: Writing

    mutating func write(
        _ response: HTTPResponse, to request: HTTPRequest?, at now: Instant,
        into effects: inout HTTPEffects
    ) {
        var text: [UInt8] = []
        text.reserveCapacity(512)
        text.append(
            contentsOf: "HTTP/1.1 \(response.status) \(HTTPResponse.reason(response.status))\r\n"
                .utf8)
        response.headers.write(into: &text)
        if !effects.date.isEmpty { text.append(contentsOf: "Date: \(effects.date)\r\n".utf8) }
        writeFraming(response, request, into: &text)
        text.append(contentsOf: [ASCII.carriageReturn, ASCII.lineFeed])
        effects.outbox.append(text.raw)
        if hasBody(response, request) {
            switch response.body {
            case .bytes(let bytes): effects.outbox.append(bytes.raw)
            case .chunk(let chunk, let range): effects.outbox.append(chunk, range)
            case .none, .stream, .streamUntilClose, .upgrade: break
            }
        }
        watch.queued(effects.outbox.byteCount, at: now)
    }

    private func writeFraming(
        _ response: HTTPResponse, _ request: HTTPRequest?, into text: inout [UInt8]
    ) {
        var lines = ""
        if response.mayHaveBody {
            switch response.body {
            case .none: lines += "Content-Length: 0\r\n"
            case .bytes(let bytes): lines += "Content-Length: \(bytes.count)\r\n"
            case .chunk(_, let range): lines += "Content-Length: \(range.count)\r\n"
            case .stream where request?.isHTTP10 == false:
                lines += "Transfer-Encoding: chunked\r\n"
            case .stream, .streamUntilClose, .upgrade: break
            }
        }
        if case .upgrade = response.body {
            lines += "Connection: Upgrade\r\n"
        } else if closesAfterAnswer {
            lines += "Connection: close\r\n"
        } else if request?.isHTTP10 == true {
            lines += "Connection: keep-alive\r\n"
        }
        text.append(contentsOf: lines.utf8)
    }

    /// The answer to HEAD has the headers of the body, and no body.
    private func hasBody(_ response: HTTPResponse, _ request: HTTPRequest?) -> Bool {
        response.mayHaveBody && request?.method != .head
    }

    private func isStreaming(_ id: HTTPRequest.ID) -> Bool {
        phase == .streaming && request?.id == id
    }

    private func openChunk(_ count: Int, into effects: inout HTTPEffects) {
        guard streamFraming == .chunked else { return }
        BodyFraming.chunked.open(count, into: &effects.outbox)
    }

    private func closeChunk(into effects: inout HTTPEffects) {
        if streamFraming == .chunked { BodyFraming.chunked.close(into: &effects.outbox) }
    }

    private mutating func upgrade(_ id: HTTPRequest.ID, into effects: inout HTTPEffects) {
        let rest = [UInt8](copying: unread)
        phase = .upgraded
        request = nil
        buffer = []
        start = 0
        effects.events.append(.upgraded(id, rest: rest))
    }
}
