import Crypto
import Stream
import System
import Wire

// Connections: accepted, read, written and closed. What they say is their sessions' matter.
extension Worker {
    func openListeners() throws(SystemError) {
        for listener in plan.listeners {
            guard let descriptor = listener.socket.take() else { continue }
            let socket = ListeningSocket(
                try TCPListener(adopting: descriptor), served: plan.protocols[listener.served],
                tls: listener.tls.flatMap(makeContext))
            try socket.register(with: &poller, tag: Tag.listener(listeners.count).number)
            listeners.append(socket)
        }
    }

    func makeContext(_ material: TLSMaterial) -> TLSContext? {
        do throws(TLSError) { return try material.makeContext() } catch {
            log.error(code: "certificate", "this listener cannot encrypt: \(error)")
            return nil
        }
    }

    func accept(_ index: Int) {
        let listener = listeners[index]
        for _ in 0..<TCPListener.acceptsPerTurn {
            do throws(SystemError) {
                guard let accepted = try listener.accept() else { return }
                admit(accepted, listener)
            } catch {
                log.warning("\(listener.served.name): \(error)")
                return
            }
        }
    }

    private func admit(_ accepted: consuming TCPListener.Accepted, _ listener: ListeningSocket) {
        let peer = accepted.peer
        guard stopping == nil, connections.count < plan.limits.connections,
            newcomers.enter(peer)
        else {
            counters.connectionsRefused += 1
            return
        }
        let socket = accepted.takeSocket()
        var dice = SystemRandomNumberGenerator()
        let seed = ServedProtocol.Seed(
            peer: peer, local: socket.localAddress ?? .any(port: 0), now: now,
            random: random.next(), secret: Entropy(high: dice.next(), low: dice.next()),
            wall: Interval(nanoseconds: wall.model.utc(at: now) &- now.nanoseconds),
            worker: plan.index, isEncrypted: listener.isEncrypted)
        let connection = Connection(
            socket: socket, tls: listener.makeTLS(), peer: peer, service: listener.served.name,
            session: listener.served.make(seed), at: now)
        open(connection)
    }

    func open(_ connection: Connection) {
        connection.identity = connections.insert(connection)
        let index = connection.identity.index
        do throws(SystemError) {
            try connection.register(with: &poller, tag: Tag.connection(index).number)
        } catch {
            log.warning("\(connection.service) \(connection.peer): \(error)")
            newcomers.leave(connection.peer)
            connections.remove(index)
            return
        }
        counters.connectionsAccepted += 1
        setDeadline(of: connection)
    }

    func serveConnection(_ index: Int, _ event: Poller.Event) {
        guard let connection = connections[index] else { return }
        if event.isWritable { connection.isBlocked = false }
        // A handshake waits for the next turn when this one has had its share; the poller says it
        // again.
        let mustWait = connection.isShakingHands && publicKeySteps >= Self.publicKeyStepsPerTurn
        if event.isReadable || event.isBroken, !connection.readEnded, !mustWait {
            read(connection)
        }
        guard connections[connection.identity] != nil else { return }
        if event.isWritable {
            wantFlush(connection)
            feedOn(connection)
        }
        if event.isBroken, connection.readEnded { close(connection) }
    }

    private func read(_ connection: Connection) {
        let wasNew = connection.isNew
        if connection.isShakingHands { publicKeySteps += 1 }
        let result = connection.read(into: &readBuffer, at: now, effects: &effects)
        runEffects(of: connection)
        switch result {
        case .bytes(let count): counters.connectionBytesIn += Int64(count)
        case .nothing: break
        case .ended: wantFlush(connection)
        case .failed:
            close(connection)
            return
        }
        if wasNew, !connection.isNew, connection.framed == nil { newcomers.leave(connection.peer) }
        setDeadline(of: connection)
        wantFlush(connection)
    }

    /// The session's deadline, and the worker's own for those who never say anything.
    func setDeadline(of connection: Connection) {
        var deadline = connection.session.deadline
        if connection.isNew {
            deadline = min(deadline, connection.acceptedAt + plan.limits.silence)
        }
        deadlines.set(connection.identity.index, deadline)
    }

    func expire(_ connection: Connection) {
        if connection.isNew, now >= connection.acceptedAt + plan.limits.silence {
            counters.connectionsRefused += 1
            close(connection)
            return
        }
        connection.session.expire(at: now, into: &effects, out: &connection.out)
        runEffects(of: connection)
        guard connections[connection.identity] != nil else { return }
        setDeadline(of: connection)
        wantFlush(connection)
        // It may have been waiting for a slot that does not come.
        feedOn(connection)
    }

    /// Ends it now; what it published or read ends with it.
    func close(_ connection: Connection) {
        guard connections[connection.identity] != nil else { return }
        let index = connection.identity.index
        if let registration = connection.registration { poller.remove(registration) }
        deadlines.clear(index)
        if connection.isNew { newcomers.leave(connection.peer) }
        connections.remove(index)
        closeLines(of: connection)
        counters.connectionsClosed += 1
        if let framed = connection.framed { pipeClosed(connection, framed) }
        if let wire = connection.gb { gbClosed(wire) }
        leaveStreams(connection, because: .done)
        if let link = connection.link { ended(link, connection) }
    }
}
