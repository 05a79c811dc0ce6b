import ICE
import Wire

// SRTP from where nobody is known. A NAT may have given a peer another port, and the peer will not
// say who it is before its next check: sessions whose peer was at that address, and has fallen
// silent, are asked whether the packet opens under their keys. An address that changed as a whole
// waits for the check.
extension Worker {
    /// Viewers of one office behind one address, all of them silent at once.
    private static let triesMaximum = 16

    /// - Returns: Whether a session of this worker knows the route now.
    func receiveStray(_ datagram: RawSpan, _ kind: Demux, _ route: Route, _ rtc: RTCDesk) -> Bool {
        guard kind == .rtp || kind == .rtcp, !route.isTCP, rtc.mayLookForStray(at: now) else {
            return false
        }
        var candidates: [RTCPeer] = []
        rtc.peers.forEach { peer in
            guard candidates.count < Self.triesMaximum,
                peer.session.mayHaveStrayed(to: route, isMedia: kind == .rtp, at: now)
            else { return }
            candidates.append(peer)
        }
        for peer in candidates {
            // It is opened in place, and what does not open is nothing afterwards.
            var copy = [UInt8](copying: datagram)
            var span = copy.mutableSpan
            var window = unsafe span.mutableBytes
            receive(&window, route, by: peer, rtc)
            guard peer.session.knows(route) else { continue }
            rtc.learn(route, of: peer)
            counters.rtcStrays += 1
            return true
        }
        return false
    }

    /// Nobody here: another worker may have the session, because the kernel chooses the worker by
    /// the port that has changed.
    func askOthersForStray(_ datagram: RawSpan, _ kind: Demux, _ route: Route, _ rtc: RTCDesk) {
        guard kind == .rtp || kind == .rtcp, !route.isTCP, rtc.mayAskForStray(at: now) else {
            return
        }
        for worker in 0..<neighbours.count where worker != plan.index {
            forward(datagram, route, to: worker, rtc)
        }
    }

    /// The same at another worker; the one that asked is told where more of it belongs.
    func receiveStray(
        _ datagram: RawSpan, _ kind: Demux, _ route: Route, from worker: Int, _ rtc: RTCDesk
    ) -> Bool {
        guard receiveStray(datagram, kind, route, rtc), let peer = rtc.peer(at: route) else {
            return false
        }
        let letter = RTCLetter.strayed(route, slot: peer.name.slot, to: plan.index)
        neighbours.post(.rtc(letter), to: worker)
        return true
    }

    func noteStray(_ route: Route, slot: UInt32, at worker: Int, _ rtc: RTCDesk) {
        _ = rtc.strangers.note(route, slot: slot, .at(worker: worker), request: RawSpan(), at: now)
    }
}

/// How many a second: a look goes over all sessions of a worker, and a flood of what is no one's
/// must not take more than a few milliseconds of a second.
struct StrayAllowance {
    private static let perSecond = 100
    private var window = Instant.start
    private var count = 0

    mutating func admits(at now: Instant) -> Bool {
        if now - window >= .seconds(1) {
            window = now
            count = 0
        }
        count += 1
        return count <= Self.perSecond
    }
}
