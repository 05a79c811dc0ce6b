package import Stream
package import Wire

// What keeps a session with a camera alive, and notices that it is dead.
extension RTSPClient {
    /// Half of the camera's own time, and often enough for those who say a minute and mean less.
    var keepAliveTime: Interval {
        let timeout = session?.timeout ?? RTSPSessionHeader.usualTimeout
        return max(.seconds(1), min(timeout / 2, timeout - .seconds(5), .seconds(25)))
    }

    /// Not waited for: some cameras list GET_PARAMETER and never answer it (ZLMediaKit #642), some
    /// know it without listing it, and some answer 454 to every keep-alive and play on.
    private func keepAlive(at now: Instant, _ out: inout Outbox) {
        keepAliveAt = now + keepAliveTime
        let knowsParameter = methods.contains("GET_PARAMETER") && !avoidsParameter
        out.append(
            message(knowsParameter ? "GET_PARAMETER" : "OPTIONS", base?.url ?? url).bytes)
    }

    /// An answer that nobody waits for. A nonce that has run out is renewed by it; nothing else
    /// that it says ends the stream.
    func kept(_ status: Int, _ message: RTSPMessage) {
        switch status {
        case 401:
            if let asked = RTSPChallenge(message.values("WWW-Authenticate")) { challenge = asked }
        case 405, 501, 551: avoidsParameter = true
        default: break
        }
    }

    package func notice(
        _ notice: Notice, at now: Instant, into effects: inout Effects, out: inout Outbox
    ) {
        switch notice {
        case .ended(_, let reason):
            end(.failed("ended here: \(reason.rawValue)"), &effects, &out)
        case .changed(_, let snapshot):
            guard purpose == .push else { return }
            push.snapshot = snapshot
            // What was announced there holds for the whole session.
            if !RTSPSession.fits(push.tracks, snapshot) {
                end(.failed("its codecs have changed: it is announced anew"), &effects, &out)
            }
        case .keyWanted, .demand: break
        }
    }

    // MARK: - Time

    private var stallAt: Instant {
        guard let playedAt else { return .distantFuture }
        if let last = inlet?.lastMedia { return last + Self.stall }
        return playedAt + (inlet?.usesLines == true ? Self.stallOverUDP : Self.stall)
    }

    package var deadline: Instant {
        min(
            min(step?.deadline ?? .distantFuture, questions.deadline, push.deadline),
            min(stallAt, min(keepAliveAt, reportAt), inlet?.deadline ?? .distantFuture))
    }

    package func expire(at now: Instant, into effects: inout Effects, out: inout Outbox) {
        while questions.expire(at: now) != nil {
            end(.failed("no answer came in time here"), &effects, &out)
        }
        if let step, now >= step.deadline {
            // Some do not answer OPTIONS.
            guard step.kind == .options else {
                let seconds = Self.patience.milliseconds / 1000
                return end(
                    .failed("no answer to \(step.method) in \(seconds) s"), &effects, &out)
            }
            self.step = nil
            open(at: now, &effects, &out)
        }
        if now >= push.deadline { announceWhatIsKnown(at: now, &effects, &out) }
        inlet?.release(at: now, &effects)
        if now >= stallAt { return stalled(&effects, &out) }
        if now >= keepAliveAt { keepAlive(at: now, &out) }
        if now >= reportAt {
            reportAt = now + RTSPSession.reportTime
            push.report(at: now, by: datagrams, into: &out)
            inlet?.report(at: now, by: datagrams, from: .any(port: 0), into: &out)
        }
    }

    private func stalled(_ effects: inout Effects, _ out: inout Outbox) {
        let seconds = Self.stall.milliseconds / 1000
        guard inlet?.lastMedia == nil else {
            return end(.failed("no media for \(seconds) s"), &effects, &out)
        }
        let isOverUDP = inlet?.usesLines == true
        learnFromSilence(isOverUDP: isOverUDP)
        guard isOverUDP else {
            return end(.failed("no media came in \(seconds) s after PLAY"), &effects, &out)
        }
        end(
            .failed(
                "no media came over UDP in \(Self.stallOverUDP.milliseconds / 1000) s after PLAY: "
                    + "a firewall, or the camera's own network"), &effects, &out)
    }

    /// The next try sets up every track, or takes the other transport, until one of them works.
    private func learnFromSilence(isOverUDP: Bool) {
        let mayChange = transport == .auto
        if isOverUDP, mayChange {
            learned.remove(.udp)
        } else if !isOverUDP, mayChange, learned.contains(.everyTrack) {
            learned = .udp
            return
        }
        learned.formSymmetricDifference(.everyTrack)
    }

    // MARK: - Datagrams

    package func receive(
        datagram: RawSpan, from source: Address, on line: LineNumber, at now: Instant,
        into effects: inout Effects, out: inout Outbox
    ) {
        // The port is open to everybody; of the camera any port will do: some send from another
        // one than they name.
        guard source.isSameHost(as: peer) else {
            strangers += 1
            return
        }
        guard isPublished, ending == nil else { return }
        inlet?.learn(source, on: line)
        inlet?.receive(datagram, on: .line(line), at: now, &effects)
    }
}
