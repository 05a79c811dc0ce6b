import Containers
import Media
package import Stream
package import Wire

// Players.
extension RTMPSession {
    func play(
        _ command: RTMPCommand, on stream: UInt32, at now: Instant, _ effects: inout Effects,
        _ out: inout Outbox
    ) {
        guard let index = channelIndex(stream, at: now) else { return }
        // A playlist: the next entry takes the place of the one before.
        if case .playing = channels[index].use { stop(stream, at: now, &effects) }
        guard case .idle = channels[index].use else { return }
        let address = RTMPAddress(tcURL: tcURL, app: app, stream: command.text(0) ?? "")
        channels[index].use = .asking(address, isPublish: false)
        let subscription = OutletStart.subscription(
            video: [.h264, .h265, .av1, .vp9], patience: Self.playPatience)
        ask(
            .subscribe(
                ChannelID(stream), name: address.name, address.credential, peer: peer,
                subscription), for: stream, patience: Self.playPatience + .seconds(5), at: now,
            &effects)
    }

    func beginPlaying(
        _ index: Int, _ address: RTMPAddress, _ snapshot: StreamSnapshot, at now: Instant,
        _ effects: inout Effects, _ out: inout Outbox
    ) {
        let stream = channels[index].id
        if let refusal = OutletStart.refusal(snapshot, to: .rtmp) {
            channels[index].use = .idle
            let status = RTMPStatus("NetStream.Play.Failed", refusal.description, isError: true)
            say(status, on: stream, &out)
            effects.append(.close(.codecChanged))
            return
        }
        let outlet = FLVOutlet(address.wantsLegacyCodecs ? .legacy : .enhanced)
        let start = OutletStart(snapshot, to: .rtmp, at: now)
        channels[index].use = .playing(
            RTMPChannel.Play(name: address.name, outlet: outlet, start: start))
        pingAt = now + Self.pingTime
        writer.userControl(.streamBegin(stream), into: &out)
        say(RTMPStatus("NetStream.Play.Reset", "playing \(address.name)"), on: stream, &out)
        say(RTMPStatus("NetStream.Play.Start", "playing \(address.name)"), on: stream, &out)
        // Players of the Flash age may look at the samples only if they are told so.
        data([.string("|RtmpSampleAccess"), .boolean(true), .boolean(true)], on: stream, &out)
    }

    private func data(_ values: [AMFValue], on stream: UInt32, _ out: inout Outbox) {
        var body: [UInt8] = []
        AMF0Writer.write(values, into: &body)
        writer.write(.dataAMF0, body, stream: stream, stamp: 0, into: &out)
    }

    package func begin(
        _ present: [PresentSlot], channel: ChannelID, at now: Instant, out: inout Outbox
    ) -> Bool {
        guard let index = channels.firstIndex(where: { $0.id == UInt32(channel) }),
            case .playing(var play) = channels[index].use
        else { return false }
        defer { channels[index].use = .playing(play) }
        guard play.start.begin(present, at: now) else { return false }
        play.outlet.note(present)
        let (stream, dialect) = (channels[index].id, play.outlet.dialect)
        writer.write(
            .dataAMF0, FLVBody.metadata(present.map(\.format), dialect), stream: stream,
            stamp: 0, into: &out)
        writer.write(configurationsOf: present, dialect, stream: stream, into: &out)
        return true
    }

    package func send(_ item: borrowing ReadItem, out: inout Outbox) {
        let id = item.channel
        guard let index = channels.firstIndex(where: { $0.id == UInt32(id) }),
            case .playing(var play) = channels[index].use, let piece = play.outlet.next(item)
        else { return }
        channels[index].use = .playing(play)
        let stream = channels[index].id
        writer.write(piece, item.bytes, item.chunk, stream: stream, into: &out)
    }

    package func notice(
        _ notice: Notice, at now: Instant, into effects: inout Effects, out: inout Outbox
    ) {
        switch notice {
        case .changed(let channel, let snapshot):
            guard let index = channels.firstIndex(where: { $0.id == UInt32(channel) }),
                case .playing(var play) = channels[index].use
            else { return }
            play.start.update(snapshot)
            channels[index].use = .playing(play)
        case .ended(let channel, let reason):
            guard let index = channels.firstIndex(where: { $0.id == UInt32(channel) }) else {
                return
            }
            if case .playing = channels[index].use {
                endPlaying(index, reason, &effects, &out)
            } else {
                endPublishing(index, reason, &effects, &out)
            }
        // RTMP has no way to ask an encoder for a key frame.
        case .keyWanted, .demand: break
        }
    }

    private func endPlaying(
        _ index: Int, _ reason: EndReason, _ effects: inout Effects, _ out: inout Outbox
    ) {
        let stream = channels[index].id
        channels[index].use = .idle
        say(
            RTMPStatus("NetStream.Play.UnpublishNotify", "ended: \(reason.rawValue)"),
            on: stream, &out)
        writer.userControl(.streamEnd(stream), into: &out)
        effects.append(.close(reason))
    }

    // MARK: - Wishes

    func pause(
        _ command: RTMPCommand, on stream: UInt32, _ effects: inout Effects, _ out: inout Outbox
    ) {
        guard let index = channels.firstIndex(where: { $0.id == stream }),
            case .playing(var play) = channels[index].use
        else { return }
        let isPaused = command.arguments.first?.boolean ?? !play.isPaused
        play.isPaused = isPaused
        channels[index].use = .playing(play)
        for slot in [SlotName.video, .audio] {
            effects.append(
                isPaused ? .pause(ChannelID(stream), slot) : .resume(ChannelID(stream), slot))
        }
        let code = isPaused ? "NetStream.Pause.Notify" : "NetStream.Unpause.Notify"
        say(RTMPStatus(code, "\(play.name) is live: there is no going back"), on: stream, &out)
    }

    /// A live stream has one place only, but players wait for an answer.
    func seek(on stream: UInt32, _ out: inout Outbox) {
        say(RTMPStatus("NetStream.Seek.Notify", "live"), on: stream, &out)
        say(RTMPStatus("NetStream.Play.Start", "live"), on: stream, &out)
    }

    func mute(_ command: RTMPCommand, on stream: UInt32, _ effects: inout Effects) {
        guard let index = channels.firstIndex(where: { $0.id == stream }),
            case .playing = channels[index].use
        else { return }
        let slot = command.name == "receiveAudio" ? SlotName.audio : .video
        let isWanted = command.arguments.first?.boolean ?? true
        effects.append(
            isWanted ? .resume(ChannelID(stream), slot) : .pause(ChannelID(stream), slot))
    }
}
