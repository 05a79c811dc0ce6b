import Containers
import Media
package import Stream
package import Wire

// Encoders.
extension RTMPSession {
    /// What the gateway may take to answer: hooks have 10 s.
    private static let answerPatience = Interval.seconds(12)

    func publish(
        _ command: RTMPCommand, on stream: UInt32, at now: Instant, _ effects: inout Effects,
        _ out: inout Outbox
    ) {
        let text = command.text(0) ?? ""
        guard let index = channelIndex(stream, at: now), case .idle = channels[index].use else {
            let status = RTMPStatus(
                "NetStream.Publish.BadName",
                "this connection publishes or plays already; open another one", isError: true)
            return say(status, on: stream, &out)
        }
        let address = RTMPAddress(tcURL: tcURL, app: app, stream: text)
        channels[index].use = .asking(address, isPublish: true)
        isParked = true
        let publication = Publication(principal: .local, protocolName: "rtmp", slots: [])
        ask(
            .publish(
                ChannelID(stream), name: address.name, address.credential, peer: peer,
                publication), for: stream, patience: Self.answerPatience, at: now, &effects)
    }

    package func answer(
        _ answer: Answer, to id: QuestionID, at now: Instant, into effects: inout Effects,
        out: inout Outbox
    ) {
        guard questions.close(id) else { return }
        if case .refused(let refusal) = answer {
            return refuse(refusal, id, at: now, &effects, &out)
        }
        guard let stream = asked.removeValue(forKey: id) else { return }
        isParked = false
        guard let index = channels.firstIndex(where: { $0.id == stream }),
            case .asking(let address, _) = channels[index].use
        else { return }
        channels[index].idleSince = now
        switch answer {
        case .published: begin(index, address, &out)
        case .subscribed(let snapshot):
            beginPlaying(index, address, snapshot, at: now, &effects, &out)
        case .allowed, .refused, .lines: break
        }
    }

    private func begin(_ index: Int, _ address: RTMPAddress, _ out: inout Outbox) {
        let stream = channels[index].id
        channels[index].use = .publishing(FLVIntake(channel: ChannelID(stream)))
        writer.userControl(.streamBegin(stream), into: &out)
        let status = RTMPStatus("NetStream.Publish.Start", "\(address.name) is being published")
        say(status, on: stream, &out)
    }

    /// A no from the gateway: in the codes that encoders know, with the sentence that they show.
    func refuse(
        _ refusal: Refusal, _ id: QuestionID, at now: Instant, _ effects: inout Effects,
        _ out: inout Outbox
    ) {
        isParked = false
        guard let stream = asked.removeValue(forKey: id),
            let index = channels.firstIndex(where: { $0.id == stream }),
            case .asking(_, let isPublish) = channels[index].use
        else { return }
        channels[index].use = .idle
        channels[index].idleSince = now
        let code = isPublish ? Self.publishCode(refusal.code) : Self.playCode(refusal.code)
        let status = RTMPStatus(code, Self.sentence(refusal, isPublish), isError: true)
        say(status, on: stream, &out)
        effects.append(.close(.done))
    }

    private static func publishCode(_ code: Refusal.Code) -> String {
        switch code {
        case .unauthenticated, .forbidden: "NetStream.Publish.Denied"
        case .unsupportedCodec, .tooMany, .overloaded, .outOfMemory, .shuttingDown, .timeout:
            "NetStream.Publish.Rejected"
        default: "NetStream.Publish.BadName"
        }
    }

    private static func playCode(_ code: Refusal.Code) -> String {
        switch code {
        case .notFound, .badName, .timeout, .sourceFailed: "NetStream.Play.StreamNotFound"
        default: "NetStream.Play.Failed"
        }
    }

    private static func sentence(_ refusal: Refusal, _ isPublish: Bool) -> String {
        guard refusal.code == .unauthenticated || refusal.code == .forbidden else {
            return "\(refusal)"
        }
        let place = isPublish ? "the stream key" : "the stream's name"
        return "\(refusal). Put ?token=KEY behind \(place)"
    }

    // MARK: - Media

    func receive(
        _ kind: FLVTag.Kind, _ body: RawSpan, _ header: RTMPMessageHeader, at now: Instant,
        _ effects: inout Effects, _ out: inout Outbox
    ) {
        guard let index = channels.firstIndex(where: { $0.id == header.stream }),
            case .publishing(var intake) = channels[index].use
        else { return }
        // Out of the array while it is used: its buffers stay its own.
        channels[index].use = .idle
        do throws(Refusal) {
            try intake.receive(kind, body, stamp: header.stamp, at: now, into: &effects)
            channels[index].use = .publishing(intake)
        } catch {
            let status = RTMPStatus(
                "NetStream.Publish.Rejected", error.description, isError: true)
            say(status, on: header.stream, &out)
            effects.append(.unpublish(ChannelID(header.stream), .protocolError))
            effects.append(.close(.protocolError))
        }
    }

    /// The gateway ended it.
    func endPublishing(
        _ index: Int, _ reason: EndReason, _ effects: inout Effects, _ out: inout Outbox
    ) {
        let status = RTMPStatus(
            "NetStream.Publish.BadName", Self.sentence(reason), isError: true)
        say(status, on: channels[index].id, &out)
        effects.append(.close(reason))
    }

    private static func sentence(_ reason: EndReason) -> String {
        switch reason {
        case .replaced: "another connection with the same key publishes this stream now"
        case .expired: "the permission to publish has run out; connect again"
        case .kicked: "an operator ended it"
        case .unwatched: "nobody watches"
        case .shuttingDown: "the gateway is shutting down; connect again"
        default: "ended: \(reason.rawValue)"
        }
    }

    // MARK: - Time

    func deadline(of channel: RTMPChannel) -> Instant {
        switch channel.use {
        case .idle: channel.idleSince + Self.idleMaximum
        case .asking: .distantFuture
        case .publishing(let intake):
            min(
                intake.deadline,
                (intake.lastMedia ?? channel.idleSince) + Self.publisherSilence)
        case .playing(let play): play.start.deadline
        }
    }

    func expire(
        _ index: Int, at now: Instant, _ effects: inout Effects, _ out: inout Outbox
    ) {
        switch channels[index].use {
        case .idle where now >= channels[index].idleSince + Self.idleMaximum:
            effects.append(.close(.silent))
        case .publishing(var intake):
            intake.expire(at: now, into: &effects)
            let last = intake.lastMedia ?? channels[index].idleSince
            channels[index].use = .publishing(intake)
            guard now >= last + Self.publisherSilence else { return }
            let status = RTMPStatus(
                "NetStream.Publish.Rejected",
                "no media for \(Self.publisherSilence.milliseconds / 1000) s", isError: true)
            say(status, on: channels[index].id, &out)
            effects.append(.close(.silent))
        case .playing(var play):
            play.start.expire(at: now)
            channels[index].use = .playing(play)
        case .idle, .asking: break
        }
    }
}
