package import Wire

/// The server's end of a WebSocket (RFC 6455): frames in, messages out; messages in, frames out.
///
/// Extensions and subprotocols are not negotiated: media is compressed already.
package struct WebSocket: Sendable {
    package enum Event: Equatable, Sendable {
        case text(String)
        case binary([UInt8])
        /// Send what is left, say no more, close. The code is the peer's, or why we gave up on it.
        case close(code: UInt16)
    }

    /// Bytes to be sent and what happened, lent to each call.
    package struct Effects: ~Copyable {
        package var outbox: Outbox
        package var events: [Event] = []

        package init(outbox: consuming Outbox = Outbox(limit: HTTPEffects.outboxMaximum)) {
            self.outbox = outbox
        }
    }

    package enum CloseCode {
        package static let normal: UInt16 = 1000
        package static let goingAway: UInt16 = 1001
        package static let protocolError: UInt16 = 1002
        package static let notUTF8: UInt16 = 1007
        package static let policy: UInt16 = 1008
        package static let tooBig: UInt16 = 1009
        package static let tryAgainLater: UInt16 = 1013
        /// Never on the wire: the peer went without a word, or its close frame had no code.
        package static let none: UInt16 = 1005
        package static let gone: UInt16 = 1006
    }

    /// What clients tell us is small: a question, a subscription.
    package static let messageMaximum = 64 * 1024
    /// A message of more pieces is made to cost us, not to say something.
    static let fragmentsMaximum = 128
    /// Pings in one `pingWindow`: keepalive needs one, players on bad links send a few.
    static let pingsMaximum = 50
    static let pingWindow = Interval.seconds(10)
    /// Below the idle time of every proxy that we know of (60 s).
    static let keepaliveTime = Interval.seconds(25)
    /// Two of our pings unanswered.
    static let silenceTime = Interval.seconds(60)
    static let closeTime = Interval.seconds(5)

    private enum Phase { case open, closing, closed }

    private var phase = Phase.open
    private let limit: Int
    private var header: [UInt8] = []
    private var frame: WebSocketFrame?
    private var frameLeft = 0
    private var maskOffset = 0
    /// The message that is being put together, and what kind it is.
    private var message: [UInt8] = []
    private var messageKind: WebSocketFrame.Opcode?
    private var fragments = 0
    private var control: [UInt8] = []

    private var heard: Instant
    private var pinged: Instant
    private var closeDeadline: Instant?
    private var pingWindowStart: Instant
    private var pings = 0
    private var watch = WriteWatch()

    package init(at now: Instant, messageLimit: Int = WebSocket.messageMaximum) {
        limit = messageLimit
        heard = now
        pinged = now
        pingWindowStart = now
    }

    package var isOpen: Bool { phase == .open }

    package var deadline: Instant? {
        switch phase {
        case .open:
            min(
                max(heard, pinged) + Self.keepaliveTime, heard + Self.silenceTime,
                watch.deadline ?? heard + Self.silenceTime)
        case .closing: closeDeadline
        case .closed: nil
        }
    }

    /// The shell has looked at the outbox: before a write with 0, after it with what went out.
    package mutating func wrote(_ count: Int, at now: Instant, _ effects: borrowing Effects) {
        watch.queued(effects.outbox.byteCount + count, at: now)
        watch.wrote(count, waiting: effects.outbox.byteCount, at: now)
    }

    package mutating func expire(at now: Instant, into effects: inout Effects) {
        if let stalled = watch.deadline, now >= stalled, phase != .closed {
            effects.outbox.clear()
            end(CloseCode.gone, into: &effects)
            return
        }
        switch phase {
        case .open where now >= heard + Self.silenceTime: end(CloseCode.gone, into: &effects)
        case .open where now >= max(heard, pinged) + Self.keepaliveTime:
            pinged = now
            write(.ping, [], into: &effects)
        case .closing:
            if let closeDeadline, now >= closeDeadline { end(CloseCode.gone, into: &effects) }
        case .open, .closed: break
        }
    }

    // MARK: Frames in

    package mutating func receive(_ bytes: RawSpan, at now: Instant, into effects: inout Effects) {
        guard phase != .closed, bytes.byteCount > 0 else { return }
        heard = now
        var offset = 0
        do throws(Refusal) {
            while offset < bytes.byteCount, phase != .closed {
                if frame == nil {
                    try takeHeader(bytes.byte(at: offset), at: now, into: &effects)
                    offset += 1
                } else {
                    offset += try takePayload(bytes, from: offset, at: now, into: &effects)
                }
            }
        } catch {
            fail(error.code, into: &effects)
        }
    }

    private struct Refusal: Error { var code: UInt16 }

    private mutating func takeHeader(
        _ byte: UInt8, at now: Instant, into effects: inout Effects
    ) throws(Refusal) {
        header.append(byte)
        // The first two bytes say enough to refuse: no need to wait for the rest.
        if header.count == 2, header[1] & 0x80 == 0 { throw Refusal(code: CloseCode.protocolError) }
        guard header.count >= 2,
            header.count == WebSocketFrame.headerLength(header[0], header[1])
        else { return }
        let found: WebSocketFrame
        do throws(ParseError) {
            found = try WebSocketFrame(header.raw)
        } catch {
            throw Refusal(code: CloseCode.protocolError)
        }
        header.removeAll(keepingCapacity: true)
        try begin(found)
        if frameLeft == 0 { try endFrame(at: now, into: &effects) }
    }

    private mutating func begin(_ found: WebSocketFrame) throws(Refusal) {
        if !found.opcode.isControl {
            let continues = found.opcode == .continuation
            guard continues == (messageKind != nil) else {
                throw Refusal(code: CloseCode.protocolError)
            }
            if !continues {
                messageKind = found.opcode
                fragments = 0
            }
            fragments += 1
            // Compared as declared: nothing is kept for a message that will not be taken.
            guard found.length <= UInt64(limit - message.count), fragments <= Self.fragmentsMaximum
            else { throw Refusal(code: CloseCode.tooBig) }
        }
        frame = found
        frameLeft = Int(found.length)
        maskOffset = 0
    }

    private mutating func takePayload(
        _ bytes: RawSpan, from offset: Int, at now: Instant, into effects: inout Effects
    ) throws(Refusal) -> Int {
        guard let frame else { return 0 }
        let count = min(frameLeft, bytes.byteCount - offset)
        for index in 0..<count {
            let shift = UInt32(24 - 8 * ((maskOffset + index) & 3))
            let byte =
                bytes.byte(at: offset + index) ^ UInt8(truncatingIfNeeded: frame.mask >> shift)
            if frame.opcode.isControl { control.append(byte) } else { message.append(byte) }
        }
        maskOffset = (maskOffset + count) & 3
        frameLeft -= count
        if frameLeft == 0 { try endFrame(at: now, into: &effects) }
        return count
    }

    private mutating func endFrame(
        at now: Instant, into effects: inout Effects
    ) throws(Refusal) {
        guard let ended = frame else { return }
        frame = nil
        switch ended.opcode {
        case .ping:
            try countPing(at: now)
            if phase == .open { write(.pong, control, into: &effects) }
        case .pong: break
        case .close: try receiveClose(into: &effects)
        case .text, .binary, .continuation:
            if ended.isFinal { try endMessage(into: &effects) }
        }
        control.removeAll(keepingCapacity: true)
    }

    private mutating func endMessage(into effects: inout Effects) throws(Refusal) {
        let kind = messageKind
        messageKind = nil
        var whole: [UInt8] = []
        swap(&whole, &message)
        guard phase == .open else { return }
        if kind == .text {
            guard let text = String(validating: whole, as: UTF8.self) else {
                throw Refusal(code: CloseCode.notUTF8)
            }
            effects.events.append(.text(text))
        } else {
            effects.events.append(.binary(whole))
        }
    }

    private mutating func countPing(at now: Instant) throws(Refusal) {
        if now >= pingWindowStart + Self.pingWindow {
            pingWindowStart = now
            pings = 0
        }
        pings += 1
        guard pings <= Self.pingsMaximum else { throw Refusal(code: CloseCode.protocolError) }
    }

    private mutating func receiveClose(into effects: inout Effects) throws(Refusal) {
        var code = CloseCode.none
        if !control.isEmpty {
            guard control.count >= 2 else { throw Refusal(code: CloseCode.protocolError) }
            code = UInt16(control[0]) << 8 | UInt16(control[1])
            guard Self.mayBeSent(code) else { throw Refusal(code: CloseCode.protocolError) }
            guard String(validating: control.dropFirst(2), as: UTF8.self) != nil else {
                throw Refusal(code: CloseCode.notUTF8)
            }
        }
        if phase == .open { write(.close, Array(control.prefix(2)), into: &effects) }
        end(code, into: &effects)
    }

    /// RFC 6455 §7.4: what may stand in a close frame.
    private static func mayBeSent(_ code: UInt16) -> Bool {
        switch code {
        case 1000...1003, 1007...1014, 3000...4999: true
        default: false
        }
    }

    // MARK: Frames out

    package mutating func send(text: String, into effects: inout Effects) {
        guard phase == .open else { return }
        write(.text, Array(text.utf8), into: &effects)
    }

    /// One binary message of shared bytes, which are not copied.
    package mutating func send(_ chunk: Chunk, _ range: Range<Int>, into effects: inout Effects) {
        guard phase == .open else { return }
        writeHeader(.binary, length: range.count, into: &effects)
        effects.outbox.append(chunk, range)
    }

    package mutating func send(binary bytes: RawSpan, into effects: inout Effects) {
        guard phase == .open else { return }
        writeHeader(.binary, length: bytes.byteCount, into: &effects)
        effects.outbox.append(bytes)
    }

    /// Says goodbye and waits for the peer to say it too.
    ///
    /// - Parameter reason: For the console of a browser; cut to what a control frame holds.
    package mutating func close(
        _ code: UInt16, reason: String = "", at now: Instant, into effects: inout Effects
    ) {
        guard phase == .open else { return }
        var payload = [UInt8(code >> 8), UInt8(code & 255)]
        for scalar in reason.unicodeScalars {
            guard payload.count + UTF8.width(scalar) <= WebSocketFrame.controlMaximum else { break }
            payload += String(scalar).utf8
        }
        write(.close, payload, into: &effects)
        phase = .closing
        closeDeadline = now + Self.closeTime
    }

    private mutating func fail(_ code: UInt16, into effects: inout Effects) {
        if phase == .open {
            write(.close, [UInt8(code >> 8), UInt8(code & 255)], into: &effects)
        }
        end(code, into: &effects)
    }

    private mutating func end(_ code: UInt16, into effects: inout Effects) {
        phase = .closed
        message = []
        effects.events.append(.close(code: code))
    }

    private func write(
        _ opcode: WebSocketFrame.Opcode, _ payload: [UInt8], into effects: inout Effects
    ) {
        writeHeader(opcode, length: payload.count, into: &effects)
        effects.outbox.append(payload.raw)
    }

    private func writeHeader(
        _ opcode: WebSocketFrame.Opcode, length: Int, into effects: inout Effects
    ) {
        var header: [UInt8] = []
        header.reserveCapacity(10)
        WebSocketFrame.writeHeader(opcode, length: length, into: &header)
        effects.outbox.append(header.raw)
    }
}
