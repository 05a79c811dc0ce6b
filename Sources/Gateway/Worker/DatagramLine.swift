import Stream
import System
import Wire

/// Whoever has lines: a session with ports of its own, or a protocol that listens for datagrams.
protocol LineOwner: AnyObject {
    /// A batch has come on one of its lines: go through it with `batch.next()`.
    ///
    /// What it answers it puts into the queue of its lines; the worker sends it in FLUSH.
    func receive(_ batch: inout ReceiveSlab, on line: DatagramLine, at worker: Worker)

    /// All that waited has left, after a time in which a socket was full.
    func linesHaveRoom(at worker: Worker)

    /// The deadline that it has set for its lines has passed.
    func expire(_ lines: LineSet, at worker: Worker)

    /// The worker ends.
    func end(_ lines: LineSet, at worker: Worker)
}

extension LineOwner {
    func linesHaveRoom(at worker: Worker) {}
    func expire(_ lines: LineSet, at worker: Worker) {}
    func end(_ lines: LineSet, at worker: Worker) { worker.close(lines) }
}

/// A UDP socket of a worker beside the port of WebRTC.
final class DatagramLine {
    /// Its owner's own number for it.
    let number: LineNumber
    let localAddress: Address
    /// Whose it is; nil: it has been closed.
    weak var lines: LineSet?
    private let socket: UDPSocket
    var identity = SlotTable<DatagramLine>.Identity(index: -1, generation: 0)
    var registration: Poller.Registration?

    init(_ number: LineNumber, _ socket: consuming UDPSocket, of lines: LineSet) {
        self.number = number
        localAddress = socket.localAddress
        self.socket = socket
        self.lines = lines
    }

    func join(_ group: Address, interface: UInt32 = 0) throws(SystemError) {
        try socket.join(group, interface: interface)
    }

    func leave(_ group: Address, interface: UInt32 = 0) throws(SystemError) {
        try socket.leave(group, interface: interface)
    }

    func setMulticastHops(_ hops: UInt8) throws(SystemError) {
        try socket.setMulticastHops(hops)
    }

    func register(with poller: inout Poller, tag: Int) throws(SystemError) {
        registration = try poller.add(socket, tag: tag)
    }

    func receive(into slab: inout ReceiveSlab) throws(SystemError) -> Bool {
        try socket.receive(into: &slab)
    }

    func send(
        _ batch: borrowing SendBatch, by sender: inout BatchSender
    ) -> BatchSender.Outcome { sender.send(batch, through: socket) }
}

/// All lines of one owner, and what it has written for them.
final class LineSet {
    /// For logs.
    let service: String
    let owner: any LineOwner
    /// The owner writes into it.
    let queue: DatagramQueue
    /// It listens, so that it lets go when the gateway stops and the next process goes on.
    let isListening: Bool
    var lines: [DatagramLine] = []
    var identity = SlotTable<LineSet>.Identity(index: -1, generation: 0)
    var isInFlush = false
    /// One of its sockets is full: nothing is sent before that is writable.
    var isBlocked = false
    /// It was so when it was last sent.
    var isHeldBack = false
    var dropped = 0

    init(
        _ service: String, owner: any LineOwner, queue: DatagramQueue = DatagramQueue(),
        isListening: Bool = false
    ) {
        self.service = service
        self.owner = owner
        self.queue = queue
        self.isListening = isListening
    }

    subscript(number: LineNumber) -> DatagramLine? { lines.first { $0.number == number } }
}
