import SDP
import Stream
import Wire

/// A publisher's half of a session.
struct RTSPRecord {
    let address: RTSPAddress
    let credential: Credential
    let tracks: [RTSPTrack]
    /// Since when the stream has begun.
    var liveSince: Instant?
    var reportAt = Instant.distantFuture

    var isLive: Bool { liveSince != nil }
}

// Encoders: FFmpeg, GStreamer, OBS and others by FFmpeg.
extension RTSPSession {
    func announce(
        _ address: RTSPAddress, _ request: RTSPMessage, at now: Instant,
        _ effects: inout Effects, _ out: inout Outbox
    ) {
        guard case .idle = use else {
            return refuse(455, "this connection publishes or plays already", request, &out)
        }
        let credential = door.credential(request, method: "ANNOUNCE", url: address)
        let description: SDPDescription
        do throws(ParseError) {
            description = try SDPDescription(repairing: request.body.raw)
        } catch {
            return refuse(400, "the description cannot be read: \(error)", request, &out)
        }
        let tracks = RTSPTracks.read(description)
        guard tracks.contains(where: { $0.slot != nil }) else {
            let reasons = tracks.compactMap(\.reason).joined(separator: "; ")
            return refuse(
                415, "no track that can be carried (\(reasons)): publish H.264 and AAC", request,
                &out)
        }
        let record = RTSPRecord(
            address: address, credential: credential, tracks: tracks)
        ask(
            .authorise(.publish, name: address.name, credential, peer: peer), request,
            credential, for: Self.answerPatience, then: .announce(record), at: now, &effects)
    }

    func announced(_ record: RTSPRecord, _ request: RTSPMessage, _ out: inout Outbox) {
        use = .recording(record)
        inlet = RTSPInlet(record.tracks, ssrc: UInt32(truncatingIfNeeded: dice.next()))
        answer(200, request, &out)
    }

    func setUpRecording(
        _ url: String, _ address: RTSPAddress, _ request: RTSPMessage, at now: Instant,
        _ effects: inout Effects, _ out: inout Outbox
    ) {
        guard case .recording(let record) = use, !record.isLive, let tracks = inlet?.tracks,
            let index = Self.track(url, address, tracks)
        else { return answer(404, request, &out) }
        let choices = RTSPTransport.choices(request["Transport"] ?? "")
        let taken = tracks.compactMap { $0.carrier?.channels }
        guard var transport = choose(choices, taken) else {
            return refuse(461, Self.served, request, &out)
        }
        transport.isRecord = true
        setUp(index, transport, request, at: now, &effects, &out)
    }

    /// By its control, in both styles of putting it behind an address; else the number in it, else
    /// the next one that has not been set up.
    private static func track(
        _ url: String, _ address: RTSPAddress, _ tracks: [RTSPInlet.Track]
    ) -> Int? {
        let plain = String(url.prefix { $0 != "?" })
        func fits(_ track: RTSPInlet.Track) -> Bool {
            guard track.carrier == nil, let control = track.description.control,
                !control.isEmpty, control != "*"
            else { return false }
            if control.contains("://") { return RTSPURL(control)?.path == RTSPURL(url)?.path }
            let piece = "/" + control.drop { $0 == "/" }
            return url.hasSuffix(piece) || plain.hasSuffix(piece)
        }
        if let index = tracks.firstIndex(where: fits) { return index }
        if let number = address.track, tracks.indices.contains(number),
            tracks[number].carrier == nil
        {
            return number
        }
        return tracks.firstIndex { $0.carrier == nil }
    }

    func record(
        _ request: RTSPMessage, at now: Instant, _ effects: inout Effects, _ out: inout Outbox
    ) {
        guard case .recording(let record) = use, !record.isLive else {
            return refuse(455, "ANNOUNCE and SETUP come before RECORD", request, &out)
        }
        let slots = inlet?.slots ?? []
        guard !slots.isEmpty else {
            return refuse(455, "no track that can be carried is set up", request, &out)
        }
        var publication = Publication(
            principal: .local, protocolName: "rtsp", slots: slots)
        publication.tracksComplete = true
        ask(
            .publish(
                channel, name: record.address.name, record.credential, peer: peer, publication),
            request, record.credential, for: Self.answerPatience, then: .record, at: now,
            &effects)
    }

    func recordingBegins(_ request: RTSPMessage, at now: Instant, _ out: inout Outbox) {
        guard case .recording(var record) = use else { return }
        record.liveSince = now
        isReceiving = true
        record.reportAt = now + Self.reportTime
        use = .recording(record)
        answer(200, request, &out) { $0.add("Range", "npt=now-") }
    }

    // MARK: - Media

    func receive(
        _ packet: RawSpan, on channel: UInt8, at now: Instant, _ effects: inout Effects
    ) {
        // A player's reports: it lives.
        guard isReceiving else { return lastRequest = now }
        inlet?.receive(packet, on: .channel(channel), at: now, &effects)
    }

    // MARK: - Time

    func deadline(of record: RTSPRecord) -> Instant {
        guard let since = record.liveSince else { return lastRequest + Self.idleMaximum }
        let waiting = inlet?.deadline ?? .distantFuture
        return min(waiting, record.reportAt, (inlet?.lastMedia ?? since) + Self.silence)
    }

    func expireRecording(at now: Instant, _ effects: inout Effects, _ out: inout Outbox) {
        guard case .recording(var record) = use else { return }
        guard let since = record.liveSince else {
            if now >= lastRequest + Self.idleMaximum { effects.append(.close(.silent)) }
            return
        }
        if now >= (inlet?.lastMedia ?? since) + Self.silence {
            effects.append(.close(.silent))
            return
        }
        inlet?.release(at: now, &effects)
        guard now >= record.reportAt else { return }
        record.reportAt = now + Self.reportTime
        use = .recording(record)
        inlet?.report(at: now, by: datagrams, from: local, into: &out)
    }
}
