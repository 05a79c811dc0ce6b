import Media
import RTP
import Stream
import Wire

/// One slot towards one viewer: what is needed when something other than the next packet happens.
struct SlotCold {
    let name: SlotName
    let media: NegotiatedMedia?
    let mid: RTPLabel?
    let rtxSSRC: UInt32
    /// Repetitions have a stream of their own.
    let hasRTX: Bool
    let answersNACK: Bool

    var runs = RunList()
    /// The number of the first packet of the next run, while none is open.
    var outNext: UInt64
    var rtxNext: UInt64
    /// Of the last packet before the open run: the next run goes on from there.
    var lastTimestamp: UInt32
    var lastCapture: Instant?
    var lastLane = Lane.none
    var lastTicks: Int64 = 0
    var lastPicture: VP8Picture?

    var wanted = LayerChoice.auto
    var temporalMaximum: UInt8 = 7
    var isKeyOnly = false

    var plan: JoinPlan?
    /// The first source index that is no longer part of the join burst.
    var joinEnd: Int64 = 0
    /// Bits by which the spacing of the burst is shrunk.
    var shift: UInt8 = 0
    /// Only the key frame itself is shown, until the next one.
    var isStill = false
    /// Key frames that arrived earlier are not begun with.
    var keyAfter = Instant.start
    /// And those from before this were seen already, or given up.
    var keyFloor = Instant.start
    var waitUntil = Instant.distantFuture
    var requestFailed = false
    var nacksInJoin = 0
    var playoutUntil = Instant.distantFuture
    var joins: UInt32 = 0

    init(_ name: SlotName, _ media: NegotiatedMedia?, dice: inout SplitMix64) {
        self.name = name
        self.media = media
        mid = media.flatMap { RTPLabel($0.mid) }
        rtxSSRC = media?.rtxSSRC ?? 0
        let codecs = media?.codecs ?? []
        hasRTX = rtxSSRC != 0 && codecs.contains { $0.rtx != nil }
        answersNACK = codecs.contains { $0.feedback.contains(.nack) }
        // Below 32,768: receivers that lose the first packets then do not guess a wrong
        // roll-over counter.
        outNext = 1 + dice.next() % 0x4000
        rtxNext = 1 + dice.next() % 0x4000
        lastTimestamp = UInt32(truncatingIfNeeded: dice.next())
    }

    /// A repetition without a stream of its own is the same packet again, to the last byte: then
    /// nothing may be in it that cannot be written a second time.
    var repeatsPlainly: Bool { answersNACK && !hasRTX }

    /// The codecs to ask a stream for. What can be made of another codec comes last: what is
    /// given goes before what must be made.
    var want: Subscription.Want? {
        guard let media else { return nil }
        var codecs: [Codec] = []
        for codec in media.codecs.map(\.codec) where !codecs.contains(codec) {
            codecs.append(codec)
        }
        let made = codecs.filter { Carriage.canTranscode(.pcma, to: $0) }
        codecs.removeAll { made.contains($0) }
        return Subscription.Want(slot: name, codecs: codecs + made, form: .packets)
    }
}

/// A viewer's sender reports, by what its own reports echo.
struct SentReports {
    struct Entry {
        var middle: UInt32
        var at: Instant
        var route: Route
    }

    /// Two slots, two seconds.
    private static let capacity = 4
    private var entries: [Entry] = []
    private var next = 0

    init() { entries.reserveCapacity(Self.capacity) }

    mutating func note(_ middle: UInt32, _ route: Route, at now: Instant) {
        let entry = Entry(middle: middle, at: now, route: route)
        if entries.count < Self.capacity {
            entries.append(entry)
        } else {
            entries[next] = entry
            next = (next + 1) % Self.capacity
        }
    }

    func find(_ middle: UInt32) -> Entry? { entries.first { $0.middle == middle } }
}

/// All of a viewer but the hot part: touched when something happens to it.
struct ViewerCold: ~Copyable {
    /// First, because each packet is noted in it.
    var sent: SentRing
    let session: RTCSession
    let cname: [UInt8]
    let omitsMidOnRTX: Bool
    var route: Route
    let rule: LagRule
    var pace = Pace()
    var budget = RepairBudget()
    var asked = AskedPackets()
    var reports = SentReports()
    var reportAt = Instant.distantFuture
    var decisions = Decisions()
    var estimator = Estimator()
    var traffic = Traffic()
    /// Bytes handed to a connection in the present turn.
    var connectionBytes = 0
    var connectionTurn: UInt64 = 0
    /// The playout delay last told: minimum and maximum in units of 10 ms, 12 bits each.
    var playoutDelay: UInt32 = PlayoutDelay.calm
    /// A connection that will not catch up, and the worker knows.
    var wasHopeless = false
    /// Reports in a row that told of a calm path.
    var calmReports = 0

    /// - Parameter repeatsPlainly: One of its slots does.
    init(_ setup: ViewerSetup, repeatsPlainly: Bool) {
        let negotiated = setup.session.negotiated
        session = setup.session
        cname = Array(negotiated.cname.utf8.prefix(255))
        omitsMidOnRTX = negotiated.omitsMidOnRTX
        route = setup.route
        rule = setup.route.isTCP ? .connection : .realTime
        sent = SentRing(capacity: 1024, slots: repeatsPlainly ? ViewerHot.slotCount : 0)
    }
}

/// How long a browser may keep pictures before it shows them (the playout-delay extension).
enum PlayoutDelay {
    /// While a join burst catches up: as soon as they are decoded.
    static let none: UInt32 = 0
    static let calm: UInt32 = 50
    static let rough: UInt32 = 100
}

/// What was sent to one viewer, for reports. Packets are counted in the slots, where sender reports
/// need them; from there they come here once a second.
struct Traffic {
    /// Packets of media, and the bytes of their payloads.
    private(set) var packets: UInt64 = 0
    private(set) var bytes: UInt64 = 0
    var repairs: UInt64 = 0
    var repairBytes: UInt64 = 0
    var repairsRefused: UInt64 = 0
    var repairsMissing: UInt64 = 0
    var tooLarge: UInt64 = 0
    private(set) var bitsPerSecond: Int64 = 0
    private var counted: (packets: UInt32, octets: UInt32) = (0, 0)
    private var measured: (at: Instant, bytes: UInt64)?

    /// - Parameter packets: As the slots count them, together; they wrap.
    mutating func count(packets: UInt32, octets: UInt32) {
        self.packets += UInt64(packets &- counted.packets)
        bytes += UInt64(octets &- counted.octets)
        counted = (packets, octets)
    }

    mutating func measure(at now: Instant) {
        let all = bytes + repairBytes
        if let last = measured, now > last.at {
            let passed = (now - last.at).nanoseconds
            bitsPerSecond = Int64(
                clamping: Int128(all - last.bytes) * 8_000_000_000 / Int128(passed))
        }
        measured = (now, all)
    }
}
