package import Wire

/// The server's end of an HTTP/1.1 connection: bytes in, requests out; answers in, bytes out.
///
/// One request at a time: the next one in the pipe is read when the last has been answered, so
/// answers cannot get out of order and a client that asks much ahead fills only its own buffer.
///
/// ```
/// head ──▶ offered ──▶ body ──▶ answering ──▶ streaming ──▶ head …
///   └─────────(no body)──────────▲   └─▶ upgraded      any ──▶ closing
/// ```
/// It knows nothing of routes, files or streams, and not what a body may be: the caller says.
package struct HTTPConnection: Sendable {
    /// From the first byte to the end of a head; a head that is honest comes at once.
    static let headTime = Interval.seconds(10)
    /// For a request that is on its way while we stop.
    static let lastRequestTime = Interval.seconds(1)
    static let bodyTime = Interval.seconds(10)
    /// Browsers keep connections for the next segment; more than a minute gains nothing.
    static let idleTime = Interval.seconds(60)
    /// Above every wait we offer (on-demand start 15 s, three target durations of HLS): an answer
    /// that has not come by then was forgotten.
    static let answerTime = Interval.seconds(60)
    /// Requests that were there before the one in front of them was answered, in a row.
    static let pipelinedMaximum = 100
    /// Bytes that wait while a request is being answered. The shell may overshoot by one read.
    static let bufferMaximum = 64 * 1024
    static let readMaximum = 64 * 1024
    /// An idle connection keeps no more than this for the next head.
    static let idleCapacity = 4096

    enum Phase: Sendable {
        case head, offered, body, answering, streaming, upgraded, closing
    }

    enum StreamFraming: Sendable { case chunked, untilClose }

    var phase = Phase.head
    var buffer: [UInt8] = []
    /// Where the bytes begin that nobody has looked at.
    var start = 0
    var head = TextHead(rules: .http)
    var request: HTTPRequest?
    var body: [UInt8] = []
    var bodyLimit = 0
    var chunks = ChunkedBody()
    var streamFraming = StreamFraming.chunked
    var closesAfterAnswer = false

    private var requestCount: UInt64 = 0
    private var pipelined = 0
    private var isDraining = false
    private var peerIsDone = false

    /// When the phase has lasted long enough.
    var phaseDeadline: Instant
    var watch = WriteWatch()

    /// - Parameter now: When the connection was accepted: 10 s to the first complete request.
    package init(at now: Instant) { phaseDeadline = now + Self.headTime }

    /// Whether more bytes are of use now. While not, the shell leaves them in the socket.
    package var wantsBytes: Bool {
        switch phase {
        case .head, .body: true
        case .offered, .answering, .streaming: buffer.count - start < Self.bufferMaximum
        case .upgraded, .closing: false
        }
    }

    package var isClosing: Bool { phase == .closing }

    /// The request whose answer is being streamed.
    package var streamed: HTTPRequest.ID? { phase == .streaming ? request?.id : nil }

    /// When `expire` is to be called, if nothing happens before.
    package var deadline: Instant? {
        switch phase {
        case .upgraded: nil
        case .closing, .streaming: watch.deadline
        case .head, .offered, .body, .answering:
            min(phaseDeadline, watch.deadline ?? phaseDeadline)
        }
    }

    // MARK: Bytes in

    package mutating func receive(
        _ bytes: RawSpan, at now: Instant, into effects: inout HTTPEffects
    ) {
        guard phase != .closing, phase != .upgraded else { return }
        buffer.append(copying: bytes)
        advance(at: now, into: &effects)
        if buffer.count - start > Self.bufferMaximum + Self.readMaximum {
            fail(Problem(.badRequest, "too much sent ahead"), at: now, into: &effects)
        }
    }

    /// The peer will send no more. An answer that is on its way is still finished.
    package mutating func peerClosed(at now: Instant, into effects: inout HTTPEffects) {
        peerIsDone = true
        switch phase {
        case .head, .body, .offered: close(.peer, into: &effects)
        case .answering, .streaming: closesAfterAnswer = true
        case .upgraded, .closing: break
        }
    }

    /// No further requests: an idle connection ends now, a busy one with its answer. One that came
    /// just now has its request on the way, and half a request has its other half.
    package mutating func drain(at now: Instant, into effects: inout HTTPEffects) {
        isDraining = true
        closesAfterAnswer = true
        guard phase == .head else { return }
        guard requestCount == 0 || start < buffer.count else {
            return close(.draining, into: &effects)
        }
        phaseDeadline = min(phaseDeadline, now + Self.lastRequestTime)
    }

    /// Reads as far as the bytes and the phase allow.
    mutating func advance(at now: Instant, into effects: inout HTTPEffects) {
        var moves = true
        while moves {
            switch phase {
            case .head: moves = readHead(at: now, into: &effects)
            case .body: moves = readBody(at: now, into: &effects)
            case .offered, .answering, .streaming, .upgraded, .closing: moves = false
            }
        }
        forgetRead()
    }

    private mutating func readHead(at now: Instant, into effects: inout HTTPEffects) -> Bool {
        let isFresh = head.isUntouched
        start += TextHead.blankPrefix(of: unread)
        guard start < buffer.count else { return false }
        // The first head has its time from the beginning; no line end in front of one extends it.
        if isFresh { phaseDeadline = min(phaseDeadline, now + Self.headTime) }
        do throws(Problem) {
            let id = HTTPRequest.ID(number: requestCount)
            guard
                let found = try HTTPRequest.read(&head, buffer, from: start, id: id)
            else { return false }
            start += head.count
            requestCount += 1
            closesAfterAnswer = isDraining || peerIsDone || !found.keepsAlive
            begin(found, at: now, into: &effects)
        } catch {
            fail(error, at: now, into: &effects)
        }
        return true
    }

    private mutating func begin(
        _ found: HTTPRequest, at now: Instant, into effects: inout HTTPEffects
    ) {
        request = found
        phaseDeadline = now + Self.answerTime
        switch head.body {
        case .untold, .length(0):
            phase = .answering
            effects.events.append(.request(found))
        case .length, .chunked:
            phase = .offered
            effects.events.append(.offer(found))
        }
    }

    /// Accepts the body of an offered request, up to a limit that the route knows.
    ///
    /// - Returns: Whether the request is still there and waiting for this.
    @discardableResult
    package mutating func takeBody(
        of id: HTTPRequest.ID, limit: Int, at now: Instant, into effects: inout HTTPEffects
    ) -> Bool {
        guard phase == .offered, let request, request.id == id else { return false }
        if case .length(let length) = head.body, length > limit {
            fail(
                Problem(.bodyTooLarge, "\(length) bytes, \(limit) allowed"), at: now, into: &effects
            )
            return true
        }
        if request.waitsForContinue, start == buffer.count {
            effects.outbox.append("HTTP/1.1 100 Continue\r\n\r\n")
            watch.queued(effects.outbox.byteCount, at: now)
        }
        phase = .body
        phaseDeadline = now + Self.bodyTime
        bodyLimit = limit
        chunks = ChunkedBody()
        advance(at: now, into: &effects)
        return true
    }

    private mutating func readBody(at now: Instant, into effects: inout HTTPEffects) -> Bool {
        let isComplete: Bool
        switch head.body {
        case .untold: isComplete = true
        case .length(let length):
            let count = min(length - body.count, buffer.count - start)
            body.append(contentsOf: buffer[start..<start + count])
            start += count
            isComplete = body.count == length
        case .chunked:
            do throws(ParseError) {
                start += try chunks.receive(buffer, from: start, limit: bodyLimit, into: &body)
            } catch {
                fail(HTTPRequest.problem(error), at: now, into: &effects)
                return false
            }
            isComplete = chunks.isDone
        }
        guard isComplete, var found = request else { return false }
        swap(&found.body, &body)
        phase = .answering
        phaseDeadline = now + Self.answerTime
        effects.events.append(.request(found))
        return true
    }

    var unread: RawSpan {
        @_lifetime(borrow self)
        borrowing get { buffer.raw.extracting(start..<buffer.count) }
    }

    private mutating func forgetRead() {
        guard start > 0 else { return }
        if start == buffer.count {
            if buffer.capacity > Self.idleCapacity {
                buffer = []
            } else {
                buffer.removeAll(keepingCapacity: true)
            }
        } else {
            buffer.removeSubrange(0..<start)
        }
        start = 0
    }

    // MARK: Between requests

    /// The answer is written: on to the next request, or the end.
    mutating func endAnswer(at now: Instant, into effects: inout HTTPEffects) {
        request = nil
        body.removeAll(keepingCapacity: false)
        head.reset()
        if closesAfterAnswer {
            close(isDraining ? .draining : peerIsDone ? .peer : .done, into: &effects)
            return
        }
        pipelined = start < buffer.count ? pipelined + 1 : 0
        phase = .head
        phaseDeadline = now + Self.idleTime
        advance(at: now, into: &effects)
    }

    /// Whether the pipe has been full for so long that others must have their turn.
    var isPipeExhausted: Bool { pipelined + 1 >= Self.pipelinedMaximum }

    /// Answers with a problem, unless an answer has begun, and ends: behind a request that we could
    /// not read there is no telling where the next one begins.
    mutating func fail(
        _ problem: Problem, at now: Instant, into effects: inout HTTPEffects
    ) {
        let isAnswered = phase == .streaming || phase == .closing
        if !isAnswered {
            closesAfterAnswer = true
            write(HTTPResponse(problem), to: request, at: now, into: &effects)
        }
        close(.refused(problem.code), into: &effects)
    }

    mutating func close(_ reason: HTTPClose, into effects: inout HTTPEffects) {
        guard phase != .closing else { return }
        phase = .closing
        request = nil
        buffer = []
        start = 0
        body = []
        effects.events.append(.close(reason))
    }
}
