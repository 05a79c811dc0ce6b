import ICE
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
                receiveDatagram()
            }
            if !slab.mayHaveMore { return }
        }
    }

    private func receiveDatagram() {
        guard let rtc else {
            counters.datagramsUnknown += 1
            return
        }
        let route = Route(remote: slab.source, local: slab.destination)
        slab.withBytes { receiveRTC(&$0, route, rtc) }
    }

    /// Empties the batch into the socket.
    ///
    /// - Returns: False if the socket is full: the batch stays, and goes on when it is writable.
    @discardableResult
    func sendBatch() -> Bool {
        guard !batch.isEmpty else { return true }
        guard let socket = datagramSockets.first else {
            batch.clear()
            return true
        }
        batchSince = min(batchSince, now)
        guard !socket.isBlocked else { return false }
        let before = sender.counts
        let outcome = socket.send(batch, from: batchPosition, by: &sender)
        let after = sender.counts
        counters.datagramsOut += Int64(after.datagrams - before.datagrams)
        counters.messagesOut += Int64(after.messages - before.messages)
        counters.datagramsRefused += Int64(after.refused - before.refused)
        counters.forwardDelay.note(
            Clock.now - batchSince, count: Int(after.datagrams - before.datagrams))
        switch outcome {
        case .blocked(let position):
            batchPosition = position
            setBlocked(socket, true)
            return false
        case .all:
            counters.datagramBytesOut += Int64(batch.byteCount)
            batchSince = .distantFuture
            batchPosition = .start
            batch.clear()
            return true
        }
    }

    /// The poller would spin on a writable socket that nothing is to be written to.
    func setBlocked(_ socket: DatagramSocket, _ isBlocked: Bool) {
        socket.isBlocked = isBlocked
        guard let registration = socket.registration else { return }
        do throws(SystemError) {
            try poller.modify(registration, isBlocked ? [.read, .write] : .read)
        } catch {
            log.error(code: "datagrams", "\(error)")
        }
    }
}

/// A UDP socket of one worker.
final class DatagramSocket {
    private let socket: UDPSocket
    private(set) var registration: Poller.Registration?
    /// The kernel takes no more: it is not written to before it says that it does again.
    var isBlocked = false

    init(_ socket: consuming UDPSocket) { self.socket = socket }

    func register(with poller: inout Poller, tag: Int) throws(SystemError) {
        registration = try poller.add(socket, tag: tag)
    }

    /// What comes from here on stays in the kernel, for the process that takes over.
    func stop(_ poller: inout Poller) {
        if let registration { poller.remove(registration) }
        registration = nil
    }

    func receive(into slab: inout ReceiveSlab) throws(SystemError) -> Bool {
        try socket.receive(into: &slab)
    }

    func send(
        _ batch: borrowing SendBatch, from position: BatchSender.Position,
        by sender: inout BatchSender
    ) -> BatchSender.Outcome {
        sender.send(batch, from: position, through: socket)
    }
}
