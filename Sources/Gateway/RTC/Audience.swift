import ICE
import Stream
import Wire

/// The WebRTC viewers of one stream at one worker: who they are, and what sends to all of them.
final class Audience {
    let fanOut: FanOut
    var viewers: [ViewerID: RTCPeer] = [:]
    /// Something was stored in the stream, or could not be sent: it is flushed in this turn.
    var isDue = true
    /// The socket was full in the middle: who came before may have missed what was stored since.
    var wasBlocked = false
    /// Once one of them has data channels.
    var feed: ChannelFeed?

    init(_ fanOut: FanOut) { self.fanOut = fanOut }

    func isDue(at now: Instant) -> Bool { isDue || fanOut.deadline <= now }
}
