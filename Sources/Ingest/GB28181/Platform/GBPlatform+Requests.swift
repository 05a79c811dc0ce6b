package import Wire

// What we ask of devices, and what becomes of it.
extension GBPlatform {
    /// A question that a device answers with a message of its own.
    mutating func ask(
        _ command: String, _ id: String, at now: Instant, _ effects: inout [GBEffect]
    ) {
        number += 1
        say(.query, command, number: number, about: id, to: id, [], at: now, &effects)
    }

    mutating func say(
        _ kind: DeviceMessage.Kind, _ command: String, number: Int, about subject: String,
        to id: String, _ inner: [(name: String, value: String)], at now: Instant,
        _ effects: inout [GBEffect]
    ) {
        guard let device = devices[id] else { return }
        var request = self.request(
            "MESSAGE", to: id, device.route, callID: "\(word())@\(settings.domain)",
            tag: word(), sequence: 1)
        request.message.add("Content-Type", "Application/MANSCDP+xml")
        request.message.body = DeviceMessage.write(
            kind, command, number: number, to: subject, inner)
        devices[id]?.ladder.note(
            "\(kind.rawValue) \(command)", isFromDevice: false, at: now)
        send(
            request, .message(device: id), device.route, patience: GBPending.messagePatience,
            at: now, &effects)
    }

    /// Moves a camera, calls a preset: what needs no answer but that of SIP.
    package mutating func control(
        _ id: GBChannelID, _ command: PTZCommand, at now: Instant,
        into effects: inout [GBEffect]
    ) throws(GBFailure) {
        try check(id.device)
        number += 1
        say(
            .control, "DeviceControl", number: number, about: id.channel, to: id.device,
            [("PTZCmd", command.text)], at: now, &effects)
    }

    /// A key frame, now. The 2016 standard spells the command wrongly, and so do its cameras.
    package mutating func requestKey(
        _ id: GBChannelID, at now: Instant, into effects: inout [GBEffect]
    ) {
        guard let device = devices[id.device], device.isOnline else { return }
        number += 1
        let name = device.version.hasPrefix("3") ? "IFrameCmd" : "IFameCmd"
        say(
            .control, "DeviceControl", number: number, about: id.channel, to: id.device,
            [(name, "Send")], at: now, &effects)
    }

    func check(_ device: String) throws(GBFailure) {
        guard let known = devices[device] else {
            throw GBFailure(.offline, "no device \(device) has registered here")
        }
        guard known.isOnline else {
            throw GBFailure(.offline, "\(device) is offline; its network or power may be gone")
        }
    }

    // MARK: - Requests

    struct Request {
        var message: SIPMessage
        var branch: String
    }

    func sipHost(_ route: GBRoute) -> Address { settings.sipAddress ?? route.local }

    func mediaHost(_ route: GBRoute) -> String {
        (settings.mediaAddress ?? settings.sipAddress ?? route.local).ip
    }

    mutating func request(
        _ method: String, to user: String, _ route: GBRoute, callID: String, tag: String,
        remoteTag: String? = nil, sequence: UInt32, branch known: String? = nil
    ) -> Request {
        let branch = known ?? "z9hG4bK\(word())"
        let own = sipHost(route)
        let uri = "sip:\(user)@\(route.peer)"
        var message = SIPMessage(.request(method: method, uri: uri))
        let protocolName = route.isTCP ? "TCP" : "UDP"
        message.add("Via", "SIP/2.0/\(protocolName) \(own);rport;branch=\(branch)")
        message.add("From", "<sip:\(settings.id)@\(settings.domain)>;tag=\(tag)")
        let remote = remoteTag.map { ";tag=\($0)" } ?? ""
        message.add("To", "<sip:\(user)@\(settings.domain)>\(remote)")
        message.add("Call-ID", callID)
        message.add("CSeq", "\(sequence) \(method)")
        message.add("Contact", "<sip:\(settings.id)@\(own)>")
        message.add("Max-Forwards", "70")
        message.add("User-Agent", settings.agent)
        return Request(message: message, branch: branch)
    }

    mutating func send(
        _ request: Request, _ purpose: GBPending.Purpose, _ route: GBRoute,
        patience: Interval, at now: Instant, _ effects: inout [GBEffect]
    ) {
        let bytes = request.message.bytes
        pending[request.branch] = GBPending(
            purpose: purpose, bytes: bytes, route: route,
            repeatAt: route.isTCP ? .distantFuture : now + GBPending.firstRepeat,
            until: now + patience)
        effects.append(.send(bytes, route))
    }

    mutating func expirePending(at now: Instant, _ effects: inout [GBEffect]) {
        for (branch, known) in pending where min(known.repeatAt, known.until) <= now {
            if now >= known.until {
                guard case .invite(let id) = known.purpose, !known.isOver else {
                    pending[branch] = nil
                    continue
                }
                pending[branch]?.giveUp(at: now)
                inviteTimedOut(id, known, at: now, &effects)
                continue
            }
            effects.append(.send(known.bytes, known.route))
            let wait = min(known.wait * 2, GBPending.longestRepeat)
            pending[branch]?.wait = wait
            pending[branch]?.repeatAt = now + wait
        }
    }

    /// An answer to something that we have asked.
    mutating func take(
        _ status: Int, _ message: SIPMessage, _ route: GBRoute, at now: Instant,
        _ effects: inout [GBEffect]
    ) {
        guard let branch = message.via?.branch, let known = pending[branch] else {
            return takeLate(status, message, route, &effects)
        }
        // The answer to a CANCEL has the branch of its INVITE.
        if case .invite = known.purpose, message.cSeq?.method != "INVITE" { return }
        guard status >= 200 else {
            pending[branch]?.isProceeding = true
            pending[branch]?.repeatAt = .distantFuture
            return
        }
        pending[branch] = nil
        switch known.purpose {
        case .invite(let id): answered(id, status, message, known, at: now, &effects)
        case .message(let id):
            devices[id]?.ladder.note("\(status)", isFromDevice: true, at: now)
            if status < 300 { devices[id]?.lastSign = now }
        case .bye: break
        }
    }
}
