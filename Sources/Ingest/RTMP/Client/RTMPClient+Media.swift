import Containers
import Media
package import Stream
package import Wire

// What comes (pull) and what goes (push), once both sides have agreed.
extension RTMPClient {
    func publish(at now: Instant, _ effects: inout Effects) {
        let publication = Publication(
            principal: .configured, protocolName: "rtmp-pull", slots: [])
        let question = Question.publish(
            Self.channel, name: name, Credential(), peer: peer, publication)
        ask(question, at: now, &effects)
    }

    func subscribe(at now: Instant, _ effects: inout Effects) {
        // A publisher that has just come has no media yet: some servers take one connection only,
        // and it must not be lost for that.
        let subscription = OutletStart.subscription(
            video: [.h264, .h265, .av1, .vp9], patience: Self.readyPatience)
        let question = Question.subscribe(
            Self.channel, name: name, Credential(), peer: peer, subscription)
        ask(question, at: now, &effects)
    }

    /// Nothing more is taken from the server until the gateway has answered.
    private func ask(_ asked: Question, at now: Instant, _ effects: inout Effects) {
        phase = .running
        stepDeadline = now + Self.patience
        question &+= 1
        isParked = true
        effects.ask(asked, question)
    }

    func receive(
        _ kind: FLVTag.Kind, _ body: RawSpan, _ stamp: UInt32, at now: Instant,
        _ effects: inout Effects
    ) {
        guard isPublished else {
            // Some servers begin without a word: what is lost is what came before the answer.
            if purpose == .pull, phase == .asking { publish(at: now, &effects) }
            return
        }
        stepDeadline = now + Self.patience
        do throws(Refusal) {
            try intake.receive(kind, body, stamp: stamp, at: now, into: &effects)
        } catch {
            end(.failed(error.description), &effects)
        }
    }

    package func answer(
        _ answer: Answer, to id: QuestionID, at now: Instant, into effects: inout Effects,
        out: inout Outbox
    ) {
        guard id == question else { return }
        isParked = false
        switch answer {
        case .published:
            isPublished = true
            stepDeadline = now + Self.patience
        case .subscribed(let snapshot):
            if let refusal = OutletStart.refusal(snapshot, to: .rtmp) {
                return end(.failed(refusal.description), &effects)
            }
            // There is no end to it: the publisher here may pause as long as its place is kept.
            stepDeadline = .distantFuture
            viewer = RTMPChannel.Play(
                name: name, outlet: FLVOutlet(.enhanced),
                start: OutletStart(snapshot, to: .rtmp, at: now))
        case .refused(let refusal): end(.failed(refusal.description), &effects)
        case .allowed, .lines: break
        }
    }

    package func begin(
        _ present: [PresentSlot], channel: ChannelID, at now: Instant, out: inout Outbox
    ) -> Bool {
        guard viewer?.start.begin(present, at: now) == true else { return false }
        viewer?.outlet.note(present)
        var metadata: [UInt8] = []
        AMF0Writer.write([.string("@setDataFrame")], into: &metadata)
        metadata += FLVBody.metadata(present.map(\.format), .enhanced)
        writer.write(.dataAMF0, metadata, stream: stream, stamp: 0, into: &out)
        writer.write(configurationsOf: present, .enhanced, stream: stream, into: &out)
        return true
    }

    package func send(_ item: borrowing ReadItem, out: inout Outbox) {
        guard let piece = viewer?.outlet.next(item) else { return }
        writer.write(piece, item.bytes, item.chunk, stream: stream, into: &out)
    }

    package func notice(
        _ notice: Notice, at now: Instant, into effects: inout Effects, out: inout Outbox
    ) {
        switch notice {
        case .changed(_, let snapshot): viewer?.start.update(snapshot)
        case .ended(_, let reason):
            if purpose == .push, let place {
                let name = AMFValue.string(place.stream)
                say(RTMPCommand("FCUnpublish", 6, .null, [name]), on: 0, &out)
                let id = AMFValue.number(Double(stream))
                say(RTMPCommand("deleteStream", 7, .null, [id]), on: 0, &out)
            }
            end(.failed("ended here: \(reason.rawValue)"), &effects)
        case .keyWanted, .demand: break
        }
    }
}
