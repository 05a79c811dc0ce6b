import Glibc
import System
import Wire

/// A serving process as its parent sees it: what it says, and until when it has to.
final class ServingChild {
    /// How long a child may take until it serves: a hundred times what it needs.
    static let startPatience = Interval.seconds(10)

    let process: ChildProcess
    private var link: PipeEnd?
    private let patience: Interval
    private(set) var isReady = false
    /// When it is killed: it has said nothing, or it does not end. None once it is to die.
    private(set) var deadline: Instant
    private(set) var isLeaving = false
    private(set) var isKilled = false

    /// One that has just been started.
    init(_ process: ChildProcess, _ link: consuming PipeEnd, patience: Interval, at now: Instant) {
        self.process = process
        self.link = consume link
        self.patience = patience
        deadline = now + Self.startPatience
    }

    /// One that serves already: the supervisor before us has started it.
    init(
        serving process: ChildProcess, _ link: consuming PipeEnd, patience: Interval,
        at now: Instant
    ) {
        self.process = process
        self.link = consume link
        self.patience = patience
        isReady = true
        deadline = now + patience
    }

    /// One that was told to end by the supervisor before us.
    init(leaving process: ChildProcess, until deadline: Instant) {
        self.process = process
        patience = .zero
        isReady = true
        isLeaving = true
        self.deadline = deadline
    }

    /// What it has said since the last time.
    func hear(at now: Instant) -> [ParentLink.Message] {
        guard let bytes = link?.read() else {
            // Its end is closed: the poller would wake us for ever.
            link = nil
            return []
        }
        let messages = bytes.compactMap { ParentLink.Message(rawValue: $0) }
        if messages.contains(.ready) { isReady = true }
        if !messages.isEmpty, isReady, !isLeaving { deadline = now + patience }
        return messages
    }

    /// For whoever inherits it.
    func bequeath(_ bequest: inout ChildProcess.Bequest) {
        guard let end = link.take() else { return }
        bequest.add(ParentLink.parentsEnd, end)
        link = consume end
    }

    /// We ourselves were asleep, and it perhaps, too: its time begins anew.
    func excuse(at now: Instant) {
        guard !isKilled else { return }
        deadline = max(deadline, now + (isReady && !isLeaving ? patience : Self.startPatience))
    }

    /// It ends by itself, or is killed then.
    func leave(until deadline: Instant) {
        isLeaving = true
        self.deadline = deadline
        process.send(signal: SIGTERM)
    }

    func kill() {
        isKilled = true
        deadline = .distantFuture
        process.send(signal: SIGKILL)
    }
}
