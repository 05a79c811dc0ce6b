import Wire

/// The data channels of one session: opening, closing, stream numbers, limits, back-pressure.
///
/// Pure: the association itself (SCTP) lives on a thread of its own. What it delivers is handed in
/// here, what is to be done comes out in a `DataOutput`.
package struct DataChannels: Sendable {
    private enum State { case opening, open, closing }

    private struct Channel {
        var terms: DataChannelTerms
        var state: State
        /// Bytes handed to the association that it has not sent yet.
        var buffered = 0
        var isWaitingForRoom = false
    }

    /// A message larger than this is refused in both directions; the answer says so in SDP.
    package static let messageMaximum = 256 * 1024
    /// More channels than any page opens; each is a label and a few numbers.
    package static let channelsMaximum = 128
    /// Bytes waiting in one channel before `send` refuses: a second of the largest sensible rate.
    package static let bufferedMaximum = 1024 * 1024
    /// When what waits falls below this, the owner is told that there is room.
    package static let bufferedLow = 256 * 1024

    private var channels: [UInt16: Channel] = [:]
    /// RFC 8832 §6: the DTLS client opens even streams, the server odd ones.
    private var nextStream: UInt16

    package init(isDTLSClient: Bool) { nextStream = isDTLSClient ? 0 : 1 }

    package var count: Int { channels.count }

    package func terms(of stream: UInt16) -> DataChannelTerms? { channels[stream]?.terms }

    /// Opens a channel from our side. Messages may follow at once (RFC 8832 §6).
    /// - Returns: Its stream; `nil` when there are too many.
    package mutating func open(_ terms: DataChannelTerms, into out: inout DataOutput) -> UInt16? {
        guard channels.count < Self.channelsMaximum, let stream = freeStream() else { return nil }
        channels[stream] = Channel(terms: terms, state: .opening)
        let range = out.store { DCEPMessage.open(terms).write(into: &$0) }
        out.append(.send(stream: stream, .control, .control, range))
        return stream
    }

    /// - Returns: Whether it was taken; `false`: no such channel, too large, or too much waits.
    package mutating func send(
        _ bytes: RawSpan, isText: Bool, on stream: UInt16, into out: inout DataOutput
    ) -> Bool {
        guard let channel = channels[stream], channel.state != .closing,
            bytes.byteCount <= Self.messageMaximum
        else { return false }
        guard channel.buffered + bytes.byteCount <= Self.bufferedMaximum else {
            channels[stream]?.isWaitingForRoom = true
            return false
        }
        let isEmpty = bytes.byteCount == 0
        let payload: DataPayload =
            isText ? (isEmpty ? .emptyText : .text) : (isEmpty ? .emptyBinary : .binary)
        let range = isEmpty ? out.store { $0.append(0) } : out.store(bytes)
        // Until the peer has acknowledged the channel, everything must come after the OPEN message.
        let delivery =
            channel.state == .opening
            ? DataDelivery(ordered: true, reliability: channel.terms.reliability)
            : DataDelivery(ordered: channel.terms.ordered, reliability: channel.terms.reliability)
        channels[stream]?.buffered += range.count
        out.append(.send(stream: stream, payload, delivery, range))
        return true
    }

    package mutating func close(_ stream: UInt16, into out: inout DataOutput) {
        guard let channel = channels[stream], channel.state != .closing else { return }
        channels[stream]?.state = .closing
        out.append(.reset(stream: stream))
    }

    /// The association delivered a whole message.
    package mutating func receive(
        _ bytes: RawSpan, payload: UInt32, on stream: UInt16, into out: inout DataOutput
    ) {
        guard bytes.byteCount <= Self.messageMaximum else {
            out.append(.abort(.messageTooLarge))
            return
        }
        switch DataPayload(rawValue: payload) {
        case .control: receiveControl(bytes, on: stream, into: &out)
        case .text: deliver(bytes, isText: true, on: stream, into: &out)
        case .binary: deliver(bytes, isText: false, on: stream, into: &out)
        case .emptyText: deliver(RawSpan(), isText: true, on: stream, into: &out)
        case .emptyBinary: deliver(RawSpan(), isText: false, on: stream, into: &out)
        case nil: break  // A payload nobody has defined: RFC 8831 §8 names no answer.
        }
    }

    /// The peer reset its side of a stream: we reset ours (RFC 8831 §6.7), and it is closed.
    package mutating func receiveReset(of stream: UInt16, into out: inout DataOutput) {
        guard let channel = channels.removeValue(forKey: stream) else { return }
        if channel.state != .closing { out.append(.reset(stream: stream)) }
        out.append(.closed(stream: stream))
    }

    /// The association has sent bytes that were waiting.
    package mutating func receiveSent(
        _ count: Int, on stream: UInt16, into out: inout DataOutput
    ) {
        guard var channel = channels[stream] else { return }
        channel.buffered = max(0, channel.buffered - count)
        if channel.isWaitingForRoom, channel.buffered <= Self.bufferedLow {
            channel.isWaitingForRoom = false
            out.append(.writable(stream: stream))
        }
        channels[stream] = channel
    }

    private mutating func receiveControl(
        _ bytes: RawSpan, on stream: UInt16, into out: inout DataOutput
    ) {
        switch try? DCEPMessage(bytes) {
        case .acknowledge:
            guard channels[stream]?.state == .opening else { return }
            channels[stream]?.state = .open
            if let terms = channels[stream]?.terms { out.append(.opened(stream: stream, terms)) }
        case .open(let terms): accept(terms, on: stream, into: &out)
        case nil: out.append(.abort(.badControlMessage))
        }
    }

    private mutating func accept(
        _ terms: DataChannelTerms, on stream: UInt16, into out: inout DataOutput
    ) {
        // RFC 8832 §6: a stream that is in use, or of our parity, may not be opened by the peer.
        guard channels[stream] == nil, stream & 1 != nextStream & 1 else {
            out.append(.reset(stream: stream))
            return
        }
        guard channels.count < Self.channelsMaximum else {
            out.append(.abort(.tooManyChannels))
            return
        }
        channels[stream] = Channel(terms: terms, state: .open)
        let range = out.store { DCEPMessage.acknowledge.write(into: &$0) }
        out.append(.send(stream: stream, .control, .control, range))
        out.append(.opened(stream: stream, terms))
    }

    private mutating func deliver(
        _ bytes: RawSpan, isText: Bool, on stream: UInt16, into out: inout DataOutput
    ) {
        guard let channel = channels[stream], channel.state != .closing else { return }
        // RFC 8832 §6: any message of the peer says as much as its acknowledgement.
        if channel.state == .opening {
            channels[stream]?.state = .open
            out.append(.opened(stream: stream, channel.terms))
        }
        out.append(.message(stream: stream, isText: isText, out.store(bytes)))
    }

    private mutating func freeStream() -> UInt16? {
        for _ in 0...Self.channelsMaximum {
            let stream = nextStream
            // 1,024 streams are negotiated; the parity stays.
            nextStream = (nextStream + 2) % 1024
            if channels[stream] == nil { return stream }
        }
        return nil
    }
}
