package import Crypto
import Media
import RTP
package import Stream
import Wire

/// Which viewer of a fan-out. The turn tells it from those who had its place before.
package struct ViewerID: Hashable, Sendable {
    let place: Int32
    let turn: UInt32
}

/// What a viewer gets of a slot that has several layers.
package enum LayerChoice: Equatable, Sendable {
    /// The highest that is alive.
    case auto
    /// This one while it is alive, else the highest.
    case rid(String)
    /// Nothing.
    case off
}

/// A viewer as it comes: its session has keys, its slots were negotiated.
package struct ViewerSetup {
    let session: RTCSession
    let key: SRTPKey
    let profile: SRTPProfile
    var route: Route
    var isValidated: Bool
    /// Which of several sounds.
    package var audio = SlotName.audio
    package var layer = LayerChoice.auto

    /// - Parameter route: Where media goes, as `RTCSession.selected` says.
    package init(
        _ session: RTCSession, key: SRTPKey, profile: SRTPProfile, route: Route, isValidated: Bool
    ) {
        self.session = session
        self.key = key
        self.profile = profile
        self.route = route
        self.isValidated = isValidated
    }

    /// Of a session that is connected and has chosen its path; nil: it has not.
    package init?(_ session: RTCSession, engine: borrowing CryptoEngine) {
        guard let key = session.sendingKey, let path = session.selected else { return nil }
        self.init(
            session, key: key, profile: engine.profile(of: key), route: path.route,
            isValidated: path.isValidated)
    }
}

/// One slot towards one viewer, as far as each packet needs it: 64 bytes.
struct SlotHot {
    enum State: UInt8 {
        /// Not negotiated.
        case absent
        /// Nothing is in it, or nothing that this viewer can play.
        case empty
        /// Until a key frame comes, or a plan says otherwise.
        case waitKey
        /// From the cached key frame on, until live.
        case join
        case live
        case paused
    }

    /// The source index to be read next.
    var next: Int64 = 0
    /// Outgoing number less source index, inside the present run.
    var outDelta: Int64 = 0
    var lastTicks: Int64 = 0
    var ssrc: UInt32 = 0
    /// Outgoing time stamp less source ticks, where a run keeps the source's spacing.
    var timestampDelta: UInt32 = 0
    /// As sender reports count them: they wrap.
    var packets: UInt32 = 0
    var octets: UInt32 = 0
    /// How many filled holes of the lane this viewer knows of.
    var repairsSeen: UInt32 = 0
    /// When a packet last said when it was taken, in ms.
    var capturedAt: UInt32 = 0
    var lane = Lane.none
    var feed = Feed.none
    var state = State.absent
    var payloadType: UInt8 = 0
    /// Numbers of header extensions; 0: not negotiated.
    var transportID: UInt8 = 0
    var captureID: UInt8 = 0
    var playoutID: UInt8 = 0
    var midID: UInt8 = 0
    /// What the packets of the open frame carry besides their transport number.
    var frameExtensions: UInt8 = 0
    /// The low bits of the format's generation that `payloadType` was chosen for.
    var generation: UInt8 = 0
    private var bits: UInt8 = 0

    private func has(_ bit: UInt8) -> Bool { bits & bit != 0 }
    private mutating func put(_ bit: UInt8, _ value: Bool) {
        bits = value ? bits | bit : bits & ~bit
    }

    /// The next packet begins a run.
    var needsRun: Bool {
        get { has(1) }
        set { put(1, newValue) }
    }
    /// The present frame is left out.
    var isSkipping: Bool {
        get { has(2) }
        set { put(2, newValue) }
    }
    /// The run keeps the source's spacing: `timestampDelta` holds.
    var isLinear: Bool {
        get { has(4) }
        set { put(4, newValue) }
    }
    /// VP8 picture ids are changed on the way.
    var isPatched: Bool {
        get { has(8) }
        set { put(8, newValue) }
    }
    /// Layers or frames are left out: every frame is looked at.
    var isSelective: Bool {
        get { has(16) }
        set { put(16, newValue) }
    }
    /// One layer was chosen: which one is the highest does not matter.
    var isPinned: Bool {
        get { has(32) }
        set { put(32, newValue) }
    }
    /// The peer has not yet shown that it knows our SSRC.
    var needsMid: Bool {
        get { has(64) }
        set { put(64, newValue) }
    }
    /// The peer is told for a while how long to buffer.
    var tellsPlayout: Bool {
        get { has(128) }
        set { put(128, newValue) }
    }

    enum Extensions {
        static let mid: UInt8 = 1
        static let playout: UInt8 = 2
        static let capture: UInt8 = 4
    }
}

/// What is touched of a viewer in each turn: at most 192 bytes, all viewers in one block.
struct ViewerHot {
    static let video = 0
    static let audio = 1
    static let slotCount = 2

    var slots: [2 of SlotHot] = .init(repeating: SlotHot())
    var destination: Address
    var source: Address
    /// When there is something to do for it that no new packet causes.
    var dueAt = Instant.distantFuture
    let key: SRTPKey
    /// Transport-wide number of the next packet; counted even if nobody asks for it.
    var transport: UInt16 = 0
    private var bits: UInt8 = 0

    init(_ setup: ViewerSetup) {
        destination = setup.route.remote
        source = setup.route.local
        key = setup.key
        isWritable = true
        isValidated = setup.isValidated
        isConnection = setup.route.isTCP
        isBatched = !setup.profile.isGCM
        isGCM = setup.profile.isGCM
    }

    private func has(_ bit: UInt8) -> Bool { bits & bit != 0 }
    private mutating func put(_ bit: UInt8, _ value: Bool) {
        bits = value ? bits | bit : bits & ~bit
    }

    var isValidated: Bool {
        get { has(1) }
        set { put(1, newValue) }
    }
    var isWritable: Bool {
        get { has(2) }
        set { put(2, newValue) }
    }
    /// ICE-TCP.
    var isConnection: Bool {
        get { has(4) }
        set { put(4, newValue) }
    }
    /// Its packets are protected many at a time.
    var isBatched: Bool {
        get { has(8) }
        set { put(8, newValue) }
    }
    var isGCM: Bool {
        get { has(16) }
        set { put(16, newValue) }
    }
    /// It asked for packets again.
    var hasRepairs: Bool {
        get { has(32) }
        set { put(32, newValue) }
    }
    /// Its rate is limited for now.
    var isPaced: Bool {
        get { has(64) }
        set { put(64, newValue) }
    }

    /// What protection adds to a packet.
    var tagCount: Int { isGCM ? 16 : 10 }

    mutating func move(to route: Route, isValidated: Bool) {
        destination = route.remote
        source = route.local
        isConnection = route.isTCP
        self.isValidated = isValidated
        isWritable = true
    }
}
