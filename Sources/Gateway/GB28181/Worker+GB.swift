import GB28181
import Stream
import System
import Wire

// Cameras of GB28181: called when somebody opens the stream of their name.
extension Worker {
    /// Before its sockets are opened.
    func openGB() {
        guard let plan = plan.gb, self.plan.index == GBPlan.worker else { return }
        var dice = SystemRandomNumberGenerator()
        gb = GBDesk(
            plan, seed: random.next(), secret: Entropy(high: dice.next(), low: dice.next()))
    }

    /// - Returns: False: it is no camera's name.
    func startCamera(of local: LocalStream) -> Bool {
        guard plan.gb != nil, let id = GBPlan.camera(local.name) else { return false }
        neighbours.post(.gb(.play(id, from: plan.index)), to: GBPlan.worker)
        return true
    }

    func stopCamera(of local: LocalStream) {
        guard plan.gb != nil, let id = GBPlan.camera(local.name) else { return }
        neighbours.post(.gb(.stop(id)), to: GBPlan.worker)
    }

    func read(_ letter: GBLetter) {
        switch letter {
        case .play(let id, let home): gb?.want(id, home: home, at: self)
        case .stop(let id): gb?.unwant(id, at: self)
        case .failed(let id, let cause): cameraFailed(id, cause)
        case .synchronise(let id):
            gb?.within(self) { _ = $0.synchronise(id, at: now, into: &$1) }
        case .control(let id, let command):
            gb?.within(self) { platform, effects in
                do throws(GBFailure) {
                    try platform.control(id, command, at: now, into: &effects)
                } catch {
                    log.warning("gb28181: \(error)")
                }
            }
        }
    }

    private func cameraFailed(_ id: GBChannelID, _ cause: String) {
        guard let local = streams[id.stream] else {
            return neighbours.post(.gb(.stop(id)), to: GBPlan.worker)
        }
        local.stream?.sourceFailed(Refusal(.sourceFailed, cause))
        setDeadline(of: local)
        // Nobody is left who watched it before.
        guard local.stream?.readerCount == 0 else { return }
        neighbours.post(.gb(.stop(id)), to: GBPlan.worker)
    }

    /// After a connection of a device was read.
    func serveGB(_ connection: Connection, _ wire: GBWire) {
        guard let gb else { return }
        switch wire.role {
        case .signalling:
            for message in wire.takeMessages() {
                gb.receive(message, from: connection, at: self)
                // Before it has registered it may be anybody, and has little time.
                if !wire.isEstablished, gb.isDevice(message.from?.uri.user, on: wire) {
                    wire.isEstablished = true
                }
            }
        case .media:
            wire.takePackets { packet in
                guard connection.isHere(at: self), !connection.isEnding else { return }
                gb.receive(packet: packet, from: connection, at: self)
            }
            gb.mediaWasRead(at: self)
        }
    }

    func gbClosed(_ wire: GBWire) {
        gb?.closed(wire)
        guard let session = wire.session, let gb, gb.sessions[session.id] === session else {
            return
        }
        session.pipe = nil
        gb.giveUp(session.id, GBFailure(.ended, "its media connection ended"), at: self)
    }

    /// What it brings is of no use any more.
    func dismissPipe(_ connection: Connection) {
        guard connection.isHere(at: self) else { return }
        connection.gb?.session = nil
        connection.end()
        wantFlush(connection)
    }

    /// The gateway stops: cameras are told, for they have few calls.
    func stopGB() {
        guard let gb else { return }
        for id in Array(gb.wishes.keys) { gb.unwant(id, at: self) }
    }
}
