import Crypto
import Stream
import System
import Wire

// Connections that we make ourselves: streams that are fetched (pull) and brought (push). Tried
// again for as long as somebody wants them.
extension Worker {
    /// Those that are fetched whoever watches: each by one worker, the same after a restart.
    func startPermanentSources() {
        for name in plan.links.always where Self.owner(name, neighbours.count) == plan.index {
            guard let source = plan.links.source(name), pull(of: name) == nil else { continue }
            add(
                .pull, name, source.url, isOnDemand: source.isOnDemand,
                transport: source.transport)
        }
    }

    private static func owner(_ name: String, _ workers: Int) -> Int {
        var sum = CRC32()
        sum.update(Array(name.utf8).raw)
        return Int(sum.value % UInt32(max(1, workers)))
    }

    private func pull(of name: String) -> OutgoingLink? {
        links.first { $0.purpose == .pull && $0.name == name && !$0.isOver }
    }

    /// - Returns: False: no protocol of ours speaks that scheme, or not in this direction.
    @discardableResult
    private func add(
        _ purpose: LinkPurpose, _ name: String, _ url: LinkURL, isOnDemand: Bool,
        transport: LinkTransport = .auto
    ) -> Bool {
        let served = plan.linkProtocols.first { $0.schemes[url.scheme] != nil }
        guard connector != nil, let served, let scheme = served.schemes[url.scheme],
            purpose == .pull || served.canPush
        else {
            log.error(code: "bad-link", "\(purpose) of \(name): no way to do that with \(url)")
            return false
        }
        links.append(
            OutgoingLink(
                purpose, name, url, served, scheme, isOnDemand: isOnDemand, transport: transport,
                at: now))
        return true
    }

    /// Somebody waits for a stream that we fetch on demand.
    func startSource(of local: LocalStream) {
        guard pull(of: local.name) == nil else { return }
        if let source = plan.links.source(local.name),
            add(.pull, local.name, source.url, isOnDemand: true, transport: source.transport)
        {
            return
        }
        if startCamera(of: local) { return }
        let cause = "\(local.name) has no source that could be started"
        local.stream?.sourceFailed(Refusal(.sourceFailed, cause))
    }

    /// Nobody has read it for a while.
    func stopSource(of local: LocalStream) {
        if let link = pull(of: local.name), link.isOnDemand { return end(link) }
        stopCamera(of: local)
    }

    /// A stream of ours began, changed or ended: what is to be brought elsewhere follows.
    func updatePushes(of local: LocalStream) {
        guard connector != nil, local.stream?.isLive == true else { return }
        for url in plan.links.pushes(local.name) {
            let isThere = links.contains {
                $0.purpose == .push && $0.name == local.name && $0.url == url && !$0.isOver
            }
            if !isThere { add(.push, local.name, url, isOnDemand: false) }
        }
    }

    /// The configuration has changed: what it no longer wants ends, what it wants now begins.
    func renewLinks() {
        for link in links {
            let isWanted =
                switch link.purpose {
                case .pull:
                    plan.links.source(link.name)
                        == LinkPlan.Source(
                            link.url, isOnDemand: link.isOnDemand, transport: link.transport)
                case .push: plan.links.pushes(link.name).contains(link.url)
                }
            if !isWanted { end(link) }
        }
        startPermanentSources()
        for local in streams.values { updatePushes(of: local) }
    }

    private func end(_ link: OutgoingLink) {
        link.isOver = true
        switch link.state {
        case .waiting: break
        case .connecting(let ticket): connector?.cancel(ticket, in: &poller)
        case .open(let connection, _): sayGoodbye(connection)
        }
        links.removeAll { $0 === link }
    }

    /// Cameras keep a session for a minute, unless they are told that it is over.
    private func sayGoodbye(_ connection: Connection) {
        apart(connection) {
            connection.session.drain(at: now, into: &effects, out: &connection.out)
        }
        wantFlush(connection)
    }

    /// In every turn; without links it costs nothing.
    func serveLinks() {
        guard !links.isEmpty else { return }
        connector?.advance(at: now, in: &poller)
        while let finished = connector?.next() { take(finished) }
        for link in links where link.due <= now { connect(link) }
    }

    var linksDeadline: Instant {
        guard !links.isEmpty else { return .distantFuture }
        var due = connector?.deadline ?? .distantFuture
        for link in links { due = min(due, link.due) }
        return due
    }

    private func connect(_ link: OutgoingLink) {
        guard stopping == nil else { return end(link) }
        let stream = streams[link.name]?.stream
        switch link.purpose {
        // Its publisher has gone; the next one begins it anew.
        case .push where stream?.isLive != true: return end(link)
        case .pull where link.isOnDemand && stream?.isWanted != true: return end(link)
        case .push, .pull: break
        }
        let url = link.redirect?.url ?? link.url
        let rule = link.redirect.map { OutboundRule.peer($0.by) } ?? .config
        let target = Connector.Target(
            host: url.host, port: url.port ?? link.scheme.port,
            transport: link.scheme.isSRT ? .udp : .tcp)
        guard let ticket = connector?.connect(to: target, allowedBy: rule, at: now) else {
            return end(link)
        }
        link.state = .connecting(ticket)
    }

    private func take(_ finished: consuming Connector.Finished) {
        let (ticket, result) = (finished.ticket, finished.result)
        let link = links.first {
            if case .connecting(ticket) = $0.state { true } else { false }
        }
        guard let link else { return }
        switch result {
        case .failure(let failure): fail(link, failure.description, lasted: .zero)
        case .success(let address) where link.scheme.isSRT: call(link, address)
        case .success(let address):
            guard let socket = finished.takeSocket() else { return }
            open(link, socket, address)
        }
    }

    /// - Parameter srt: Its number at the thread of libsrt, which calls.
    func open(
        _ link: OutgoingLink, _ socket: consuming TCPSocket, _ address: Address,
        srt: UInt64? = nil
    ) {
        let url = link.redirect?.url ?? link.url
        var tls: TLSSession?
        if link.scheme.isEncrypted {
            do throws(TLSError) {
                let context = try TLSContext(clientTrusting: plan.linkTrust)
                let seconds = Clock.utcNanoseconds / 1_000_000_000
                tls = try TLSSession(client: context, host: url.host, at: seconds)
            } catch {
                return fail(link, "\(error)", lasted: .zero)
            }
        }
        var seed = LinkSeed(
            link.purpose, url, name: link.name, peer: address, random: random.next())
        seed.lesson = link.lesson
        seed.transport = link.transport
        seed.wall = Interval(nanoseconds: wall.model.utc(at: now) &- now.nanoseconds)
        let session = link.served.make(seed)
        let connection = Connection(
            socket: socket, tls: tls, peer: address,
            service: "\(link.served.name)-\(link.purpose)", session: session, at: now, link: link)
        connection.srt = srt
        link.state = .open(connection, since: now)
        open(connection)
        session.start(at: now, into: &effects, out: &connection.out)
        runEffects(of: connection)
        setDeadline(of: connection)
        wantFlush(connection)
    }

    /// The connection of a link has ended.
    func ended(_ link: OutgoingLink, _ connection: Connection) {
        guard case .open(_, let since) = link.state else { return }
        // They know each other, and would keep each other for ever.
        guard !link.isOver else { return link.state = .waiting(until: .distantFuture) }
        let session = connection.session as? any LinkSession
        link.lesson = session?.lesson ?? 0
        var isDenied = false
        if case .redirected(let url) = session?.ending,
            link.redirects < OutgoingLink.redirectsMaximum,
            link.served.schemes[url.scheme]?.isEncrypted == link.scheme.isEncrypted
        {
            link.redirects += 1
            link.redirect = (url, connection.peer)
            link.state = .waiting(until: now)
            return log.info("\(link.what): sent on to \(url)")
        }
        var cause = connection.failure ?? "the connection broke"
        // Of a call, the thread of libsrt knows.
        switch session?.ending ?? connection.srt.flatMap({ plan.srt?.board.words(of: $0) }) {
        case .failed(let words): cause = words
        case .denied(let words): (cause, isDenied) = (words, true)
        case .redirected(let url): cause = "sent on to \(url), which is not followed"
        case nil: break
        }
        let lasted = session?.isRunning == true ? now - since : .zero
        fail(link, cause, lasted: lasted, isDenied: isDenied)
    }

    func fail(
        _ link: OutgoingLink, _ cause: String, lasted: Interval, isDenied: Bool = false
    ) {
        link.redirect = nil
        link.redirects = 0
        let delay = link.schedule.fail(
            lasted: lasted, isDenied: isDenied, random: &random)
        link.note(cause: cause)
        log.warning("\(link.what): \(cause); again in \(delay.milliseconds) ms")
        link.state = .waiting(until: now + delay)
        guard link.isOnDemand, isDenied || !link.schedule.isQuick,
            let local = streams[link.name]
        else { return }
        // Those who wait are told; who watched before sees it come back.
        local.stream?.sourceFailed(Refusal(.sourceFailed, "\(link.what): \(cause)"))
        setDeadline(of: local)
        if local.stream?.readerCount == 0 { end(link) }
    }
}
