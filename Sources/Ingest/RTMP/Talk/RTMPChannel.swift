import Containers
import Stream
import Wire

/// One message stream of a connection, and what it is used for. Its number is also the channel's.
struct RTMPChannel {
    enum Use {
        case idle
        /// The gateway has been asked.
        case asking(RTMPAddress, isPublish: Bool)
        case publishing(FLVIntake)
        case playing(Play)
    }

    struct Play {
        var name: String
        var outlet: FLVOutlet
        var start: OutletStart
        var isPaused = false
    }

    let id: UInt32
    var use = Use.idle
    /// For how long it has not had the media it is there for.
    var idleSince: Instant

    init(_ id: UInt32, at now: Instant) {
        self.id = id
        idleSince = now
    }
}
