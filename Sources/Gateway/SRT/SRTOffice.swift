package import SRT
package import SRTPort
import Settings
import Synchronization
package import System
package import Wire

/// A caller who was let in, for the worker that takes it: a connection like any other, whose other
/// end is the thread of libsrt.
package struct SRTArrival: Sendable {
    package var id: UInt64
    package var socket: Parcel<TCPSocket>
    package var peer: Address
    package var request: SRTRequest
}

/// The door to the one thread that owns libsrt and all its connections.
///
/// A worker has each of them as a socket of a pair: what it cannot take stays in libsrt, what
/// libsrt cannot send stays with it, and each hears that the other is gone as of any connection.
///
/// The thread begins with the listener or with the first call: many gateways need neither.
package final class SRTOffice: Sendable {
    /// libsrt has a thread and megabytes of buffers for each that it has accepted.
    static let connectionsMaximum = 500

    enum Order: Sendable {
        case call(UInt64, Address, SRTOptions, isIncoming: Bool, Parcel<TCPSocket>)
        case stopListening
        case end
    }

    private enum Phase: Sendable { case idle, running }

    package let board = SRTBoard()
    private let shared: SRTShared
    private let phase = Locked(Phase.idle)

    /// - Parameters:
    ///   - listener: Bound; nil: nobody may call.
    ///   - deliver: Takes a caller to a worker.
    package init(
        _ listener: consuming Descriptor?, _ settings: SRTSettings, _ log: Log,
        deliver: @escaping @Sendable (SRTArrival) -> Void
    ) throws(SystemError) {
        shared = try SRTShared(settings, board, log.module("srt"), deliver)
        guard let listener else { return }
        guard start(Parcel(listener)) else {
            throw SystemError(doing: "start the thread of SRT", code: 0)
        }
    }

    /// A reload: for callers that come from now on.
    package func set(_ settings: SRTSettings) { shared.settings.withLock { $0 = settings } }

    /// Calls somebody.
    ///
    /// - Parameter isIncoming: We fetch something.
    /// - Returns: Its number, and our end of it; nil: there is no room, or no thread.
    package func call(
        _ peer: Address, _ options: SRTOptions, isIncoming: Bool
    ) -> (id: UInt64, socket: Parcel<TCPSocket>)? {
        guard board.count < Self.connectionsMaximum, start(nil), !isOver,
            let pair = try? TCPSocket.pair()
        else { return nil }
        let id = shared.takeNumber()
        var ends: (Parcel<TCPSocket>, Parcel<TCPSocket>)?
        pair.take { ends = (Parcel($0), Parcel($1)) }
        guard let (ours, theirs) = ends,
            shared.mailbox.post(.call(id, peer, options, isIncoming: isIncoming, theirs))
        else { return nil }
        return (id, ours)
    }

    /// Nobody is let in from here on; who is in stays.
    package func drain() {
        shared.isStopping.store(true, ordering: .relaxed)
        shared.mailbox.post(.stopListening)
    }

    /// Closes everything, and the thread with it.
    package func end() { shared.mailbox.post(.end) }

    /// Nothing of it touches the library any more, or it never has.
    package var isOver: Bool {
        phase.withLock { $0 } == .idle || shared.isOver.load(ordering: .acquiring)
    }

    private func start(_ listener: Parcel<Descriptor>?) -> Bool {
        phase.withLock { phase in
            guard phase == .idle else { return true }
            let shared = shared
            do throws(SystemError) {
                _ = try Thread("srt") { SRTThread.run(shared, listener) }
            } catch { return false }
            phase = .running
            return true
        }
    }
}

/// What the office, its thread and libsrt's own thread share.
final class SRTShared: Sendable {
    let settings: Locked<SRTSettings>
    let board: SRTBoard
    let log: Log
    let deliver: @Sendable (SRTArrival) -> Void
    let mailbox: Mailbox<SRTOffice.Order>
    let isStopping = Atomic<Bool>(false)
    let isOver = Atomic<Bool>(false)
    private let numbers = Atomic<UInt64>(0)
    /// Some tools call again at once, a hundred times a second.
    private let failures = Locked(FailureLimit())

    init(
        _ settings: SRTSettings, _ board: SRTBoard, _ log: Log,
        _ deliver: @escaping @Sendable (SRTArrival) -> Void
    ) throws(SystemError) {
        self.settings = Locked(settings)
        self.board = board
        self.log = log
        self.deliver = deliver
        mailbox = try Mailbox()
    }

    func takeNumber() -> UInt64 { numbers.add(1, ordering: .relaxed).newValue }

    /// On libsrt's receiving thread: nothing here waits for anybody.
    func judge(_ streamID: String, _ peer: Address) -> SRTVerdict {
        if isStopping.load(ordering: .relaxed) { return reject(.shuttingDown, peer, "stopping") }
        let now = Clock.now
        if failures.withLock({ $0.isFull(peer, at: now) }) {
            board.noteRejected()
            return .reject(.overload)
        }
        guard board.count < SRTOffice.connectionsMaximum else {
            let cause =
                "\(SRTOffice.connectionsMaximum) SRT connections are open: as many as may be"
            return reject(.overload, peer, cause)
        }
        let settings = settings.withLock { $0 }
        switch settings.judge(streamID, peer) {
        case .accept(_, let passphrase): return .accept(passphrase: passphrase.disclosed)
        case .reject(let reason, let cause): return reject(reason, peer, cause)
        }
    }

    private func reject(
        _ reason: SRTRejection, _ peer: Address, _ cause: String
    ) -> SRTVerdict {
        board.noteRejected()
        let isFirst = failures.withLock { $0.note(peer, at: Clock.now) }
        guard isFirst else { return .reject(reason) }
        log.info("\(peer): rejected with \(reason.rawValue): \(cause)")
        return .reject(reason)
    }
}
