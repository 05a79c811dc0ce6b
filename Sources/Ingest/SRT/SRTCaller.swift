import Containers
import Media
package import Stream
package import Wire

/// The end of a call that we make: fetches a stream (pull) or brings one (push).
///
/// libsrt's thread says that the call was taken with a packet of nothing (`SRTCaller.greeting`):
/// until then there is nothing to publish, and nothing is read for somebody who may not be there.
package final class SRTCaller: LinkSession {
    /// One null packet of a transport stream.
    package static let greeting: [UInt8] =
        [0x47, 0x1f, 0xff, 0x10] + [UInt8](repeating: 0xff, count: 184)
    /// The library gives up after its own patience; this is for a thread that hangs.
    private static let callPatience = Interval.seconds(12)

    private enum Phase { case calling, asking, running, over }

    private let seed: LinkSeed
    private var phase = Phase.calling
    private var intake = TSIntake(channel: SRTSession.channel)
    private var outlet: SRTOutlet
    private var since = Instant.start
    private let question: QuestionID = 1
    package private(set) var ending: LinkEnding?

    package init(_ seed: LinkSeed) {
        self.seed = seed
        outlet = SRTOutlet(TSFeed(), at: .start)
    }

    package var isRunning: Bool { phase == .running }
    package var isEstablished: Bool { true }
    package var wantsBytes: Bool { phase != .asking }

    package func start(at now: Instant, into effects: inout Effects, out: inout Outbox) {
        since = now
    }

    package func receive(
        _ bytes: RawSpan, at now: Instant, into effects: inout Effects, out: inout Outbox
    ) -> Int {
        switch phase {
        case .calling:
            phase = .asking
            since = now
            ask(&effects)
            return min(bytes.byteCount, Self.greeting.count)
        case .asking: return 0
        case .running where seed.purpose == .pull:
            do throws(Refusal) { try intake.receive(bytes, at: now, into: &effects) } catch {
                end(.failed(error.description), &effects)
            }
            return bytes.byteCount
        case .running, .over: return bytes.byteCount
        }
    }

    private func ask(_ effects: inout Effects) {
        switch seed.purpose {
        case .pull:
            let publication = Publication(
                principal: .configured, protocolName: "srt", slots: [])
            effects.ask(
                .publish(
                    SRTSession.channel, name: seed.name, Credential(), peer: seed.peer,
                    publication), question)
        case .push:
            effects.ask(
                .subscribe(
                    SRTSession.channel, name: seed.name, Credential(), peer: seed.peer,
                    SRTOutlet.subscription(patience: SRTSession.playPatience)), question)
        }
    }

    package func answer(
        _ answer: Answer, to id: QuestionID, at now: Instant, into effects: inout Effects,
        out: inout Outbox
    ) {
        guard phase == .asking else { return }
        since = now
        switch answer {
        case .published: phase = .running
        case .subscribed(let snapshot):
            if let refusal = OutletStart.refusal(snapshot, to: .mpegTS) {
                return end(.failed(refusal.description), &effects)
            }
            outlet.begin(snapshot, at: now)
            phase = .running
        case .refused(let refusal): end(.failed(refusal.description), &effects)
        case .allowed, .lines: break
        }
    }

    package func notice(
        _ notice: Notice, at now: Instant, into effects: inout Effects, out: inout Outbox
    ) {
        switch notice {
        case .changed(_, let snapshot): outlet.update(snapshot)
        case .ended(_, let reason): end(.failed("ended here: \(reason.rawValue)"), &effects)
        case .keyWanted, .demand: break
        }
    }

    package func begin(
        _ present: [PresentSlot], channel: ChannelID, at now: Instant, out: inout Outbox
    ) -> Bool { outlet.begin(present, at: now) }

    package func send(_ item: borrowing ReadItem, out: inout Outbox) { outlet.send(item, &out) }

    /// Why, the thread of libsrt knows: its words come instead of these (`Worker+SRT`).
    package func receiveEnd(
        at now: Instant, into effects: inout Effects, out: inout Outbox
    ) { end(nil, &effects) }

    package var deadline: Instant {
        switch phase {
        case .calling, .asking: since + Self.callPatience
        case .running where seed.purpose == .pull:
            min(intake.deadline, (intake.lastMedia ?? since) + SRTSession.publisherSilence)
        case .running: outlet.deadline
        case .over: .distantFuture
        }
    }

    package func expire(at now: Instant, into effects: inout Effects, out: inout Outbox) {
        guard now >= deadline else { return }
        switch phase {
        case .calling, .asking: end(.failed("no answer in 12 s"), &effects)
        case .running where seed.purpose == .pull:
            intake.expire(at: now, into: &effects)
            if now >= (intake.lastMedia ?? since) + SRTSession.publisherSilence {
                end(.failed("no media for 10 s"), &effects)
            }
        case .running: outlet.expire(at: now)
        case .over: break
        }
    }

    private func end(_ why: LinkEnding?, _ effects: inout Effects) {
        guard phase != .over else { return }
        phase = .over
        ending = why
        effects.append(.close(.done))
    }
}
