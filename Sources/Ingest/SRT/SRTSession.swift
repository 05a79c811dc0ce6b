package import Containers
import Media
package import Stream
package import Wire

/// One SRT connection as a worker has it: whole transport packets, in one direction. What the
/// caller wants was read from its stream id before; libsrt's part is another thread's.
package final class SRTSession: ByteSession {
    /// The gateway may take so long to answer: hooks have 10 s.
    private static let answerPatience = Interval.seconds(12)
    /// How long a player waits for a publisher.
    static let playPatience = Interval.seconds(10)
    static let publisherSilence = Interval.seconds(10)
    /// libsrt takes 5 s to notice that a caller is gone without a word, and encoders call again at
    /// once: who has been silent for so long does not keep the name from the next.
    private static let nameKept = Interval.seconds(2)
    static let channel: ChannelID = 1

    private enum Phase { case asking, publishing, playing, over }

    private let request: SRTRequest
    private let peer: Address
    private var phase = Phase.asking
    private var question: QuestionID = 1
    private var intake: TSIntake
    private var outlet: SRTOutlet
    private var since: Instant
    private var isSilent = false

    /// - Parameter feed: What all readers of this stream at this worker share.
    package init(_ request: SRTRequest, peer: Address, feed: TSFeed?, at now: Instant) {
        self.request = request
        self.peer = peer
        since = now
        intake = TSIntake(channel: Self.channel)
        outlet = SRTOutlet(feed ?? TSFeed(), at: now)
    }

    /// The connection stands.
    package func start(at now: Instant, into effects: inout Effects) {
        since = now
        switch request.mode {
        case .publish:
            let publication = Publication(principal: .local, protocolName: "srt", slots: [])
            effects.ask(
                .publish(
                    Self.channel, name: request.name, request.credential, peer: peer, publication),
                question)
        case .read:
            effects.ask(
                .subscribe(
                    Self.channel, name: request.name, request.credential, peer: peer,
                    SRTOutlet.subscription(patience: Self.playPatience)), question)
        }
    }

    package func receive(
        _ bytes: RawSpan, at now: Instant, into effects: inout Effects, out: inout Outbox
    ) -> Int {
        guard phase == .publishing else { return bytes.byteCount }
        do throws(Refusal) { try intake.receive(bytes, at: now, into: &effects) } catch {
            phase = .over
            effects.append(.unpublish(Self.channel, .protocolError))
            effects.append(.close(.protocolError))
        }
        if isSilent, intake.lastMedia == now {
            isSilent = false
            effects.append(.silence(Self.channel, false))
        }
        return bytes.byteCount
    }

    package func answer(
        _ answer: Answer, to id: QuestionID, at now: Instant, into effects: inout Effects,
        out: inout Outbox
    ) {
        guard id == question, phase == .asking else { return }
        since = now
        switch answer {
        case .published: phase = .publishing
        case .subscribed(let snapshot):
            if OutletStart.refusal(snapshot, to: .mpegTS) != nil {
                phase = .over
                return effects.append(.close(.codecChanged))
            }
            outlet.begin(snapshot, at: now)
            phase = .playing
        case .refused:
            phase = .over
            effects.append(.close(.done))
        case .allowed, .lines: break
        }
    }

    package func notice(
        _ notice: Notice, at now: Instant, into effects: inout Effects, out: inout Outbox
    ) {
        switch notice {
        case .changed(_, let snapshot): outlet.update(snapshot)
        case .ended(_, let reason):
            phase = .over
            effects.append(.close(reason))
        // SRT has no way to ask an encoder for a key frame.
        case .keyWanted, .demand: break
        }
    }

    package func begin(
        _ present: [PresentSlot], channel: ChannelID, at now: Instant, out: inout Outbox
    ) -> Bool { outlet.begin(present, at: now) }

    package func send(_ item: borrowing ReadItem, out: inout Outbox) { outlet.send(item, &out) }

    package func receiveEnd(
        at now: Instant, into effects: inout Effects, out: inout Outbox
    ) {
        phase = .over
        effects.append(.close(.done))
    }

    package var isEstablished: Bool { true }
    /// While it waits for its answer, what comes stays where it is: up to a second of media.
    package var wantsBytes: Bool { phase != .asking || request.mode == .read }

    package var deadline: Instant {
        switch phase {
        case .asking: since + Self.answerPatience
        case .publishing:
            min(
                intake.deadline,
                (intake.lastMedia ?? since) + (isSilent ? Self.publisherSilence : Self.nameKept))
        case .playing: outlet.deadline
        case .over: .distantFuture
        }
    }

    package func expire(at now: Instant, into effects: inout Effects, out: inout Outbox) {
        guard now >= deadline else { return }
        switch phase {
        case .asking: effects.append(.close(.silent))
        case .publishing:
            intake.expire(at: now, into: &effects)
            let last = intake.lastMedia ?? since
            if !isSilent, now >= last + Self.nameKept {
                isSilent = true
                effects.append(.silence(Self.channel, true))
            }
            if now >= last + Self.publisherSilence {
                phase = .over
                effects.append(.close(.silent))
            }
        case .playing: outlet.expire(at: now)
        case .over: break
        }
    }
}

/// What a reader is sent: a transport stream, as over HTTP.
struct SRTOutlet {
    private let feed: TSFeed
    private var place = TSFeed.Place()
    private var start: OutletStart?
    /// Kept, so that nothing is allocated for an item.
    private var splice: [UInt8] = []

    init(_ feed: TSFeed, at now: Instant) { self.feed = feed }

    static func subscription(patience: Interval) -> Subscription {
        OutletStart.subscription(
            video: [.h264, .h265], audio: [.aac, .mp2, .mp3, .ac3, .eac3], patience: patience)
    }

    mutating func begin(_ snapshot: StreamSnapshot, at now: Instant) {
        start = OutletStart(snapshot, to: .mpegTS, at: now)
    }

    mutating func update(_ snapshot: StreamSnapshot) { start?.update(snapshot) }

    var deadline: Instant { start?.deadline ?? .distantFuture }
    mutating func expire(at now: Instant) { start?.expire(at: now) }

    mutating func begin(_ present: [PresentSlot], at now: Instant) -> Bool {
        guard start?.begin(present, at: now) == true else { return false }
        // The tables come before the first key frame.
        feed.note(present)
        return true
    }

    mutating func send(_ item: borrowing ReadItem, _ out: inout Outbox) {
        splice.removeAll(keepingCapacity: true)
        guard let packets = feed.packets(item, for: &place, splice: &splice) else { return }
        if !splice.isEmpty { out.append(splice) }
        switch packets {
        case .own(let bytes): out.append(bytes)
        case .shared(let chunk): out.append(chunk)
        }
    }
}
