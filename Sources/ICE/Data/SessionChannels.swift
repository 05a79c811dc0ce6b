import Media
package import Stream
package import Wire

/// The data channels of one session and what travels on them: what a publisher says goes to the
/// slot `data0` of its stream, what the stream says goes to a viewer's channels, a channel named
/// `echo` sends back what comes, for the self-test of the page, and on one named `control` the page
/// and the gateway talk to each other.
struct SessionChannels: Sendable {
    static let echoLabel = "echo"
    static let controlLabel = "control"
    /// A command is a name and a credential; the longest are tokens of a few hundred bytes.
    static let commandMaximum = 4 * 1024
    static let announcement = AnnouncedSlot(
        slot: .data, format: Format(codec: .data, clockRate: 1000), form: .frames)

    private var channels: DataChannels
    private var output = DataOutput()
    private var allowance = MessageAllowance()
    private var commands = MessageAllowance()
    private var hasAnnounced = false
    /// Channels of the peer that are open, but for its echo and its control.
    private var listeners: [UInt16] = []
    private var control: UInt16?
    /// Messages of a publisher beyond its allowance, commands that were too many or too long, and
    /// what a peer had no room for.
    private(set) var dropped = 0

    init(isDTLSClient: Bool) { channels = DataChannels(isDTLSClient: isDTLSClient) }

    /// A whole message of the peer. A publisher's is written into `effects` as a frame of `data0`.
    mutating func receive(
        _ message: RawSpan, payload: UInt32, on stream: UInt16, isPublisher: Bool,
        at now: Instant, into out: inout RTCOutput, effects: inout Effects
    ) {
        channels.receive(message, payload: payload, on: stream, into: &output)
        act(isPublisher: isPublisher, at: now, into: &out, effects: &effects)
    }

    mutating func receiveReset(
        of stream: UInt16, at now: Instant, into out: inout RTCOutput, effects: inout Effects
    ) {
        channels.receiveReset(of: stream, into: &output)
        act(isPublisher: false, at: now, into: &out, effects: &effects)
    }

    mutating func receiveSent(_ count: Int, on stream: UInt16, into out: inout RTCOutput) {
        channels.receiveSent(count, on: stream, into: &output)
        flush(into: &out)
    }

    /// A frame of the stream's `data0`: its first byte says whether it is text.
    mutating func deliver(_ frame: RawSpan, into out: inout RTCOutput) {
        guard frame.byteCount > 0 else { return }
        let message = frame.extracting(1..<frame.byteCount)
        for stream in listeners
        where !channels.send(message, isText: frame.byte(at: 0) == 1, on: stream, into: &output) {
            dropped += 1
        }
        flush(into: &out)
    }

    /// Words of the gateway for the page.
    mutating func tell(_ text: RawSpan, into out: inout RTCOutput) {
        guard let control else { return }
        if !channels.send(text, isText: true, on: control, into: &output) { dropped += 1 }
        flush(into: &out)
    }

    private mutating func act(
        isPublisher: Bool, at now: Instant, into out: inout RTCOutput, effects: inout Effects
    ) {
        let entries = output.entries
        for entry in entries {
            switch entry {
            case .opened(let stream, let terms): open(stream, terms, into: &out)
            case .closed(let stream):
                listeners.removeAll { $0 == stream }
                if control == stream { control = nil }
            case .message(let stream, let isText, let range):
                let label = channels.terms(of: stream)?.label
                if label == Self.echoLabel {
                    echo(range, isText, stream)
                } else if label == Self.controlLabel {
                    command(range, isText, at: now, into: &out)
                } else if isPublisher {
                    publish(range, isText, at: now, into: &effects)
                }
            case .send, .reset, .abort, .writable: break
            }
        }
        flush(into: &out)
    }

    /// A second channel for control is one too many: the first keeps the word.
    private mutating func open(
        _ stream: UInt16, _ terms: DataChannelTerms, into out: inout RTCOutput
    ) {
        switch terms.label {
        case Self.echoLabel: break
        case Self.controlLabel:
            guard control == nil else { return }
            control = stream
            out.append(.controlOpened)
        default: listeners.append(stream)
        }
    }

    private mutating func command(
        _ range: Range<Int>, _ isText: Bool, at now: Instant, into out: inout RTCOutput
    ) {
        guard isText, range.count <= Self.commandMaximum, commands.admits(range.count, at: now)
        else { return dropped += 1 }
        let bytes = output.bytes
        let stored = out.store(bytes.raw.extracting(range))
        out.append(.command(stored))
    }

    private mutating func echo(_ range: Range<Int>, _ isText: Bool, _ stream: UInt16) {
        let bytes = output.bytes
        let taken = channels.send(
            bytes.raw.extracting(range), isText: isText, on: stream, into: &output)
        if !taken { dropped += 1 }
    }

    private mutating func publish(
        _ range: Range<Int>, _ isText: Bool, at now: Instant, into effects: inout Effects
    ) {
        guard allowance.admits(range.count, at: now) else { return dropped += 1 }
        // Not with the claim: a stream is not to wait for a message that may never be sent.
        if !hasAnnounced {
            hasAnnounced = true
            effects.append(.announce(IncomingMedia.channel, Self.announcement))
        }
        let kind: [UInt8] = [isText ? 1 : 0]
        let bytes = output.bytes
        effects.beginFrame()
        effects.write(kind.raw)
        effects.write(bytes.raw.extracting(range))
        let meta = ItemMeta(
            ticks: now.nanoseconds / 1_000_000, arrival: now, length: range.count + 1,
            flags: [.frameStart, .frameEnd, .key])
        effects.endFrame(meta, channel: IncomingMedia.channel, slot: .data)
    }

    /// What the association is to do.
    private mutating func flush(into out: inout RTCOutput) {
        let (entries, bytes) = (output.entries, output.bytes)
        for entry in entries {
            switch entry {
            case .send(let stream, let payload, let delivery, let range):
                let stored = out.store(bytes.raw.extracting(range))
                out.append(.channelSend(stream: stream, payload, delivery, stored))
            case .reset(let stream): out.append(.channelReset(stream: stream))
            case .abort(let reason): out.append(.channelAbort(reason))
            case .opened, .message, .writable, .closed: break
            }
        }
        output.clear()
    }
}

/// What the association, which lives on a thread of its own, says.
extension RTCSession {
    /// A message has come, whole.
    package func received(
        message: RawSpan, payload: UInt32, on stream: UInt16, at now: Instant,
        into out: inout RTCOutput, effects: inout Effects
    ) {
        guard !isClosed else { return }
        channels?.receive(
            message, payload: payload, on: stream,
            isPublisher: hasName && negotiated.role == .publish, at: now, into: &out,
            effects: &effects)
    }

    package func receivedReset(
        of stream: UInt16, at now: Instant, into out: inout RTCOutput, effects: inout Effects
    ) {
        guard !isClosed else { return }
        channels?.receiveReset(of: stream, at: now, into: &out, effects: &effects)
    }

    /// The association took, or refused for good, what waited.
    package func sent(_ count: Int, on stream: UInt16, into out: inout RTCOutput) {
        guard !isClosed else { return }
        channels?.receiveSent(count, on: stream, into: &out)
    }

    /// A frame of the stream's `data0` for a viewer: what its channels have no room for is dropped.
    package func deliver(data frame: RawSpan, into out: inout RTCOutput) {
        guard !isClosed else { return }
        channels?.deliver(frame, into: &out)
    }

    /// Words of the gateway, on the channel named `control` if the peer has opened one.
    package func tell(control text: RawSpan, into out: inout RTCOutput) {
        guard !isClosed else { return }
        channels?.tell(text, into: &out)
    }

    /// The association is over; the session goes on, and needs its tunnel no longer.
    package func channelsEnded(at now: Instant) {
        channels = nil
        releaseAt = now
    }

    package var droppedMessages: Int { channels?.dropped ?? 0 }
}
