import ICE
import Stream
import System
import Wire

// ICE-TCP: a connection is a route like any other once its first request has proved whose it is.
// It lives at the worker that has the session; one that was accepted elsewhere is handed over.
extension Worker {
    func serveFrames(of connection: Connection, _ framed: FramedSession) {
        guard let rtc else { return }
        if framed.number == 0 { framed.number = rtc.enter(connection) }
        let route = Route(
            remote: connection.peer, local: connection.local, connection: framed.number)
        while connection.isHere(at: self), let frame = framed.nextFrame() {
            if !framed.isAuthenticated {
                guard Stranger(frame.raw, keys: rtc.tickets) != nil else {
                    counters.datagramsUnknown += 1
                    return close(connection)
                }
                framed.isAuthenticated = true
                newcomers.leave(connection.peer)
            }
            var bytes = frame
            var span = bytes.mutableSpan
            var window = unsafe span.mutableBytes
            receiveRTC(&window, route, rtc)
        }
    }

    func send(_ bytes: RawSpan, by pipe: UInt32) {
        guard let connection = rtc?.pipes[pipe] else { return }
        let head = Framing.head(bytes.byteCount)
        connection.out.append([head[0], head[1]].raw)
        connection.out.append(bytes)
        wantFlush(connection)
    }

    /// A viewer behind a full connection gets nothing more until that is empty: what was not
    /// written stays in the histories, where it can be left out.
    func noteWritten(_ connection: Connection) {
        guard let framed = connection.framed, let rtc,
            let viewing = rtc.peer(at: route(of: connection, framed))?.viewing
        else { return }
        viewing.audience.fanOut.setWritable(
            viewing.id, connection.waiting == 0 && !connection.isBlocked, at: now)
    }

    func pipeClosed(_ connection: Connection, _ framed: FramedSession) {
        guard let rtc, framed.number != 0, rtc.leave(framed.number) else { return }
        let route = route(of: connection, framed)
        rtc.strangers.remove(route)
        guard let peer = rtc.peer(at: route) else { return }
        rtc.forget(route, of: peer)
        apart(peer) {
            peer.session.closed(
                connection: framed.number, at: now, engine: &rtc.engine, into: &rtc.out,
                effects: &effects)
            finishRTC(peer, rtc)
        }
    }

    private func route(of connection: Connection, _ framed: FramedSession) -> Route {
        Route(remote: connection.peer, local: connection.local, connection: framed.number)
    }

    // MARK: Handing over

    /// The session is at another worker: the connection goes there, with what it has said already.
    func move(_ pipe: UInt32, to worker: Int, saying first: [[UInt8]], _ rtc: RTCDesk) {
        guard let connection = rtc.pipes[pipe], let framed = connection.framed else { return }
        var said: [UInt8] = []
        var frames = first
        while let frame = framed.nextFrame() { frames.append(frame) }
        for frame in frames {
            let head = Framing.head(frame.count)
            said += [head[0], head[1]] + frame
        }
        said += connection.takePending()
        // An answer that was given here leaves first; a peer that reads nothing is not moved.
        guard connection.write() != nil, connection.waiting == 0,
            let socket = connection.duplicateSocket()
        else { return close(connection) }
        counters.rtcPipesMoved += 1
        neighbours.post(
            .rtc(.pipe(Parcel(socket), peer: connection.peer, said: said)), to: worker)
        close(connection)
    }

    func takePipe(_ parcel: Parcel<TCPSocket>, peer: Address, said: [UInt8]) {
        guard stopping == nil, connections.count < plan.limits.connections,
            let socket = parcel.take()
        else {
            counters.connectionsRefused += 1
            return
        }
        let framed = FramedSession()
        framed.isAuthenticated = true
        let connection = Connection(
            socket: socket, tls: nil, peer: peer, service: "ice-tcp", session: framed, at: now)
        open(connection)
        guard connection.isHere(at: self) else { return }
        if !connection.take(said, at: now, effects: &effects) { return close(connection) }
        runEffects(of: connection)
        wantFlush(connection)
    }
}
