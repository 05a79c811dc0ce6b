import Stream
package import System
import Wire

/// One thread of the gateway: its sockets, its connections, its sessions, and the loop that serves
/// them. It shares nothing; what others want of it comes in its mailbox and its rings.
///
///     wait → read the clock once → datagrams → connections → letters → deadlines → FLUSH
package final class Worker {
    var plan: WorkerPlan
    let neighbours: Neighbours
    let hub: Hub
    let log: Log

    var poller: Poller
    var slab = ReceiveSlab()
    var batch = SendBatch()
    var sender = BatchSender()
    /// How far the batch at hand has gone, when the socket was full.
    var batchPosition = BatchSender.Position.start
    /// The turn in which what is in the batch first could have left.
    var batchSince = Instant.distantFuture
    var listeners: [ListeningSocket] = []
    var datagramSockets: [DatagramSocket] = []
    /// Sockets for datagrams beside them, and their owners' sets.
    var lines = SlotTable<DatagramLine>()
    var lineSets = SlotTable<LineSet>()
    var lineSetsToFlush: [LineSet] = []
    var lineDeadlines: Deadlines
    var lineBatch = SendBatch()
    var connections = SlotTable<Connection>()
    var deadlines: Deadlines
    var newcomers: Newcomers
    var counters = WorkerCounters()
    var meter: LoadMeter
    var random: SplitMix64
    /// The time of this turn: one for all that happens in it.
    var now: Instant

    // Lent to sessions and connections for the length of a call; kept so that nothing is
    // allocated in a turn.
    var effects = Effects()
    var running = Effects()
    var orders = Orders()
    var readBuffer = [UInt8](repeating: 0, count: 64 * 1024)
    var due: [Int] = []
    var letters: [Letter] = []
    /// Connections that have something to write in this turn.
    var toFlush: [Int] = []
    /// Sessions that were called outside of their own turn and may have written effects.
    var pendingEffects: [(participant: Participant, effects: Effects)] = []
    /// Whose effects are being run.
    var current: Participant?
    /// Connections that are too slow to be kept: closed when nobody walks over them.
    var hopeless: [Connection] = []
    var gathers: [Gather.ID: (gather: Gather, done: (Gather) -> Void)] = [:]
    var nextGather: Gather.ID = 0

    // Streams.
    let memory: MediaMemory
    var streams: [String: LocalStream] = [:]
    var streamSlots = SlotTable<LocalStream>()
    var streamDeadlines: Deadlines
    var dirtyStreams: [LocalStream] = []
    var waiting: [Waiters.ID: Waiting] = [:]
    var nextWaiter: Waiters.ID = 0

    /// Streams that are fetched and brought from here; the way out is there if there is a resolver.
    var links: [OutgoingLink] = []
    var connector: Connector?

    /// Transport streams that have viewers here, by their streams.
    var feeds: [String: SharedFeed] = [:]

    /// Bridges of streams that are at home here.
    var transcodings: [TranscodeID: Transcoding] = [:]
    var nextTranscode: TranscodeID = 0

    // Other workers: rings, relays of streams, publishers whose stream lives elsewhere.
    var ringsOut: [Int: RingOut] = [:]
    var ringsIn: [RingIn] = []
    var relayOuts: [RelayAddress: LocalStream] = [:]
    var relayOwners: [UInt32: LocalStream] = [:]
    var nextRelay: UInt32 = 0
    var toRetry: [LocalStream] = []
    var retryAt = Instant.distantFuture
    var feedsOut: [UInt32: FeedOut] = [:]
    var feedsIn: [FeedAddress: FeedIn] = [:]
    var closingFeeds: [FeedOut] = []
    var nextFeed: UInt32 = 0
    var feedHead: [UInt8] = []
    var fed = Effects()
    // HLS: streams of this home that are cut, and requests that wait here.
    var cutters: [HLSDirectory.Key: HLSCutter] = [:]
    var hlsWaiting: [HLSDirectory.Key: [HLSRequest]] = [:]
    var hlsWaitingCount = 0
    var nextHLS = Instant.distantFuture
    /// nil: WebRTC is switched off.
    var rtc: RTCDesk?
    /// Cameras of GB28181: at one worker, if they are switched on.
    var gb: GBDesk?
    /// In this turn, of DTLS and TLS together.
    var publicKeySteps = 0
    /// UTC, for what is written of times to people and peers.
    var wall: WallClock.Copy
    var stopping: Instant?
    var demos: [DemoPublisher] = []
    var failures = FailureLimit()
    /// Pages that are told what happens, and when next; `.distantFuture` while nobody listens.
    var eventListeners: [EventListener] = []
    var nextEvents = Instant.distantFuture
    /// The text of the `Date` header, and the second it is for.
    var date: (seconds: Int64, text: String) = (-1, "")

    /// What an event of the poller is about: its tag.
    enum Tag {
        case bell, connector, datagrams(Int), listener(Int), connection(Int), line(Int)

        /// Kinds in the low bits, indexes above.
        var number: Int {
            switch self {
            case .bell: 0
            case .connector: 1 << 3
            case .datagrams(let index): index << 3 | 1
            case .listener(let index): index << 3 | 2
            case .connection(let index): index << 3 | 3
            case .line(let index): index << 3 | 4
            }
        }

        init(_ number: Int) {
            switch number & 7 {
            case 0: self = number == 0 ? .bell : .connector
            case 1: self = .datagrams(number >> 3)
            case 2: self = .listener(number >> 3)
            case 3: self = .connection(number >> 3)
            default: self = .line(number >> 3)
            }
        }
    }

    /// Made on the thread it lives on.
    package init(
        _ plan: WorkerPlan, _ neighbours: Neighbours, _ hub: Hub, _ log: Log
    ) throws(WorkerStartError) {
        self.plan = plan
        self.neighbours = neighbours
        self.hub = hub
        self.log = log.with("worker", String(plan.index))
        now = Clock.now
        wall = plan.wall.copy
        meter = LoadMeter(at: now, threadTime: Clock.threadTime)
        deadlines = Deadlines(at: now)
        streamDeadlines = Deadlines(at: now)
        lineDeadlines = Deadlines(at: now)
        memory = MediaMemory(limit: plan.limits.mediaMemory)
        newcomers = Newcomers(maximum: plan.limits.newcomersPerNetwork)
        random = SplitMix64(seed: plan.seed)
        demos = plan.demos.map { [now] in DemoPublisher($0, at: now) }
        if let shared = plan.rtc {
            rtc = try RTCDesk(shared, renewsTickets: plan.index == 0, at: now)
        }
        do throws(SystemError) {
            poller = try Poller()
            _ = try poller.add(neighbours.bell(of: plan.index), tag: Tag.bell.number)
            openGB()
            try openListeners()
            try openDatagramSockets()
            try openListeningLines()
        } catch {
            throw WorkerStartError(error)
        }
        if let resolver = plan.resolver {
            connector = Connector(
                resolver: resolver, bell: neighbours.bell(of: plan.index),
                tag: Tag.connector.number)
            startPermanentSources()
        }
    }

    /// - Parameter afterTurn: Whoever tests asks here, on the worker's thread.
    package func run(_ afterTurn: (Worker) -> Void = { _ in }) {
        while !isDone {
            turn()
            afterTurn(self)
        }
        end()
    }

    var isDone: Bool {
        guard let stopping else { return false }
        return connections.count == 0 || now >= stopping
    }

    func turn() {
        wait()
        now = Clock.now
        counters.turns += 1
        publicKeySteps = 0
        servePostponed()
        while let event = poller.next() { serve(event) }
        readLetters()
        readRings()
        serveDeadlines()
        retryRelays()
        flush()
        noteLoad()
    }

    /// Sleeps until something comes or is due. Nothing due and no session: for ever.
    private func wait() {
        let bell = neighbours.bell(of: plan.index)
        bell.fallAsleep()
        var next = min(deadlines.next, streamDeadlines.next, retryAt, nextEvents, nextDemo, nextHLS)
        next = min(next, linksDeadline, lineDeadlines.next)
        if let rtc { next = min(next, rtc.nextDeadline, nextAudience) }
        for entry in gathers.values { next = min(next, entry.gather.deadline) }
        if let stopping { next = min(next, stopping) }
        let timeout = next == .distantFuture ? nil : max(.zero, next - Clock.now)
        do throws(SystemError) {
            let mayWait = neighbours.mailbox(of: plan.index).isEmpty && !hasRingRecords
            try poller.wait(mayWait ? timeout : .zero)
        } catch {
            // A signal, or a mistake of ours: either way the turn goes on without events.
            log.warning("poller: \(error)")
        }
        bell.awake()
    }

    private func serve(_ event: Poller.Event) {
        switch Tag(event.tag) {
        case .bell: break  // Letters are read in every turn.
        case .connector: connector?.receive(event, at: now, in: &poller)
        case .datagrams(let index):
            if event.isWritable { setBlocked(datagramSockets[index], false) }
            receiveDatagrams(index)
        case .listener(let index): accept(index)
        case .connection(let index): serveConnection(index, event)
        case .line(let index): serveLine(index, event)
        }
    }

    private func serveDeadlines() {
        due.removeAll(keepingCapacity: true)
        deadlines.takeDue(at: now, into: &due)
        for slot in due { connections[slot].map(expire) }
        due.removeAll(keepingCapacity: true)
        streamDeadlines.takeDue(at: now, into: &due)
        for slot in due { streamSlots[slot].map(expire) }
        serveLineDeadlines()
        serveRTCDeadlines()
        serveDemos()
        serveLinks()
        serveEvents()
        serveHLSDeadlines()
        expireGathers()
    }
}
