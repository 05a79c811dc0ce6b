import System
import Wire

// Datagrams: one socket on the shared port, answered from the address that was hit.
extension Worker {
    func openDatagramSockets() throws(SystemError) {
        for parcel in plan.datagramSockets {
            guard let descriptor = parcel.take() else { continue }
            let socket = DatagramSocket(try UDPSocket(adopting: descriptor))
            try socket.register(with: &poller, tag: Tag.datagrams(datagramSockets.count).number)
            datagramSockets.append(socket)
        }
    }

    func receiveDatagrams(_ index: Int) {
        let socket = datagramSockets[index]
        for _ in 0..<ReceiveSlab.batchesPerTurn {
            do throws(SystemError) {
                guard try socket.receive(into: &slab) else { return }
            } catch {
                log.warning("datagrams: \(error)")
                return
            }
            while slab.next() {
                counters.datagramsIn += 1
                counters.datagramBytesIn += Int64(slab.bytes.byteCount)
                // Nobody has claimed this peer: no state, no answer, only a number.
                counters.datagramsUnknown += 1
            }
            if !slab.mayHaveMore { return }
        }
    }

    /// Empties the batch into the socket it is for.
    func sendBatch(through socket: DatagramSocket) {
        guard !batch.isEmpty else { return }
        let before = sender.counts
        _ = socket.send(batch, by: &sender)
        let after = sender.counts
        counters.datagramsOut += Int64(after.datagrams - before.datagrams)
        counters.messagesOut += Int64(after.messages - before.messages)
        counters.datagramsRefused += Int64(after.refused - before.refused)
        counters.datagramBytesOut += Int64(batch.byteCount)
        batch.clear()
    }
}

/// A UDP socket of one worker.
final class DatagramSocket {
    private let socket: UDPSocket

    init(_ socket: consuming UDPSocket) { self.socket = socket }

    func register(with poller: inout Poller, tag: Int) throws(SystemError) {
        _ = try poller.add(socket, tag: tag)
    }

    func receive(into slab: inout ReceiveSlab) throws(SystemError) -> Bool {
        try socket.receive(into: &slab)
    }

    func send(_ batch: borrowing SendBatch, by sender: inout BatchSender) -> BatchSender.Outcome {
        sender.send(batch, through: socket)
    }
}
