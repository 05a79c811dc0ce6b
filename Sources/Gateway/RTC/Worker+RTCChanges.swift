import ICE
import Stream
import Wire

// Wishes of viewers about what they see, asked for at any worker and done where their session is.
extension Worker {
    func ask(
        _ id: RTCSessionName, _ change: RTCChange, _ done: @escaping (Refusal?) -> Void
    ) {
        guard let rtc, let place = rtc.directory.find(id), case .at(let worker) = place else {
            return done(Refusal(.notFound, "this session is not connected"))
        }
        if worker == plan.index { return done(apply(change, to: id)) }
        let ask = rtc.asks.enter(at: now, done)
        neighbours.post(.rtc(.change(id, change, from: plan.index, ask)), to: worker)
    }

    /// At the worker that has the session.
    func apply(_ change: RTCChange, to id: RTCSessionName) -> Refusal? {
        guard let peer = rtc?.peer(called: id), let viewing = peer.viewing else {
            return Refusal(.notFound, "this session watches nothing now")
        }
        switch change {
        case .source(let name, let credential, let request):
            return self.change(peer, to: name, credential, request)
        case .layer(let choice): viewing.audience.fanOut.select(viewing.id, layer: choice, at: now)
        case .rate(let temporal, let keyFramesOnly):
            viewing.audience.fanOut.limit(
                viewing.id, temporal: temporal, keyFramesOnly: keyFramesOnly, at: now)
        }
        viewing.audience.isDue = true
        return nil
    }

    func expireAsks(_ rtc: RTCDesk) {
        for done in rtc.asks.takeLate(at: now) {
            done(Refusal(.timeout, "the worker of this session does not answer"))
        }
    }
}
