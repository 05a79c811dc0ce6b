import Containers
import Media
import SRT
import Stream
import Testing
import Wire

/// A connection of SRT as its worker has it, on a clock that the test holds.
struct SRTSessionTests {
    private final class Talk {
        var effects = Effects()
        var out = Outbox(limit: 1 << 20)
        var now = Instant.start + .seconds(50)

        var questions: [Question] {
            effects.list.compactMap { if case .ask(let question, _) = $0 { question } else { nil } }
        }

        var endings: [EndReason] {
            effects.list.compactMap { if case .close(let reason) = $0 { reason } else { nil } }
        }
    }

    private static let peer = Address(ipv4: 0x7f00_0001, port: 9)

    private func session(_ id: String, _ talk: Talk) throws -> SRTSession {
        let session = SRTSession(
            try SRTRequest(id), peer: Self.peer, feed: nil, at: talk.now)
        session.start(at: talk.now, into: &talk.effects)
        return session
    }

    /// Tables and no media yet.
    private static let nothing = [0x47, 0x1f, 0xff, 0x10] + [UInt8](repeating: 0xff, count: 184)

    @Test func whoPublishesIsAskedForAndReadOnlyWhenAllowed() throws {
        let talk = Talk()
        let session = try session("publish:live/a:me:secret", talk)
        guard
            case .publish(_, let name, let credential, let peer, let publication)? =
                talk.questions.first
        else {
            Issue.record("nothing was asked")
            return
        }
        #expect(name == "live/a" && credential.password == "secret" && peer == Self.peer)
        #expect(publication.protocolName == "srt")
        #expect(!session.wantsBytes, "media waits in its socket")
        session.answer(
            .published(1), to: 1, at: talk.now, into: &talk.effects, out: &talk.out)
        #expect(session.wantsBytes && talk.endings.isEmpty)
    }

    @Test func aRefusalEndsIt() throws {
        let talk = Talk()
        let session = try session("publish:live/a", talk)
        let refusal = Refusal(.nameInUse, "somebody else")
        session.answer(
            .refused(refusal), to: 1, at: talk.now, into: &talk.effects, out: &talk.out)
        #expect(talk.endings == [.done])
    }

    @Test func noAnswerAndNoMediaEndItInTime() throws {
        let talk = Talk()
        let asking = try session("publish:live/a", talk)
        #expect(asking.deadline == talk.now + .seconds(12))
        let silent = try session("publish:live/b", talk)
        silent.answer(
            .published(1), to: 1, at: talk.now, into: &talk.effects, out: &talk.out)
        #expect(silent.deadline == talk.now + .seconds(2))
        talk.now = talk.now + .seconds(2)
        silent.expire(at: talk.now, into: &talk.effects, out: &talk.out)
        #expect(talk.effects.list.contains(.silence(1, true)), "the next may have its name")
        talk.now = talk.now + .seconds(7)
        _ = silent.receive(
            Self.nothing.raw, at: talk.now, into: &talk.effects, out: &talk.out)
        silent.expire(at: talk.now, into: &talk.effects, out: &talk.out)
        #expect(talk.endings.isEmpty)
        talk.now = talk.now + .seconds(1)
        silent.expire(at: talk.now, into: &talk.effects, out: &talk.out)
        #expect(talk.endings == [.silent], "packets of nothing are not media")
    }

    @Test func aPlayerWithoutAFirstFrameDoesNotKeepItsWorkerAwake() throws {
        let talk = Talk()
        let session = try session("read:live/a", talk)
        session.answer(
            .subscribed(StreamSnapshot(name: "live/a")), to: 1, at: talk.now,
            into: &talk.effects, out: &talk.out)
        #expect(session.deadline == talk.now + .milliseconds(2_500))
        talk.now = session.deadline
        session.expire(at: talk.now, into: &talk.effects, out: &talk.out)
        #expect(session.deadline == .distantFuture && talk.endings.isEmpty)
    }

    @Test func aCallBeginsWhenItIsTaken() throws {
        let talk = Talk()
        let url = try LinkURL("srt://192.0.2.1:9000?streamid=read:live/a")
        let caller = SRTCaller(
            LinkSeed(.pull, url, name: "live/b", peer: Self.peer, random: 1))
        caller.start(at: talk.now, into: &talk.effects, out: &talk.out)
        #expect(talk.questions.isEmpty && !caller.isRunning)
        let count = caller.receive(
            (SRTCaller.greeting + Self.nothing).raw, at: talk.now, into: &talk.effects,
            out: &talk.out)
        #expect(count == SRTCaller.greeting.count, "what follows waits for the answer")
        guard case .publish(_, "live/b", _, _, let publication)? = talk.questions.first else {
            Issue.record("nothing was asked")
            return
        }
        #expect(publication.principal == .configured)
        caller.answer(
            .published(1), to: 1, at: talk.now, into: &talk.effects, out: &talk.out)
        #expect(caller.isRunning)
    }

    @Test func aCallThatNobodyTakesEnds() throws {
        let talk = Talk()
        let url = try LinkURL("srt://192.0.2.1:9000?streamid=publish:live/a")
        let caller = SRTCaller(
            LinkSeed(.push, url, name: "live/b", peer: Self.peer, random: 1))
        caller.start(at: talk.now, into: &talk.effects, out: &talk.out)
        talk.now = talk.now + .seconds(12)
        caller.expire(at: talk.now, into: &talk.effects, out: &talk.out)
        #expect(caller.ending == .failed("no answer in 12 s") && talk.endings == [.done])
    }
}
