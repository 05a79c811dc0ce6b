import GB28181
import System
import Wire

/// The datagrams of GB28181: signalling on one port, media on the other.
final class GBLines: LineOwner {
    private let role: GBWire.Role

    init(_ role: GBWire.Role) { self.role = role }

    static func make(_ role: GBWire.Role, at worker: Worker) -> LineSet {
        let lines = LineSet("gb28181", owner: GBLines(role), isListening: true)
        switch role {
        case .signalling: worker.gb?.signalling = lines
        case .media: worker.gb?.media = lines
        }
        return lines
    }

    func receive(_ batch: inout ReceiveSlab, on line: DatagramLine, at worker: Worker) {
        guard let desk = worker.gb else { return }
        let port = line.localAddress.port
        while batch.next() {
            let (source, local) = (batch.source, batch.destination.with(port: port))
            batch.withBytes { bytes in
                switch role {
                case .signalling:
                    desk.receive(bytes.bytes, GBRoute(peer: source, local: local), at: worker)
                case .media: desk.receive(packet: bytes.bytes, from: source, at: worker)
                }
            }
        }
        if role == .media { desk.mediaWasRead(at: worker) }
    }

    /// What cameras are to be told at the end still leaves.
    func end(_ lines: LineSet, at worker: Worker) {
        worker.flushLines()
        worker.close(lines)
    }

    func expire(_ lines: LineSet, at worker: Worker) {
        switch role {
        case .signalling: worker.gb?.expireSignalling(at: worker)
        case .media: worker.gb?.expireMedia(at: worker)
        }
    }
}
