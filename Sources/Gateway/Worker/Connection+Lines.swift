import Stream
import System
import Wire

// A session with UDP ports beside its connection.
extension Connection: LineOwner {
    func receive(_ batch: inout ReceiveSlab, on line: DatagramLine, at worker: Worker) {
        guard let datagrams, worker.connections[identity] != nil else { return }
        while batch.next() {
            let source = batch.source
            batch.withBytes { bytes in
                datagrams.receive(
                    datagram: bytes.bytes, from: source, on: line.number, at: worker.now,
                    into: &worker.effects, out: &out)
            }
        }
        worker.lineWasRead(of: self)
    }

    func linesHaveRoom(at worker: Worker) { worker.feedOn(self) }

    /// Its readers may write again.
    func expire(_ lines: LineSet, at worker: Worker) { worker.feedOn(self) }
}

extension Worker {
    /// A session wants two ports of its own.
    func openLines(_ number: LineNumber, _ id: QuestionID, _ participant: Participant) {
        do throws(Refusal) {
            guard let connection = participant.connection, let session = connection.datagrams
            else { throw Refusal(.tooMany, "\(participant.service) has no datagrams") }
            guard let range = plan.linePorts else {
                throw Refusal(.tooMany, "media over UDP is switched off: use TCP")
            }
            let lines =
                connection.lines
                ?? LineSet(connection.service, owner: connection, queue: session.datagrams)
            connection.lines = lines
            let port = try openPair(
                number, in: range, setting: plan.linePortsSetting, of: lines)
            reply(.lines(number, port: port), id, participant)
        } catch {
            reply(.refused(error), id, participant)
        }
    }

    func closeLines(of connection: Connection) {
        guard let lines = connection.lines else { return }
        connection.lines = nil
        close(lines)
    }

    /// As after bytes on its connection.
    func lineWasRead(of connection: Connection) {
        runEffects(of: connection)
        guard connections[connection.identity] != nil else { return }
        setDeadline(of: connection)
        wantFlush(connection)
    }
}
