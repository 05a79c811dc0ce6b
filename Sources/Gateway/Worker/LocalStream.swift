import Stream
import Wire

/// A stream as one worker has it: at its home the stream itself, elsewhere a relay of it; with the
/// readers that live here.
final class LocalStream {
    enum Place {
        case home(Stream)
        case relayed(RelayedStream)
    }

    let name: String
    let place: Place
    var readers: [ConnectionReader] = []
    /// Its WebRTC viewers here.
    var audience: Audience?
    /// At home: who publishes the present epoch, here or at another worker.
    var publisher: Publisher?
    /// At home: workers that read it by relay.
    var relays: [RelayOut] = []
    /// At home: sound that is being made of other sound.
    var transcodings: [Transcoding] = []
    /// At home: those who cut it for HLS.
    var cutters: [HLSCutter] = []
    /// Elsewhere: subscriptions that wait until the home says that it is ready.
    var waiters = Waiters()
    var isInDirtyList = false
    var deadlineSlot = -1
    private var lastReader: UInt64 = 1 << 63

    struct Publisher {
        enum Source {
            case participant(Participant, ChannelID)
            /// A feed of another worker.
            case feed(worker: Int, number: UInt32)
        }

        let source: Source
        let epoch: Epoch
    }

    /// A rendition that is sent to another worker.
    final class RelayOut {
        let worker: Int
        var writer: RelayWriter

        init(to worker: Int, _ writer: RelayWriter) {
            self.worker = worker
            self.writer = writer
        }
    }

    init(_ stream: Stream) {
        name = stream.name
        place = .home(stream)
    }

    init(_ stream: RelayedStream) {
        name = stream.name
        place = .relayed(stream)
    }

    /// For a reader of this worker: the numbers of relays lie below.
    func takeReaderNumber() -> UInt64 {
        lastReader += 1
        return lastReader
    }

    /// How many read it at this worker, by protocol.
    var viewers: [String: Int] {
        var counts: [String: Int] = [:]
        for reader in readers { counts[reader.connection.service, default: 0] += 1 }
        if let audience { counts["whep"] = audience.viewers.count }
        return counts
    }

    /// The stream itself, where this is its home.
    var stream: Stream? {
        if case .home(let stream) = place { stream } else { nil }
    }

    var relayed: RelayedStream? {
        if case .relayed(let stream) = place { stream } else { nil }
    }

    var readable: any ReadableStream {
        switch place {
        case .home(let stream): stream
        case .relayed(let stream): stream
        }
    }

    func snapshot(at now: Instant) -> StreamSnapshot {
        switch place {
        case .home(let stream): stream.snapshot(at: now)
        case .relayed(let stream): stream.snapshot
        }
    }

    func isReady(at now: Instant) -> Bool {
        switch place {
        case .home(let stream): stream.isReady(at: now)
        case .relayed(let stream): stream.snapshot.isReady
        }
    }

    var deadline: Instant {
        switch place {
        case .home(let stream): stream.deadline
        case .relayed(let stream):
            min(
                stream.deadline, waiters.hasReleased ? .start : waiters.deadline ?? .distantFuture)
        }
    }
}
