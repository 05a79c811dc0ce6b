import ICE
import SCTP
import Stream
import System
import Wire

// Data channels: between a session, which has their rules, and the thread that has their
// associations; and from the stream to the channels of its viewers.
extension Worker {
    /// What a session wants of its association.
    func runChannel(_ entry: RTCOutput.Entry, of peer: RTCPeer, _ rtc: RTCDesk) {
        guard let office = rtc.channels else { return }
        let bytes = rtc.taken.bytes
        if case .associate(let port) = entry { return associate(peer, port, office, rtc) }
        guard let owner = peer.association else { return }
        switch entry {
        case .sctp(let range):
            if !office.post(.packet(owner, Array(bytes[range]))) { counters.channelLost += 1 }
        case .channelSend(let stream, let payload, let delivery, let range):
            if payload != .control { counters.channelMessagesOut += 1 }
            let isTaken = office.post(
                .send(
                    owner, stream: stream, payload: payload.rawValue, SCTPDelivery(delivery),
                    Array(bytes[range])))
            guard !isTaken else { return }
            counters.channelLost += 1
            // The channel counts what waits, and must not wait for this.
            peer.session.sent(range.count, on: stream, into: &rtc.out)
        case .channelReset(let stream): _ = office.post(.reset(owner, stream: stream))
        case .channelAbort(let reason):
            log.info("data channels ended: \(reason.rawValue)", ["session": peer.name.short])
            endChannels(of: peer, rtc)
        default: preconditionFailure("not about channels")
        }
    }

    private func associate(
        _ peer: RTCPeer, _ port: UInt16, _ office: SCTPOffice, _ rtc: RTCDesk
    ) {
        let owner = rtc.newAssociation(of: peer, worker: plan.index)
        guard office.post(.open(owner, port: port)) else {
            return endChannels(of: peer, rtc)
        }
        peer.association = owner
    }

    /// The session goes on without them.
    private func endChannels(of peer: RTCPeer, _ rtc: RTCDesk) {
        counters.channelDropped += Int64(peer.session.droppedMessages)
        peer.session.channelsEnded(at: now)
        closeAssociation(of: peer, rtc)
    }

    func closeAssociation(of peer: RTCPeer, _ rtc: RTCDesk) {
        guard let owner = peer.association else { return }
        peer.association = nil
        rtc.associations[owner.session] = nil
        _ = rtc.channels?.post(.close(owner))
    }

    // MARK: What associations say

    func receive(_ news: [SCTPNews]) {
        guard let rtc else { return }
        for item in news {
            guard let peer = rtc.associations[item.session] else { continue }
            receive(item.report, for: peer, rtc)
            finishRTC(peer, rtc)
            if !effects.isEmpty { runEffects(of: peer) }
        }
    }

    private func receive(_ report: SCTPReport, for peer: RTCPeer, _ rtc: RTCDesk) {
        switch report {
        case .packet(let bytes):
            if !peer.session.send(sctp: bytes.raw, at: now, into: &rtc.out) {
                counters.channelLost += 1
            }
        case .message(let stream, let payload, let bytes):
            if payload != DataPayload.control.rawValue { counters.channelMessagesIn += 1 }
            peer.session.received(
                message: bytes.raw, payload: payload, on: stream, at: now, into: &rtc.out,
                effects: &effects)
        case .connected: counters.channelAssociations += 1
        case .streamReset(let stream):
            peer.session.receivedReset(
                of: stream, at: now, into: &rtc.out, effects: &effects)
        case .sent(let stream, let count):
            peer.session.sent(count, on: stream, into: &rtc.out)
        case .ended: endChannels(of: peer, rtc)
        }
    }

    // MARK: From a stream to its viewers

    /// At the end of a turn, for streams that got something.
    func feedChannels(of local: LocalStream) {
        guard let rtc, let audience = local.audience, audience.feed != nil else { return }
        audience.feed?.resolve(in: local, at: now, into: &orders)
        while let (encoding, index) = audience.feed?.next(at: now) {
            let history = encoding.history
            guard let message = history.bytes(index) else { continue }
            for peer in audience.viewers.values where peer.association != nil {
                peer.session.deliver(data: message, into: &rtc.out)
                finishRTC(peer, rtc)
            }
        }
        runOrders(of: local)
    }

    /// Somebody here can hear what a publisher says.
    func listen(_ peer: RTCPeer, at local: LocalStream, _ audience: Audience) {
        guard peer.negotiated.channel != nil, rtc?.channels != nil else { return }
        if audience.feed == nil { audience.feed = ChannelFeed(at: now) }
        markDirty(local)
    }
}

extension SCTPDelivery {
    init(_ delivery: DataDelivery) {
        let reliability: Reliability =
            switch delivery.reliability {
            case .reliable: .reliable
            case .retransmits(let count): .retransmits(count)
            case .lifetime(let milliseconds): .lifetime(milliseconds: milliseconds)
            }
        self.init(ordered: delivery.ordered, reliability: reliability)
    }
}
