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
    var flags = Flags<Flag>()

    enum Flag: UInt8 {
        /// The next packet begins a run.
        case needsRun
        /// The present frame is left out.
        case isSkipping
        /// The run keeps the source's spacing: `timestampDelta` holds.
        case isLinear
        /// VP8 picture ids are changed on the way.
        case isPatched
        /// Layers or frames are left out: every frame is looked at.
        case isSelective
        /// One layer was chosen: which one is the highest does not matter.
        case isPinned
        /// The peer has not yet shown that it knows our SSRC.
        case needsMid
        /// The peer is told for a while how long to buffer.
        case tellsPlayout
    }

    /// The source's own spacing, no changes on the way, nothing in the header but the numbers.
    var isShort: Bool { flags[.isLinear] && !flags[.isPatched] && frameExtensions == 0 }

    init(_ cold: SlotCold) {
        guard let media = cold.media else { return }
        state = .empty
        flags[.needsRun] = true
        ssrc = media.ssrc
        transportID = media.extensions.transportCC
        midID = media.extensions.mid
        flags[.needsMid] = midID != 0
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
    var flags = Flags<Flag>()

    enum Flag: UInt8 {
        case isValidated
        case isWritable
        /// ICE-TCP.
        case isConnection
        case isGCM
        /// It asked for packets again.
        case hasRepairs
        /// `Pace` has to be asked before each packet of pictures: from the start of a join burst,
        /// or of a key frame larger than `keyFrameUnspread`, until it has caught up. Everything
        /// else leaves as it comes: pacing cuts frames into single packets, which cost three times
        /// as much, and no estimate of the path says yet that it is needed.
        case isPaced
        /// Too far behind to catch up.
        case isHopeless
        /// A slot went live: its first report leaves with it.
        case reportsNow
    }

    init(_ setup: ViewerSetup) {
        destination = setup.route.remote
        source = setup.route.local
        key = setup.key
        flags[.isWritable] = true
        flags[.isValidated] = setup.isValidated
        flags[.isConnection] = setup.route.isTCP
        flags[.isGCM] = setup.profile.isGCM
    }

    /// UDP on a proven path: nothing has to be asked or copied.
    var isDirect: Bool { flags[.isValidated] && !flags[.isConnection] }

    /// What protection adds to a packet.
    var tagCount: Int { flags[.isGCM] ? 16 : 10 }

    mutating func move(to route: Route, isValidated: Bool) {
        destination = route.remote
        source = route.local
        flags[.isConnection] = route.isTCP
        flags[.isValidated] = isValidated
        flags[.isWritable] = true
    }
}

/// Up to eight yes or no in a byte: sets of options cost calls across modules, and these are asked
/// for each packet.
struct Flags<Flag: RawRepresentable<UInt8>> {
    private var bits: UInt8 = 0

    // The compiler calls it otherwise, three times per packet.
    subscript(_ flag: Flag) -> Bool {
        @inline(__always) get { bits & (1 << flag.rawValue) != 0 }
        @inline(__always) set {
            bits = newValue ? bits | 1 << flag.rawValue : bits & ~(1 << flag.rawValue)
        }
    }
}
