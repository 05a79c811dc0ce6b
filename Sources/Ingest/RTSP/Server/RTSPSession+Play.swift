import Media
package import Stream
package import Wire

/// A player's half of a session.
struct RTSPPlay {
    enum Phase {
        /// DESCRIBE is answered when it is known what there is.
        case opening(RTSPMessage, until: Instant)
        case described
        /// PLAY is answered with the first item: only then RTP-Info is exact.
        case starting(RTSPMessage, until: Instant)
        case playing
        case paused
    }

    struct Track {
        var description: RTSPDescription.Track
        var outlet: RTSPOutlet
        /// Where it goes; nil: not set up, and left out.
        var carrier: RTSPCarrier?
    }

    let address: RTSPAddress
    var snapshot: StreamSnapshot
    var phase: Phase
    var reportAt = Instant.distantFuture
}

// Players: FFmpeg, GStreamer, VLC, recorders.
extension RTSPSession {
    func describe(
        _ address: RTSPAddress, _ request: RTSPMessage, at now: Instant,
        _ effects: inout Effects, _ out: inout Outbox
    ) {
        if case .recording = use {
            return refuse(455, "this connection publishes; open another one", request, &out)
        }
        // Again: what it was told before does not hold any more.
        leave(&effects)
        let credential = door.credential(request, method: "DESCRIBE", url: address)
        ask(
            .subscribe(
                channel, name: address.name, credential, peer: peer,
                RTSPDescription.subscription(patience: Self.playPatience)),
            request, credential, for: Self.playPatience + .seconds(5), then: .describe(address),
            at: now, &effects)
    }

    func opened(
        _ address: RTSPAddress, _ snapshot: StreamSnapshot, _ request: RTSPMessage,
        at now: Instant
    ) {
        use = .playing(
            RTSPPlay(
                address: address, snapshot: snapshot,
                phase: .opening(request, until: now + Self.slotPatience)))
    }

    package func begin(
        _ present: [PresentSlot], channel: ChannelID, at now: Instant, out: inout Outbox
    ) -> Bool {
        guard channel == self.channel, case .playing(var play) = use else { return false }
        switch play.phase {
        case .opening(let request, let until):
            guard now >= until || Self.isComplete(present, play.snapshot) else { return false }
            tell(present, request, &play, &out)
            use = .playing(play)
            return false
        case .described, .paused: return false
        case .starting, .playing: return true
        }
    }

    /// Whether everything that is to be expected is there.
    static func isComplete(
        _ present: [PresentSlot], _ snapshot: StreamSnapshot
    ) -> Bool {
        [SlotName.video, .audio].allSatisfy { slot in
            if let found = present.first(where: { $0.slot == slot }) {
                // A description without parameter sets makes players guess.
                let needsSets = found.format.codec == .h264 || found.format.codec == .h265
                return !needsSets || !found.format.parameterSets.isEmpty
            }
            guard let format = snapshot[slot]?.format else { return snapshot.tracksComplete }
            return Carriage.refusal(format.codec, to: .rtsp) != nil
        }
    }

    private func tell(
        _ present: [PresentSlot], _ request: RTSPMessage, _ play: inout RTSPPlay,
        _ out: inout Outbox
    ) {
        let described = RTSPDescription.tracks(present)
        outlets = described.map {
            RTSPPlay.Track(description: $0, outlet: RTSPOutlet($0, dice: &dice))
        }
        play.phase = .described
        let name = play.address.name
        answer(200, request, &out) {
            $0.add("Content-Base", play.address.base + "/")
            $0.add("Content-Type", "application/sdp")
            $0.body = RTSPDescription.write(described, name: name, sessionID: "1")
        }
    }

    // MARK: - SETUP

    func setUpPlaying(
        _ address: RTSPAddress, _ request: RTSPMessage, at now: Instant,
        _ effects: inout Effects, _ out: inout Outbox
    ) {
        guard !outlets.isEmpty else {
            return refuse(455, "DESCRIBE comes before SETUP", request, &out)
        }
        // VLC and HappyTime set up the stream itself and mean its first track.
        let index = address.track ?? 0
        guard outlets.indices.contains(index) else { return answer(404, request, &out) }
        let choices = RTSPTransport.choices(request["Transport"] ?? "")
        // Set up again: FFmpeg, when nothing has come by UDP. Its old channels are free.
        outlets[index].carrier = nil
        let taken = outlets.compactMap { $0.carrier?.channels }
        guard let transport = choose(choices, taken), !transport.isRecord else {
            return refuse(461, Self.served, request, &out)
        }
        setUp(index, transport, request, at: now, &effects, &out)
    }

    // MARK: - PLAY, PAUSE

    func play(
        _ request: RTSPMessage, at now: Instant, _ effects: inout Effects, _ out: inout Outbox
    ) {
        guard case .playing(var play) = use, outlets.contains(where: \.isSetUp) else {
            return refuse(455, "SETUP comes before PLAY", request, &out)
        }
        switch play.phase {
        case .opening, .starting: return refuse(455, "one request at a time", request, &out)
        // A live stream has one place only; some players use PLAY as a keep-alive.
        case .playing: return answer(200, request, &out) { $0.add("Range", "npt=now-") }
        case .described: break
        case .paused:
            for track in outlets where track.isSetUp {
                effects.append(.resume(channel, track.description.slot))
            }
        }
        play.phase = .starting(request, until: now + Self.slotPatience)
        use = .playing(play)
    }

    func pause(_ request: RTSPMessage, _ effects: inout Effects, _ out: inout Outbox) {
        guard case .playing(var play) = use, case .playing = play.phase else {
            return refuse(455, "nothing is being played", request, &out)
        }
        for track in outlets where track.isSetUp {
            effects.append(.pause(channel, track.description.slot))
        }
        play.phase = .paused
        isSending = false
        use = .playing(play)
        answer(200, request, &out)
    }

    // MARK: - Media

    package func send(_ item: borrowing ReadItem, out: inout Outbox) {
        if !isSending { startWaiting(at: item.capture, item.meta.arrival, &out) }
        let slot = item.slot
        guard isSending, let clock = outletClock,
            let index = outlets.firstIndex(where: { $0.description.slot == slot })
        else { return }
        outlets[index].send(item, clock, by: datagrams, from: local, into: &out)
    }

    private func startWaiting(at capture: Instant?, _ now: Instant, _ out: inout Outbox) {
        guard case .playing(var play) = use, case .starting(let request, _) = play.phase else {
            return
        }
        start(at: capture, now, request, &play, &out)
        use = .playing(play)
    }

    /// Answers PLAY: all tracks count from the moment in which the first item was taken.
    private func start(
        at capture: Instant?, _ now: Instant, _ request: RTSPMessage, _ play: inout RTSPPlay,
        _ out: inout Outbox
    ) {
        let isFirst = outletClock == nil
        let clock = outletClock ?? RTSPOutletClock(start: capture ?? now, wall: wall)
        outletClock = clock
        isSending = true
        play.phase = .playing
        play.reportAt = now + Self.reportTime
        let elapsed = ((capture ?? now) - clock.start).nanoseconds
        let base = play.address.base
        let infos = outlets.enumerated().filter(\.element.isSetUp).map { index, track in
            let outlet = track.outlet
            let passed = Timebase.ticks(nanoseconds: elapsed, rate: outlet.clockRate)
            let stamp = outlet.base &+ UInt32(truncatingIfNeeded: passed)
            return "url=\(base)/trackID=\(index);seq=\(outlet.sequence);rtptime=\(stamp)"
        }
        answer(200, request, &out) {
            $0.add("Range", isFirst ? "npt=0.000-" : "npt=now-")
            // Without an item nothing is known: rather nothing than a guess.
            if capture != nil { $0.add("RTP-Info", infos.joined(separator: ",")) }
        }
        report(at: now, &out)
    }

    private func report(at now: Instant, _ out: inout Outbox) {
        guard let clock = outletClock else { return }
        for track in outlets {
            track.carrier?.send(
                track.outlet.report(at: now, clock), by: datagrams, from: local, into: &out)
        }
    }

    /// Whether a player can go on with what it was told.
    static func fits(_ outlets: [RTSPPlay.Track], _ snapshot: StreamSnapshot) -> Bool {
        let wants = RTSPDescription.subscription(patience: .zero).wants
        return outlets.allSatisfy { track in
            let slot = track.description.slot
            guard track.isSetUp, let format = snapshot[slot]?.format else { return true }
            let key = wants.first { $0.slot == slot }?.key(given: format.codec)
            return key?.codec == track.description.format.codec
        }
    }

    /// What a stream says that it has, where nothing of it has come yet.
    static func announced(_ snapshot: StreamSnapshot) -> [PresentSlot] {
        let announced = snapshot.slots.compactMap { state in
            state.format.map { PresentSlot(slot: state.slot, format: $0) }
        }
        return announced.filter {
            Carriage($0.format.codec, to: .rtsp) == .carried
                && ($0.slot == .video || $0.slot == .audio)
        }
    }

    // MARK: - Time

    func deadline(of play: RTSPPlay) -> Instant {
        switch play.phase {
        case .opening(_, let until), .starting(_, let until): until
        case .described: lastRequest + Self.idleMaximum
        case .playing:
            // Over TCP writing tells that the player has gone; over UDP only its own reports do.
            usesLines ? min(play.reportAt, lastRequest + Self.idleMaximum) : play.reportAt
        // A paused player keeps its place as long as it says something.
        case .paused: lastRequest + Self.idleMaximum * 2
        }
    }

    func expirePlaying(at now: Instant, _ effects: inout Effects, _ out: inout Outbox) {
        guard case .playing(var play) = use, now >= deadline(of: play) else { return }
        switch play.phase {
        case .opening(let request, _):
            // Nothing has come yet; what was announced will do.
            let known = Self.announced(play.snapshot)
            guard !known.isEmpty else {
                leave(&effects)
                return refuse(404, "nothing that RTSP carries came in time", request, &out)
            }
            tell(known, request, &play, &out)
        case .starting(let request, _): start(at: nil, now, request, &play, &out)
        case .playing:
            if usesLines, now >= lastRequest + Self.idleMaximum {
                return effects.append(.close(.silent))
            }
            play.reportAt = now + Self.reportTime
            report(at: now, &out)
        case .described, .paused:
            effects.append(.close(.silent))
            return
        }
        use = .playing(play)
    }
}

extension RTSPPlay.Track {
    var isSetUp: Bool { carrier != nil }

    mutating func send(
        _ item: borrowing ReadItem, _ clock: RTSPOutletClock, by queue: DatagramQueue,
        from local: Address, into out: inout Outbox
    ) {
        guard let carrier else { return }
        let count = RTSPOutlet.headerCount + item.bytes.byteCount
        // Nothing that comes in packets is so large.
        guard count <= Int(UInt16.max) else { return }
        switch carrier {
        case .channels(let pair):
            out.append(maximum: 4 + count) { window in
                var writer = ByteWriter(window._mutatingExtracting(0..<4 + count))
                writer.write(UInt8(ascii: "$"))
                writer.write(UInt8(truncatingIfNeeded: pair.first))
                writer.write(UInt16(0))
                outlet.write(item, clock, into: &writer)
                writer.patch(UInt16(truncatingIfNeeded: writer.offset - 4), at: 2)
                return writer.offset
            }
        case .lines(let route):
            guard let place = route.media else { return }
            queue.append(maximum: count, on: route.line, to: place, from: local) { window in
                var writer = ByteWriter(window._mutatingExtracting(0..<count))
                outlet.write(item, clock, into: &writer)
                return writer.offset
            }
        }
    }
}
