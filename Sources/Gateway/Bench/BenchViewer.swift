import Crypto
import ICE
import Media
import System
import Wire

/// One viewer of a bench: its socket, its session at the server, and how far it is.
final class BenchViewer: BenchClient {
    enum Phase: Equatable {
        /// Its request is on the way, or waits for a connection.
        case asking
        case joining
        /// Media has come.
        case playing
        /// Its DELETE is on the way.
        case leaving
        case gone
    }

    let socket: UDPSocket
    let registration: Poller.Registration
    let host: Address
    let credentials: ICECredentials
    let askedAt: Instant
    let isChecked: Bool
    var phase = Phase.asking
    /// The path of its session at the server.
    var session: String?
    var rtc: RTCViewer?
    /// Why it has none, or lost it.
    var failure: String?
    /// What its tracks had counted when the measuring began.
    var before = BenchCounts()

    init(
        _ socket: consuming UDPSocket, _ registration: Poller.Registration, host: Address,
        _ credentials: ICECredentials, isChecked: Bool, at now: Instant
    ) {
        self.host = host.with(port: socket.localAddress.port)
        self.socket = socket
        self.registration = registration
        self.credentials = credentials
        self.isChecked = isChecked
        askedAt = now
    }

    var isPlaying: Bool { phase == .playing && failure == nil }
    var openAt: Instant? { rtc?.figures.openAt }
    var firstAt: Instant? { rtc?.figures.firstPacketAt }
    var longestPause: Interval { rtc?.tracks.map(\.figures.longestPause).max() ?? .zero }

    var deadline: Instant { rtc?.deadline ?? .distantFuture }

    var counts: BenchCounts {
        var counts = BenchCounts()
        guard let rtc else { return counts }
        for track in rtc.tracks { counts.add(track.figures, isVideo: track.kind == .video) }
        counts.forged = rtc.figures.forged
        counts.opened = rtc.figures.opened
        counts.strays = rtc.figures.strays
        return counts
    }
}

/// What viewers have counted, one or all of them.
struct BenchCounts: Equatable, Sendable {
    var packets = 0
    var bytes = 0
    var frames = 0
    var lost = 0
    var repaired = 0
    var duplicates = 0
    var forged = 0
    var opened = 0
    var strays = 0

    init() {}

    mutating func add(_ track: ViewedTrack.Figures, isVideo: Bool) {
        packets += track.packets
        bytes += track.bytes
        lost += track.lost
        repaired += track.repaired
        duplicates += track.duplicates
        if isVideo { frames += track.frames }
    }

    static func += (sum: inout BenchCounts, more: BenchCounts) { sum.add(more, 1) }
    static func -= (sum: inout BenchCounts, less: BenchCounts) { sum.add(less, -1) }

    private mutating func add(_ other: BenchCounts, _ sign: Int) {
        packets += sign * other.packets
        bytes += sign * other.bytes
        frames += sign * other.frames
        lost += sign * other.lost
        repaired += sign * other.repaired
        duplicates += sign * other.duplicates
        forged += sign * other.forged
        opened += sign * other.opened
        strays += sign * other.strays
    }
}
