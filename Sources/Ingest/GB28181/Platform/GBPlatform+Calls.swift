package import Wire

// Live pictures: a camera is called when somebody wants to see it.
extension GBPlatform {
    /// Calls a camera. Its media comes to `settings.mediaPort` with the SSRC that is returned; what
    /// it says is told by effects.
    package mutating func play(
        _ id: GBChannelID, at now: Instant, into effects: inout [GBEffect]
    ) throws(GBFailure) -> UInt32 {
        try check(id.device)
        if let call = calls[id] { return call.ssrc }
        guard let device = devices[id.device], let serial = serials.take(at: now) else {
            throw GBFailure(.tooMany, "all \(GBSerials.count) numbers of streams are in use")
        }
        let ssrc = GBSerials.text(serial, domain: settings.domain)
        let call = GBCall(
            id: id, ssrc: UInt32(ssrc) ?? 0, serial: serial,
            callID: "\(word())@\(settings.domain)", localTag: word(), sequence: 1, branch: "",
            route: device.route, transport: settings.transport, startedAt: now)
        figures.calls &+= 1
        calls[id] = call
        callIDs[call.callID] = id
        invite(id, at: now, &effects)
        return call.ssrc
    }

    private mutating func invite(
        _ id: GBChannelID, at now: Instant, _ effects: inout [GBEffect]
    ) {
        guard let call = calls[id] else { return }
        let ssrc = GBSerials.text(call.serial, domain: settings.domain)
        var request = self.request(
            "INVITE", to: id.channel, call.route, callID: call.callID, tag: call.localTag,
            sequence: call.sequence)
        request.message.add("Subject", "\(id.channel):\(ssrc),\(settings.id):0")
        request.message.add("Content-Type", "APPLICATION/SDP")
        request.message.body = GBDescription.offer(
            call, host: mediaHost(call.route), port: settings.mediaPort, ssrc: ssrc)
        calls[id]?.branch = request.branch
        devices[id.device]?.ladder.note(
            "INVITE \(id.channel) over \(call.transport.rawValue)", isFromDevice: false, at: now)
        send(
            request, .invite(id), call.route, patience: GBPending.invitePatience, at: now,
            &effects)
    }

    /// The first packets of the call have come.
    package mutating func mediaBegan(_ id: GBChannelID) {
        guard let state = calls[id]?.state, state != .playing else { return }
        calls[id]?.state = .playing
    }

    /// Nobody wants it any more, or nothing comes.
    package mutating func stop(
        _ id: GBChannelID, _ why: GBFailure, at now: Instant, into effects: inout [GBEffect]
    ) {
        hangUp(id, why, at: now, &effects)
    }

    // MARK: - Answers

    mutating func answered(
        _ id: GBChannelID, _ status: Int, _ message: SIPMessage, _ sent: GBPending,
        at now: Instant, _ effects: inout [GBEffect]
    ) {
        devices[id.device]?.ladder.note("\(status) to INVITE", isFromDevice: true, at: now)
        guard let call = calls[id], message.callID == call.callID else {
            return refuse(message, sent.route, isSuccess: status < 300, at: now, &effects)
        }
        guard status < 300 else {
            acknowledge(call, message, isSuccess: false, at: now, &effects)
            return refused(call, status, at: now, &effects)
        }
        calls[id]?.remoteTag = message.to?.tag
        acknowledge(call, message, isSuccess: true, at: now, &effects)
        let said = GBDescription.answer(message.body)
        let ssrc = said.ssrc ?? call.ssrc
        calls[id]?.ssrc = ssrc
        if calls[id]?.state == .inviting {
            calls[id]?.state = .waiting(until: now + GBCall.mediaPatience)
        }
        effects.append(.answered(id, ssrc: ssrc, source: said.source))
    }

    /// The other transport is tried once.
    private mutating func refused(
        _ call: GBCall, _ status: Int, at now: Instant, _ effects: inout [GBEffect]
    ) {
        guard [415, 488, 606].contains(status), !call.hasFallenBack else {
            return release(call.id, GBFailure(status: status), at: now, &effects)
        }
        calls[call.id]?.hasFallenBack = true
        calls[call.id]?.transport = call.transport == .udp ? .tcp : .udp
        calls[call.id]?.sequence += 1
        invite(call.id, at: now, &effects)
    }

    /// RFC 3261 §13.2.2.4 and §17.1.1.3: after a success a request of its own, else of the same
    /// transaction.
    private mutating func acknowledge(
        _ call: GBCall, _ message: SIPMessage, isSuccess: Bool, at now: Instant,
        _ effects: inout [GBEffect]
    ) {
        let request = self.request(
            "ACK", to: call.id.channel, call.route, callID: call.callID, tag: call.localTag,
            remoteTag: message.to?.tag, sequence: call.sequence,
            branch: isSuccess ? nil : call.branch)
        let bytes = request.message.bytes
        if isSuccess {
            calls[call.id]?.ack = bytes
        } else {
            answered.note(Self.refusal(call.branch), bytes, at: now)
        }
        effects.append(.send(bytes, call.route))
    }

    /// Of the ACK to a refusal, among what was answered.
    private static func refusal(_ branch: String) -> String { "refusal \(branch)" }

    /// An answer that nobody waits for: one that is repeated gets the same ACK.
    mutating func takeLate(
        _ status: Int, _ message: SIPMessage, _ route: GBRoute, _ effects: inout [GBEffect]
    ) {
        guard status >= 200, message.cSeq?.method == "INVITE" else { return }
        guard status < 300 else {
            if let ack = answered.answer(Self.refusal(message.via?.branch ?? "")) {
                effects.append(.send(ack, route))
            }
            return
        }
        if let id = callIDs[message.callID], let call = calls[id], let ack = call.ack {
            effects.append(.send(ack, call.route))
        }
    }

    /// The camera has answered a call that is over; if it has agreed it is told so.
    private mutating func refuse(
        _ message: SIPMessage, _ route: GBRoute, isSuccess: Bool, at now: Instant,
        _ effects: inout [GBEffect]
    ) {
        guard let user = message.to?.uri.user, let tag = message.from?.tag else { return }
        let sequence = message.cSeq?.number ?? 1
        let ack = request(
            "ACK", to: user, route, callID: message.callID, tag: tag,
            remoteTag: message.to?.tag, sequence: sequence,
            branch: isSuccess ? nil : message.via?.branch)
        effects.append(.send(ack.message.bytes, route))
        guard isSuccess else {
            return answered.note(Self.refusal(ack.branch), ack.message.bytes, at: now)
        }
        let bye = request(
            "BYE", to: user, route, callID: message.callID, tag: tag,
            remoteTag: message.to?.tag, sequence: sequence &+ 1)
        send(bye, .bye, route, patience: GBPending.byePatience, at: now, &effects)
    }

    mutating func inviteTimedOut(
        _ id: GBChannelID, _ sent: GBPending, at now: Instant, _ effects: inout [GBEffect]
    ) {
        guard let call = calls[id] else { return }
        cancel(call, sent, at: now, &effects)
        release(
            id,
            GBFailure(
                .timeout,
                "no answer in \(GBPending.invitePatience.milliseconds / 1000) s; if it works the "
                    + "second time, the device should send keep-alives more often (NAT)"),
            at: now, &effects)
    }

    /// RFC 3261 §9.1: only who has said something can be stopped.
    private mutating func cancel(
        _ call: GBCall, _ sent: GBPending, at now: Instant, _ effects: inout [GBEffect]
    ) {
        guard sent.isProceeding else { return }
        let request = self.request(
            "CANCEL", to: call.id.channel, call.route, callID: call.callID, tag: call.localTag,
            sequence: call.sequence, branch: call.branch)
        effects.append(.send(request.message.bytes, call.route))
    }

    // MARK: - The end

    mutating func takeBye(
        _ message: SIPMessage, _ route: GBRoute, at now: Instant,
        _ effects: inout [GBEffect]
    ) {
        guard let id = callIDs[message.callID], let call = calls[id],
            [call.route, devices[id.device]?.route ?? call.route].contains(where: {
                $0.peer.with(port: 0) == route.peer.with(port: 0)
            })
        else {
            return answer(481, message, route, at: now, &effects)
        }
        answer(200, message, route, at: now, &effects)
        release(id, GBFailure(.ended, "the camera hung up"), at: now, &effects)
    }

    /// Ends a call and says so to the camera, which has few of them.
    mutating func hangUp(
        _ id: GBChannelID, _ why: GBFailure, at now: Instant, _ effects: inout [GBEffect]
    ) {
        guard let call = calls[id] else { return }
        if let sent = pending[call.branch] {
            // Its answer may still come: then `answered` finds no call, and ends it there.
            cancel(call, sent, at: now, &effects)
            pending[call.branch]?.giveUp(at: now)
        } else {
            let bye = request(
                "BYE", to: id.channel, devices[id.device]?.route ?? call.route,
                callID: call.callID, tag: call.localTag, remoteTag: call.remoteTag,
                sequence: call.sequence + 1)
            send(
                bye, .bye, devices[id.device]?.route ?? call.route,
                patience: GBPending.byePatience, at: now, &effects)
            devices[id.device]?.ladder.note("BYE", isFromDevice: false, at: now)
        }
        release(id, why, at: now, &effects)
    }

    /// In one place, once: all that a call holds.
    mutating func release(
        _ id: GBChannelID, _ why: GBFailure, at now: Instant, _ effects: inout [GBEffect]
    ) {
        guard let call = calls.removeValue(forKey: id) else { return }
        callIDs[call.callID] = nil
        serials.free(call.serial, at: now)
        if call.state != .playing { figures.failedCalls &+= 1 }
        effects.append(.ended(id, why))
    }
}
