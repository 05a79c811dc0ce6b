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
    var flags = Bits()

    /// The next packet begins a run.
    var needsRun: Bool {
        get { flags[0] }
        set { flags[0] = newValue }
    }
    /// The present frame is left out.
    var isSkipping: Bool {
        get { flags[1] }
        set { flags[1] = newValue }
    }
    /// The run keeps the source's spacing: `timestampDelta` holds.
    var isLinear: Bool {
        get { flags[2] }
        set { flags[2] = newValue }
    }
    /// VP8 picture ids are changed on the way.
    var isPatched: Bool {
        get { flags[3] }
        set { flags[3] = newValue }
    }
    /// Layers or frames are left out: every frame is looked at.
    var isSelective: Bool {
        get { flags[4] }
        set { flags[4] = newValue }
    }
    /// One layer was chosen: which one is the highest does not matter.
    var isPinned: Bool {
        get { flags[5] }
        set { flags[5] = newValue }
    }
    /// The peer has not yet shown that it knows our SSRC.
    var needsMid: Bool {
        get { flags[6] }
        set { flags[6] = newValue }
    }
    /// The peer is told for a while how long to buffer.
    var tellsPlayout: Bool {
        get { flags[7] }
        set { flags[7] = newValue }
    }

    /// The source's own spacing, no changes on the way, nothing in the header but the numbers.
    var isShort: Bool { flags.bits & 0b1100 == 0b0100 && frameExtensions == 0 }

    init(_ cold: SlotCold) {
        guard let media = cold.media else { return }
        state = .empty
        needsRun = true
        ssrc = media.ssrc
        transportID = media.extensions.transportCC
        midID = media.extensions.mid
        needsMid = midID != 0
        guard !cold.repeatsPlainly else { return }
        captureID = media.extensions.absCaptureTime
        playoutID = media.extensions.playoutDelay
    }

    enum Extensions {
        static let mid: UInt8 = 1
        static let playout: UInt8 = 2
        static let capture: UInt8 = 4
    }
}

/// What is touched of a viewer in each turn, besides its slots: 64 bytes.
struct ViewerHot {
    static let video = 0
    static let audio = 1
    static let slotCount = 2

    var destination: Address
    var source: Address
    /// When there is something to do for it that no new packet causes.
    var dueAt = Instant.distantFuture
    let key: SRTPKey
    /// Transport-wide number of the next packet; counted even if nobody asks for it.
    var transport: UInt16 = 0
    var flags = Bits()

    init(_ setup: ViewerSetup) {
        destination = setup.route.remote
        source = setup.route.local
        key = setup.key
        isWritable = true
        isValidated = setup.isValidated
        isConnection = setup.route.isTCP
        isGCM = setup.profile.isGCM
    }

    var isValidated: Bool {
        get { flags[0] }
        set { flags[0] = newValue }
    }
    var isWritable: Bool {
        get { flags[1] }
        set { flags[1] = newValue }
    }
    /// ICE-TCP.
    var isConnection: Bool {
        get { flags[2] }
        set { flags[2] = newValue }
    }
    /// Packets of AES-CM are protected many at a time, those of GCM one by one.
    var isGCM: Bool {
        get { flags[3] }
        set { flags[3] = newValue }
    }
    /// It asked for packets again.
    var hasRepairs: Bool {
        get { flags[4] }
        set { flags[4] = newValue }
    }
    /// Its rate is limited for now.
    var isPaced: Bool {
        get { flags[5] }
        set { flags[5] = newValue }
    }

    /// Too far behind to catch up.
    var isHopeless: Bool {
        get { flags[6] }
        set { flags[6] = newValue }
    }

    /// A slot went live: its first report leaves with it.
    var reportsNow: Bool {
        get { flags[7] }
        set { flags[7] = newValue }
    }

    /// UDP on a proven path, protected packet by packet: nothing has to be asked or copied.
    var isDirect: Bool { flags.bits & 0b1101 == 0b1001 }

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

/// Eight yes or no in a byte: sets of options cost calls across modules, and these are asked for
/// each packet.
struct Bits {
    private(set) var bits: UInt8 = 0

    subscript(_ place: UInt8) -> Bool {
        get { bits & (1 << place) != 0 }
        set { bits = newValue ? bits | 1 << place : bits & ~(1 << place) }
    }
}
