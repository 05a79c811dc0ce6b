import Containers
import Media
import Stream
import Wire

// What encoders and players ask, in the order in which they usually do.
extension RTMPSession {
    func run(
        _ command: RTMPCommand, on stream: UInt32, at now: Instant, _ effects: inout Effects,
        _ out: inout Outbox
    ) {
        switch command.name {
        case "connect": connect(command, at: now, &out)
        case "createStream": createStream(command, at: now, &effects, &out)
        case "FCPublish":
            answer(command, .null, .undefined, &out)
            // Old Flash encoders and Livestream Studio wait for it, with its number.
            let begun = RTMPStatus("NetStream.Publish.Start", "go on")
            say(RTMPCommand("onFCPublish", 0, .null, [begun.value]), on: 0, &out)
        case "FCUnpublish":
            answer(command, .null, .undefined, &out)
            let ended = RTMPStatus("NetStream.Unpublish.Success", "stopped")
            say(RTMPCommand("onFCUnpublish", 0, .null, [ended.value]), on: 0, &out)
            stop(stream, at: now, &effects)
        case "publish": publish(command, on: stream, at: now, &effects, &out)
        case "play": play(command, on: stream, at: now, &effects, &out)
        case "play2":
            let name = command.arguments.first?["streamName"] ?? .null
            let named = RTMPCommand("play", command.transaction, .null, [name])
            play(named, on: stream, at: now, &effects, &out)
        case "pause", "pauseRaw": pause(command, on: stream, &effects, &out)
        case "seek": seek(on: stream, &out)
        case "receiveAudio", "receiveVideo": mute(command, on: stream, &effects)
        case "closeStream": stop(stream, at: now, &effects)
        case "deleteStream":
            let number = command.arguments.first?.number ?? 0
            delete(UInt32(exactly: number) ?? stream, at: now, &effects)
        case "getStreamLength": answer(command, .null, .number(0), &out)
        case "_result", "_error", "onStatus": break
        // releaseStream, _checkbw, checkBandwidth, FCSubscribe and what nobody knows: a caller
        // that waits for an answer gets an empty one (Haivision will not go on without).
        default: if command.transaction > 0 { answer(command, .null, .undefined, &out) }
        }
    }

    private func connect(_ command: RTMPCommand, at now: Instant, _ out: inout Outbox) {
        app = command.object["app"]?.string ?? ""
        tcURL = command.object["tcUrl"]?.string ?? ""
        objectEncoding = command.object["objectEncoding"]?.number ?? 0
        isEstablished = true
        quietSince = now
        writer.control(.windowSize, AcknowledgeWindow.usual, into: &out)
        writer.peerBandwidth(AcknowledgeWindow.usual, into: &out)
        writer.announceChunkSize(into: &out)
        let properties = AMFValue.object([
            .init("fmsVer", .string("FMS/3,0,1,123")), .init("capabilities", .number(31)),
            .init("mode", .number(1)),
        ])
        var fields: [AMFValue.Field] = [
            .init("level", .string("status")),
            .init("code", .string("NetConnection.Connect.Success")),
            .init("description", .string("Connection succeeded.")),
            .init("objectEncoding", .number(objectEncoding)),
        ]
        fields += Self.capabilities
        answer(command, properties, .object(fields), &out)
        say(RTMPCommand("onBWDone", 0, .null, [.number(0)]), on: 0, &out)
    }

    /// Enhanced RTMP: what we take and hand on. Encoders that do not look just send it.
    private static var capabilities: [AMFValue.Field] {
        let video = ["avc1", "hvc1", "av01", "vp09", "vp08"]
        let audio = ["mp4a", "Opus", ".mp3"]
        // 4: handed on as it is.
        let forwarded = { (names: [String]) in
            AMFValue.object(names.map { AMFValue.Field($0, .number(4)) })
        }
        return [
            .init("fourCcList", .strictArray((video + audio).map { .string($0) })),
            .init("videoFourCcInfoMap", forwarded(video)),
            .init("audioFourCcInfoMap", forwarded(audio)),
            // Multitrack and ModEx.
            .init("capsEx", .number(6)),
        ]
    }

    private func createStream(
        _ command: RTMPCommand, at now: Instant, _ effects: inout Effects, _ out: inout Outbox
    ) {
        guard channels.count < Self.channelMaximum else {
            effects.append(.close(.protocolError))
            return
        }
        // Never 0, which is the connection itself.
        let id = (1...UInt32(Self.channelMaximum)).first { id in
            !channels.contains { $0.id == id }
        }
        guard let id else { return }
        channels.append(RTMPChannel(id, at: now))
        answer(command, .null, .number(Double(id)), &out)
    }

    /// The place of a message stream; made for those who name one that they did not ask for.
    func channelIndex(_ id: UInt32, at now: Instant) -> Int? {
        if let index = channels.firstIndex(where: { $0.id == id }) { return index }
        guard id > 0, id <= UInt32(UInt16.max), channels.count < Self.channelMaximum else {
            return nil
        }
        channels.append(RTMPChannel(id, at: now))
        return channels.count - 1
    }

    private func delete(_ id: UInt32, at now: Instant, _ effects: inout Effects) {
        stop(id, at: now, &effects)
        channels.removeAll { $0.id == id }
        if channels.isEmpty { quietSince = now }
    }

    /// What it published or played ends; the message stream may be used again.
    func stop(_ id: UInt32, at now: Instant, _ effects: inout Effects) {
        // Encoders say it on stream 0, too: then it is the only one.
        let only = channels.count == 1 ? 0 : nil
        guard let index = channels.firstIndex(where: { $0.id == id }) ?? only else { return }
        let channel = ChannelID(channels[index].id)
        switch channels[index].use {
        case .idle, .asking: break
        case .publishing: effects.append(.unpublish(channel, .done))
        case .playing: effects.append(.unsubscribe(channel))
        }
        channels[index].use = .idle
        channels[index].idleSince = now
    }

    // MARK: - Saying

    func answer(
        _ command: RTMPCommand, _ properties: AMFValue, _ value: AMFValue, _ out: inout Outbox
    ) {
        say(RTMPCommand("_result", command.transaction, properties, [value]), on: 0, &out)
    }

    func say(_ command: RTMPCommand, on stream: UInt32, _ out: inout Outbox) {
        writer.write(.commandAMF0, command.bytes, stream: stream, stamp: 0, into: &out)
    }

    func say(_ status: RTMPStatus, on stream: UInt32, _ out: inout Outbox) {
        say(RTMPCommand("onStatus", 0, .null, [status.value]), on: stream, &out)
    }

    // MARK: - Asking

    /// Asks the gateway, and takes nothing more from the peer until it has answered.
    func ask(
        _ question: Question, for channel: UInt32, patience: Interval, at now: Instant,
        _ effects: inout Effects
    ) {
        guard let id = questions.open(until: now + patience) else {
            effects.append(.close(.protocolError))
            return
        }
        asked[id] = channel
        effects.ask(question, id)
    }
}
