import Crypto
import ICE
import SCTP
import Stream
import System
import Wire

/// What one worker keeps for WebRTC. It is made with the worker and lives on its thread.
final class RTCDesk {
    let directory: RTCDirectory
    let context: DTLSContext
    var settings: RTCSettings
    var tickets: TicketKeys
    var engine: CryptoEngine
    static let secretLife = Interval.seconds(86_400)
    var nextSecret: Instant
    /// For all that must not be guessed: names, tickets, secrets of sessions.
    var dice = SystemRandomNumberGenerator()
    /// Offers answered here whose peers have not come, the oldest first.
    private var waiting: [(name: RTCSessionName, until: Instant)] = []

    // Sessions that were built here.
    var peers = SlotTable<RTCPeer>()
    var bySlot: [UInt32: RTCPeer] = [:]
    private var routes: [Route: RTCPeer] = [:]
    var deadlines: Deadlines
    /// ICE-TCP connections, by the number in their routes.
    private(set) var pipes: [UInt32: Connection] = [:]
    private var lastPipe: UInt32 = 0
    // Senders without a session here, and datagrams of handshakes that wait for the next turn.
    var strangers = Strangers()
    var postponed: [(route: Route, bytes: [UInt8])] = []
    private var looksForStrays = StrayAllowance()
    private var asksForStrays = StrayAllowance()

    // Data channels: the thread of their associations, and whose they are.
    let channels: SCTPOffice?
    var associations: [UInt64: RTCPeer] = [:]
    private var lastAssociation: UInt64 = 0

    /// At one worker.
    var keeper: AddressKeeper?
    let resolver: Resolver?
    /// STUN servers whose answers may come to any worker.
    var askedServers: [Address] = []

    var asks = RTCAsks()
    /// Streams with WebRTC viewers here.
    var watched: [LocalStream] = []

    // Lent for the length of a call.
    var out = RTCOutput()
    private(set) var taken = RTCOutput()
    var framed = RTCOutput()
    /// What pages said on their channels for control in this turn: it is done when the sessions
    /// that took it have returned.
    var commands: [(RTCPeer, [UInt8])] = []
    var forwardHead: [UInt8] = []
    var scratch: [UInt8] = []

    /// - Parameter renewsTickets: One worker does, for all; it keeps the addresses, too.
    init(_ plan: RTCPlan, renewsTickets: Bool, at now: Instant) throws(WorkerStartError) {
        directory = plan.directory
        deadlines = Deadlines(at: now)
        nextSecret = renewsTickets ? now + Self.secretLife : .distantFuture
        settings = plan.settings
        channels = plan.channels
        resolver = plan.resolver
        if renewsTickets { keeper = settings.sources.map { AddressKeeper($0, at: now) } }
        tickets = TicketKeys(secret: plan.ticketSecret.raw)
        do throws(TLSError) { context = try DTLSContext(certificate: plan.certificate) } catch {
            throw WorkerStartError("\(error)")
        }
        do throws(CryptoEngineError) { engine = try CryptoEngine.make(plan.engine) } catch {
            throw WorkerStartError("\(error)")
        }
    }

    /// Our credentials for a session: whoever shows them later is recognised by any worker.
    func issue(_ slot: UInt32, worker: Int, at now: Instant) -> ICECredentials {
        let end = (now + LiteAgent.connectLimit).nanoseconds / 1_000_000_000 + 1
        let ticket = Ticket(
            slot: slot, worker: UInt8(worker), expires: UInt32(truncatingIfNeeded: end))
        return tickets.issue(ticket, random: dice.next())
    }

    /// Names the present credentials of a session, in quotes.
    func newETag() -> String { "\"\(String(dice.next(), radix: 36))\"" }

    func waitFor(_ name: RTCSessionName, until end: Instant) { waiting.append((name, end)) }

    /// When the oldest offer is over.
    var nextOfferEnd: Instant { waiting.first?.until ?? .distantFuture }

    /// - Returns: How many peers never came.
    func expireOffers(at now: Instant) -> Int {
        var count = 0
        var lost = 0
        while count < waiting.count, waiting[count].until <= now {
            if directory.expire(waiting[count].name) { lost += 1 }
            count += 1
        }
        waiting.removeFirst(count)
        return lost
    }

    /// When something of it is due.
    var nextDeadline: Instant {
        postponed.isEmpty
            ? min(
                deadlines.next, nextOfferEnd, strangers.nextSweep, nextSecret, asks.deadline,
                keeper?.deadline ?? .distantFuture)
            : .start
    }

    // MARK: Sessions

    /// Browsers have two or three paths; more routes than a session knows are of no use.
    private static let routesPerPeer = 16

    func add(_ peer: RTCPeer) {
        peer.identity = peers.insert(peer)
        bySlot[peer.name.slot] = peer
    }

    func remove(_ peer: RTCPeer) {
        for route in peer.routes where routes[route] === peer { routes[route] = nil }
        peer.routes = []
        bySlot[peer.name.slot] = nil
        deadlines.clear(peer.identity.index)
        peers.remove(peer.identity.index)
    }

    func peer(called name: RTCSessionName) -> RTCPeer? {
        bySlot[name.slot].flatMap { $0.name == name ? $0 : nil }
    }

    var routeCount: Int { routes.count }

    func peer(at route: Route) -> RTCPeer? { routes[route] }

    /// A route on which the session has just heard its peer, or has not.
    func learn(_ route: Route, of peer: RTCPeer) {
        guard peer.session.knows(route), routes[route] !== peer else { return }
        strangers.remove(route)
        routes[route] = peer
        peer.routes.append(route)
        guard peer.routes.count > Self.routesPerPeer else { return }
        for old in peer.routes where !peer.session.knows(old) && routes[old] === peer {
            routes[old] = nil
        }
        peer.routes.removeAll { routes[$0] !== peer }
    }

    func forget(_ route: Route, of peer: RTCPeer) {
        if routes[route] === peer { routes[route] = nil }
        peer.routes.removeAll { $0 == route }
    }

    func mayLookForStray(at now: Instant) -> Bool { looksForStrays.admits(at: now) }
    func mayAskForStray(at now: Instant) -> Bool { asksForStrays.admits(at: now) }

    func enter(_ connection: Connection) -> UInt32 {
        lastPipe = lastPipe == .max ? 1 : lastPipe + 1
        pipes[lastPipe] = connection
        return lastPipe
    }

    func leave(_ pipe: UInt32) -> Bool { pipes.removeValue(forKey: pipe) != nil }

    /// A number that is not used again: late news of an association finds nobody else.
    func newAssociation(of peer: RTCPeer, worker: Int) -> SCTPOwner {
        lastAssociation += 1
        associations[lastAssociation] = peer
        return SCTPOwner(worker: UInt16(worker), session: lastAssociation)
    }

    func setDeadline(of peer: RTCPeer) {
        guard peers[peer.identity] != nil else { return }
        deadlines.set(peer.identity.index, peer.session.deadline)
    }

    /// Sessions by state. Those that wait are of no worker: the first one counts them for all.
    func states(isFirst: Bool) -> [String: Int] {
        var states = ["connecting": 0, "connected": 0]
        peers.forEach { states[$0.isConnected ? "connected" : "connecting", default: 0] += 1 }
        if isFirst { states["waiting"] = directory.counts.waiting }
        return states
    }

    // MARK: Output

    /// What was written since the last call, to be gone through while sessions may write anew.
    func takeOutput() -> [RTCOutput.Entry] {
        swap(&out, &taken)
        return taken.entries
    }

    func giveBackOutput() { taken.clear() }
}
