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
        case .changed, .keyWanted, .demand: break
        }
    }

    // MARK: - Time

    private var stallAt: Instant {
        guard let playedAt else { return .distantFuture }
        return (inlet?.lastMedia ?? playedAt) + Self.stall
    }

    package var deadline: Instant {
        min(
            min(step?.deadline ?? .distantFuture, questions.deadline),
            min(stallAt, min(keepAliveAt, reportAt)))
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
            describe(at: now, &out)
        }
        if now >= stallAt { return stalled(&effects, &out) }
        if now >= keepAliveAt { keepAlive(at: now, &out) }
        if now >= reportAt {
            reportAt = now + RTSPSession.reportTime
            inlet?.report(at: now, into: &out)
        }
    }

    private func stalled(_ effects: inout Effects, _ out: inout Outbox) {
        let seconds = Self.stall.milliseconds / 1000
        guard inlet?.lastMedia == nil else {
            return end(.failed("no media for \(seconds) s"), &effects, &out)
        }
        learned.formSymmetricDifference(.everyTrack)
        end(.failed("no media came in \(seconds) s after PLAY"), &effects, &out)
    }
}
