package import Wire

/// Whose association it is: a session of a worker. The number is the worker's own and is not used
/// again while the association lives.
package struct SCTPOwner: Hashable, Sendable {
    package var worker: UInt16
    package var session: UInt64

    package init(worker: UInt16, session: UInt64) {
        self.worker = worker
        self.session = session
    }
}

/// What a worker asks of the thread of all associations. Letters of one worker come in order.
package enum SCTPRequest: Sendable {
    /// The session's tunnel is open; `port` is the peer's, from its SDP.
    case open(SCTPOwner, port: UInt16)
    /// Out of DTLS.
    case packet(SCTPOwner, [UInt8])
    case send(SCTPOwner, stream: UInt16, payload: UInt32, SCTPDelivery, [UInt8])
    case reset(SCTPOwner, stream: UInt16)
    /// The session is over; nothing more comes for it.
    case close(SCTPOwner)
}

/// What that thread tells the owner's worker.
package enum SCTPReport: Equatable, Sendable {
    /// Into DTLS.
    case packet([UInt8])
    case message(stream: UInt16, payload: UInt32, [UInt8])
    case connected
    case streamReset(UInt16)
    /// So many bytes of a stream wait no longer: they were taken, or can never go.
    case sent(stream: UInt16, bytes: Int)
    /// The association is over; the session may live without its channels.
    case ended
}

/// The work of the one thread that owns all associations, without the thread: letters in, letters
/// out, and a tick.
///
///     while running {
///         wait for letters, at most `desk.pause`      // nil: until one comes
///         for each letter: desk.handle(letter, into: &reports)
///         desk.tick(at: Clock.now, into: &reports)
///         post reports[i].1 to worker reports[i].0.worker; clear
///     }
package final class SCTPDesk {
    /// Timers of SCTP are tens of milliseconds and more.
    package static let tickInterval = Interval.milliseconds(10)

    private let engine: SCTPEngine
    private var associations: [SCTPOwner: UInt32] = [:]
    private var owners: [UInt32: SCTPOwner] = [:]
    private var events = SCTPEvents()
    private var lastTick: Instant?

    /// - Parameter engine: The only one of the process.
    package init(_ engine: SCTPEngine) { self.engine = engine }

    package var count: Int { associations.count }
    /// How long the thread may sleep; nil: until a letter comes.
    package var pause: Interval? { associations.isEmpty ? nil : Self.tickInterval }

    package func handle(
        _ request: SCTPRequest, into reports: inout [(SCTPOwner, SCTPReport)]
    ) {
        switch request {
        case .open(let owner, let port): open(owner, port, into: &reports)
        case .packet(let owner, let bytes):
            guard let id = associations[owner] else { return }
            engine.receive(bytes.raw, for: id, into: &events)
        case .send(let owner, let stream, let payload, let delivery, let bytes):
            guard let id = associations[owner] else { return }
            let isTaken = engine.send(
                bytes.raw, payload: payload, stream: stream, delivery: delivery, for: id,
                into: &events)
            // The channels count what waits, and must not wait for this.
            if !isTaken { reports.append((owner, .sent(stream: stream, bytes: bytes.count))) }
        case .reset(let owner, let stream):
            guard let id = associations[owner] else { return }
            _ = engine.resetStream(stream, for: id, into: &events)
        case .close(let owner):
            guard let id = associations[owner] else { return }
            engine.close(id, into: &events)
            report(into: &reports)
            forget(id)
        }
        report(into: &reports)
    }

    /// Lets the timers run; call it after letters and pauses, whatever came first.
    package func tick(at now: Instant, into reports: inout [(SCTPOwner, SCTPReport)]) {
        let last = lastTick ?? now
        // Time that nobody's timers saw: without associations nothing ticks.
        lastTick = associations.isEmpty ? nil : now
        guard !associations.isEmpty, now > last else { return }
        let elapsed = now - last
        guard elapsed >= .milliseconds(1) else { return lastTick = last }
        engine.tick(elapsed, into: &events)
        report(into: &reports)
    }

    /// The thread is about to end: peers are not told, their sessions say goodbye.
    package func closeAll() {
        for id in owners.keys { engine.close(id, into: &events) }
        events.clear()
        associations = [:]
        owners = [:]
    }

    private func open(
        _ owner: SCTPOwner, _ port: UInt16, into reports: inout [(SCTPOwner, SCTPReport)]
    ) {
        guard associations[owner] == nil else { return }
        guard let id = engine.open(port: port, into: &events) else {
            reports.append((owner, .ended))
            return
        }
        associations[owner] = id
        owners[id] = owner
    }

    private func forget(_ id: UInt32) {
        guard let owner = owners.removeValue(forKey: id) else { return }
        associations[owner] = nil
    }

    private func report(into reports: inout [(SCTPOwner, SCTPReport)]) {
        for event in events.events {
            switch event {
            case .packet(let id, let range):
                tell(id, .packet(Array(events.bytes[range])), &reports)
            case .message(let id, let stream, let payload, let range):
                let bytes = Array(events.bytes[range])
                tell(id, .message(stream: stream, payload: payload, bytes), &reports)
            case .connected(let id): tell(id, .connected, &reports)
            case .streamReset(let id, let stream): tell(id, .streamReset(stream), &reports)
            case .sent(let id, let stream, let count):
                tell(id, .sent(stream: stream, bytes: count), &reports)
            case .refused(let id, let stream, let count):
                tell(id, .sent(stream: stream, bytes: count), &reports)
                tell(id, .streamReset(stream), &reports)
            case .ended(let id):
                tell(id, .ended, &reports)
                forget(id)
            }
        }
        events.clear()
    }

    private func tell(
        _ id: UInt32, _ report: SCTPReport, _ reports: inout [(SCTPOwner, SCTPReport)]
    ) {
        if let owner = owners[id] { reports.append((owner, report)) }
    }
}
