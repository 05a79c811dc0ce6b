package import SCTP
import Synchronization
package import System
import Wire

/// What one session hears of its association.
package struct SCTPNews: Sendable {
    package var session: UInt64
    package var report: SCTPReport
}

/// The door to the one thread that owns all SCTP associations of the process: workers post what
/// their sessions want, and hear of it by letter.
///
/// The thread begins with the first association: most gateways never have one.
package final class SCTPOffice: Sendable {
    /// Takes what sessions of a worker are told: a letter to that worker.
    package typealias Deliver = @Sendable (_ worker: Int, [SCTPNews]) -> Void

    /// What may wait for the thread in all: sixteen of the largest messages, from every session of
    /// the process. A packet beyond it is lost, which SCTP mends; a message is refused.
    static let waitingMaximum = 16 * SCTPEngine.messageMaximum

    private enum Phase: Sendable { case idle, running }

    private let intake: SCTPIntake
    private let phase = Locked(Phase.idle)
    private let makeEngine: @Sendable () -> SCTPEngine
    private let deliver: Deliver

    /// - Parameter engine: Called on the thread that will own it: the only one of the process.
    package init(
        engine makeEngine: @escaping @Sendable () -> SCTPEngine = { SCTPEngine() },
        deliver: @escaping Deliver
    ) throws(SystemError) {
        intake = try SCTPIntake()
        self.makeEngine = makeEngine
        self.deliver = deliver
    }

    deinit { end() }

    /// - Returns: Whether it was taken.
    package func post(_ request: SCTPRequest) -> Bool {
        guard start() else { return false }
        return intake.post(request)
    }

    /// Closes all associations, and the thread with them.
    package func end() { intake.mailbox.post(.end) }

    /// Nothing of it touches the library any more, or it never has.
    package var isOver: Bool {
        phase.withLock { $0 } == .idle || intake.isOver.load(ordering: .acquiring)
    }

    private func start() -> Bool {
        phase.withLock { phase in
            guard phase == .idle else { return true }
            let (intake, makeEngine, deliver) = (intake, makeEngine, deliver)
            do throws(SystemError) {
                _ = try Thread("sctp") {
                    SCTPThread(intake, SCTPDesk(makeEngine()), deliver).run()
                }
            } catch { return false }
            phase = .running
            return true
        }
    }
}

/// What the office and its thread share.
private final class SCTPIntake: Sendable {
    enum Order: Sendable {
        case request(SCTPRequest)
        case end
    }

    let mailbox: Mailbox<Order>
    let isOver = Atomic<Bool>(false)
    private let waiting = Atomic<Int>(0)

    init() throws(SystemError) { mailbox = try Mailbox() }

    func post(_ request: SCTPRequest) -> Bool {
        let cost = request.cost
        let before = waiting.add(cost, ordering: .relaxed).oldValue
        // What ends an association always finds its way: it makes room.
        let isTaken = before + cost <= SCTPOffice.waitingMaximum || cost == 0
        guard isTaken, mailbox.post(.request(request)) else {
            waiting.subtract(cost, ordering: .relaxed)
            return false
        }
        return true
    }

    func wasTaken(_ request: SCTPRequest) { waiting.subtract(request.cost, ordering: .relaxed) }
}

extension SCTPRequest {
    /// The bytes that wait with it.
    fileprivate var cost: Int {
        switch self {
        case .open, .reset, .close: 0
        case .packet(_, let bytes), .send(_, _, _, _, let bytes): bytes.count
        }
    }
}

private final class SCTPThread {
    private let intake: SCTPIntake
    private let desk: SCTPDesk
    private let deliver: SCTPOffice.Deliver
    private var orders: [SCTPIntake.Order] = []
    private var reports: [(SCTPOwner, SCTPReport)] = []

    init(_ intake: SCTPIntake, _ desk: SCTPDesk, _ deliver: @escaping SCTPOffice.Deliver) {
        self.intake = intake
        self.desk = desk
        self.deliver = deliver
    }

    func run() {
        do throws(SystemError) {
            var poller = try Poller()
            _ = try poller.add(intake.mailbox.bell, tag: 0)
            while try turn(&poller) {}
        } catch {
            // Without a poller it sees no letters: all channels would stand still, and say nothing.
            preconditionFailure("sctp: \(error)")
        }
        desk.closeAll()
        intake.isOver.store(true, ordering: .releasing)
    }

    /// - Returns: False at the end.
    private func turn(_ poller: inout Poller) throws(SystemError) -> Bool {
        intake.mailbox.bell.fallAsleep()
        if intake.mailbox.isEmpty { try poller.wait(desk.pause) }
        while poller.next() != nil {}
        intake.mailbox.bell.awake()
        intake.mailbox.collect(into: &orders)
        for order in orders {
            guard case .request(let request) = order else { return false }
            intake.wasTaken(request)
            desk.handle(request, into: &reports)
        }
        desk.tick(at: Clock.now, into: &reports)
        post()
        return true
    }

    /// One letter for each worker.
    private func post() {
        guard !reports.isEmpty else { return }
        var letters: [UInt16: [SCTPNews]] = [:]
        for (owner, report) in reports {
            letters[owner.worker, default: []].append(
                SCTPNews(session: owner.session, report: report))
        }
        reports.removeAll(keepingCapacity: true)
        for (worker, news) in letters { deliver(Int(worker), news) }
    }
}
