import Containers
import HLS
import HTTP
import Stream
import System
import Wire

/// A request for something that will come.
struct HLSRequest {
    let route: HLSRoute
    let request: HTTPRequest
    let connection: Connection
    let deadline: Instant
}

/// What workers tell each other of HLS.
package enum HLSLetter: Sendable {
    /// To the home: somebody wants it.
    case start(HLSDirectory.Key)
    /// From the home: there is something new.
    case changed(HLSDirectory.Key)
}

/// Who asks for a playlist of a stream that nobody publishes yet: waits as viewers do, and starts a
/// source that is brought on demand.
private final class HLSCaller: Participant {
    private let route: HLSRoute
    private let call: HTTPRequest
    private let line: Connection

    init(_ route: HLSRoute, _ call: HTTPRequest, _ line: Connection) {
        self.route = route
        self.call = call
        self.line = line
        super.init(service: "hls", peer: line.peer)
    }

    override func isHere(at worker: Worker) -> Bool {
        worker.connections[line.identity] != nil
    }

    override func take(_ answer: Answer, to id: QuestionID, at worker: Worker) {
        switch answer {
        case .subscribed: worker.answerHLS(route, call, line)
        case .refused(let refusal): worker.refuseMedia(Problem(refusal), call, line)
        case .allowed, .published, .lines: break
        }
    }
}

extension HLSRoute {
    fileprivate var key: HLSDirectory.Key {
        HLSDirectory.Key(name: name.description, container: container)
    }
}

// A request is answered by the worker it comes to, from what its stream's home has shelved;
// one for what is not there yet is parked where it came.
extension Worker {
    /// How long a player waits for a publisher, or for a source that is being started.
    private static let publisherPatience = Interval.seconds(10)
    /// As long as the first segments take with a key frame every few seconds.
    private static let startPatience = Interval.seconds(15)
    /// A waiting request is a connection and a hundred bytes.
    private static let waitingMaximum = 20_000
    /// Entries of streams that have ended are looked for so often.
    private static let sweepInterval = Interval.seconds(10)

    func serveHLS(_ route: HLSRoute, _ request: HTTPRequest, _ connection: Connection) {
        let name = route.name.description
        guard mayRead(name, request, connection) else { return }
        // Who plays already goes on.
        if route.file == .multivariant, let refusal = overload() {
            return refuseMedia(Problem(refusal), request, connection)
        }
        // What ended a moment ago is still shown to its end.
        guard route.file.isPlaylist, !isLive(name), !isOnShelf(route.key) else {
            return answerHLS(route, request, connection)
        }
        let caller = HLSCaller(route, request, connection)
        subscribe(
            Subscription(wants: [], rule: .connection, patience: Self.publisherPatience), to: name,
            0, 0, caller)
    }

    private func isLive(_ name: String) -> Bool { hub.entry(name)?.snapshot.isLive ?? false }

    private func isOnShelf(_ key: HLSDirectory.Key) -> Bool {
        hub.hls.look(key, by: plan.index, at: now) { ($0 != nil, false) }
    }

    /// The stream is there, or was.
    fileprivate func answerHLS(
        _ route: HLSRoute, _ request: HTTPRequest, _ connection: Connection
    ) {
        if route.file.isPlaylist, let problem = startCutting(route.key) {
            return refuseMedia(problem, request, connection)
        }
        if !answer(route, route.key, request, connection) {
            park(route, route.key, request, connection)
        }
    }

    /// - Returns: False: not yet.
    private func answer(
        _ route: HLSRoute, _ key: HLSDirectory.Key, _ request: HTTPRequest,
        _ connection: Connection
    ) -> Bool {
        // Judged under the directory's lock, written outside of it.
        let (readiness, shelf) = hub.hls.look(key, by: plan.index, at: now) { shelf in
            let readiness = HLSAnswer.readiness(of: route, on: shelf)
            return ((readiness, shelf), readiness == .wait)
        }
        switch HLSAnswer(route, readiness, shelf, request) {
        case .wait: return false
        case .response(let response):
            respond(response.allowingAnyOrigin(), request, connection)
        case .problem(let problem): refuseMedia(problem, request, connection)
        }
        return true
    }

    private func park(
        _ route: HLSRoute, _ key: HLSDirectory.Key, _ request: HTTPRequest,
        _ connection: Connection
    ) {
        guard hlsWaitingCount < Self.waitingMaximum, stopping == nil else {
            let problem = Problem(
                .overloaded, "too many players wait for what comes next", retryAfter: .seconds(1))
            return refuseMedia(problem, request, connection)
        }
        hlsWaitingCount += 1
        let deadline = now + Self.startPatience
        hlsWaiting[key, default: []].append(
            HLSRequest(
                route: route, request: request, connection: connection, deadline: deadline))
        nextHLS = min(nextHLS, deadline)
    }

    /// Something has come: whoever waited for it is answered, the others go on waiting.
    private func wake(_ key: HLSDirectory.Key) {
        guard let list = hlsWaiting.removeValue(forKey: key) else { return }
        hlsWaitingCount -= list.count
        for waiting in list where connections[waiting.connection.identity] != nil {
            if answer(waiting.route, key, waiting.request, waiting.connection) { continue }
            hlsWaitingCount += 1
            hlsWaiting[key, default: []].append(waiting)
        }
    }

    func serveHLSDeadlines() {
        guard nextHLS <= now else { return }
        hub.hls.sweep(at: now)
        nextHLS = cutters.isEmpty && hlsWaiting.isEmpty ? .distantFuture : now + Self.sweepInterval
        for (key, list) in hlsWaiting {
            let late = list.filter { $0.deadline <= now }
            guard !late.isEmpty else {
                for waiting in list { nextHLS = min(nextHLS, waiting.deadline) }
                continue
            }
            let others = list.filter { $0.deadline > now }
            hlsWaiting[key] = others.isEmpty ? nil : others
            hlsWaitingCount -= late.count
            let problem = Problem(
                .streamNotLive, "\(key.name) has not sent enough to begin with",
                retryAfter: .seconds(2))
            for waiting in late { refuseMedia(problem, waiting.request, waiting.connection) }
        }
        stopIdleCutters()
    }
}

// MARK: - At the stream's home

extension Worker {
    /// Sees to it that the stream is being cut.
    ///
    /// - Returns: Why it cannot be.
    private func startCutting(_ key: HLSDirectory.Key) -> Problem? {
        guard let entry = hub.entry(key.name), entry.snapshot.isLive else { return nil }
        if let refusal = OutletStart.refusal(
            entry.snapshot, to: HLSCutter.output(key.container))
        {
            return Problem(refusal)
        }
        let isCut = hub.hls.look(key, by: plan.index, at: now) { shelf in
            (shelf.map { !$0.isEnded } ?? false, false)
        }
        if isCut { return nil }
        if entry.home == plan.index {
            cut(key)
        } else {
            neighbours.post(.hls(.start(key)), to: entry.home)
        }
        return nil
    }

    func read(_ letter: HLSLetter) {
        switch letter {
        case .start(let key): cut(key)
        case .changed(let key): wake(key)
        }
    }

    private func cut(_ key: HLSDirectory.Key) {
        guard cutters[key] == nil, stopping == nil, let local = streams[key.name],
            let stream = local.stream
        else { return }
        var rules = plan.front.hls
        rules.container = key.container
        let cutter = HLSCutter(key, rules, local, stream, utc: wall.model.utc(at: now), at: now)
        cutters[key] = cutter
        local.cutters.append(cutter)
        hub.hls.restart(key, at: now)
        cutter.resolve(at: now, into: &orders)
        runOrders(of: local)
        markDirty(local)
        setDeadline(of: local)
        nextHLS = min(nextHLS, now + Self.sweepInterval)
        log.info("cut for HLS", ["stream": key.name, "container": key.container.rawValue])
    }

    /// The stream has something new.
    func feedCutters(of local: LocalStream) {
        for cutter in local.cutters
        where cutter.feed(wall: wall.model, at: now, into: &orders) { publish(cutter) }
        if !local.cutters.isEmpty { runOrders(of: local) }
    }

    private func publish(_ cutter: HLSCutter) {
        for worker in hub.hls.put(cutter.segmenter.shelf, for: cutter.key, at: now) {
            if worker == plan.index {
                wake(cutter.key)
            } else {
                neighbours.post(.hls(.changed(cutter.key)), to: worker)
            }
        }
    }

    func resolveCutters(of local: LocalStream) {
        for cutter in local.cutters { cutter.resolve(at: now, into: &orders) }
    }

    /// The stream ends: players are told so, and have a while to fetch the rest.
    func endCutters(of local: LocalStream) {
        for cutter in local.cutters {
            cutter.end()
            publish(cutter)
            cutter.close(at: now, into: &orders)
            cutters[cutter.key] = nil
        }
        local.cutters.removeAll()
    }

    private func stopIdleCutters() {
        for cutter in Array(cutters.values) where hub.hls.isIdle(cutter.key, at: now) {
            cutters[cutter.key] = nil
            hub.hls.remove(cutter.key)
            guard let local = streams[cutter.key.name] else { continue }
            local.cutters.removeAll { $0 === cutter }
            cutter.close(at: now, into: &orders)
            runOrders(of: local)
            setDeadline(of: local)
            log.info("no longer cut for HLS", ["stream": cutter.key.name])
        }
    }
}
