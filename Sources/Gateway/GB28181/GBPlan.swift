package import GB28181
import Settings
import System
import Wire

/// What the workers are told of GB28181: all know which names are cameras, one has the desk.
package struct GBPlan: Sendable {
    /// The worker where devices register and their media comes.
    package static let worker = 0

    package var settings: GBSettings

    package init(_ settings: GBSettings) { self.settings = settings }

    /// nil: it is switched off.
    init?(_ settings: LiveSettings) {
        let config = settings.config.gb28181
        guard config.enabled, let media = config.mediaListen, config.listen != nil else {
            return nil
        }
        var plan = GBSettings(
            id: config.id, domain: config.domain,
            password: settings.keys.devices?.disclosed ?? "", mediaPort: media.port)
        plan.sipAddress = config.sipAdvertise
        plan.mediaAddress = config.mediaAdvertise
        plan.transport = config.transport == .udp ? .udp : .tcp
        self.settings = plan
    }

    /// The camera that a stream is called after.
    static func camera(_ name: String) -> GBChannelID? { GBChannelID(stream: name) }
}

/// What workers say to each other about cameras.
package enum GBLetter: Sendable {
    /// To the desk: somebody wants to see it, or nobody any more. `from`: the stream's home.
    case play(GBChannelID, from: Int)
    case stop(GBChannelID)
    /// To the home: it does not come, for this reason.
    case failed(GBChannelID, String)
    /// To the desk, from the API.
    case synchronise(String)
    case control(GBChannelID, PTZCommand)
}

/// What the desk says of itself, for the API and the metrics.
package struct GBReport: Sendable {
    package struct Session: Sendable {
        var id: GBChannelID
        var ssrc: UInt32
        var transport: String
        var peer: Address?
        var figures: GBReceiver.Figures
        var media: String
        var frames: UInt64
        var damaged: UInt64
        var dropped: UInt64
        var resyncs: UInt64
        var leftOut: [String]
        var uptime: Interval
    }

    var devices: [GBDevice] = []
    var sessions: [Session] = []
    var figures = GBPlatform.Figures()
    var known = 0
    var online = 0
    var calls = 0
    var unknownPackets: UInt64 = 0
    var lostPackets: UInt64 = 0
    var damagedFrames: UInt64 = 0
    var now = Instant.start
}
