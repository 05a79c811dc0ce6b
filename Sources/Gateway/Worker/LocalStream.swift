import Stream
import Wire

/// A stream as one worker has it: at its home the stream itself, elsewhere a relay of it; and the
/// readers and the publisher that live on this worker.
final class LocalStream {
    let name: String
    let stream: Stream
    var readers: [Reader] = []
    /// The connection that publishes the present epoch, if it is one of ours.
    var publisher: Publisher?
    var isInDirtyList = false
    var deadlineSlot = -1

    struct Publisher {
        let connection: Connection
        let channel: ChannelID
        let epoch: Epoch
    }

    init(_ stream: Stream) {
        name = stream.name
        self.stream = stream
    }
}
