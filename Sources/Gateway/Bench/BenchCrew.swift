import System
import Wire

/// One of those who load the server.
protocol BenchClient: AnyObject {
    var askedAt: Instant { get }
    /// When it was let in, and when the first media came.
    var openAt: Instant? { get }
    var firstAt: Instant? { get }
    /// Media has come, and nothing has ended it.
    var isPlaying: Bool { get }
    var failure: String? { get }
    var counts: BenchCounts { get }
    /// What it had counted when the measuring began.
    var before: BenchCounts { get set }
    var longestPause: Interval { get }
}

/// Clients of one kind, in one thread. A round: all join, at the ramp's pace, play for a while, and
/// leave.
protocol BenchCrew: ~Copyable {
    associatedtype Client: BenchClient
    var options: BenchOptions { get }
    var clients: [Client] { get }
    var tally: BenchTally { get set }
    var progress: BenchProgress { get set }
    var isInterrupted: Bool { get }

    /// Another one asks.
    mutating func begin(at now: Instant) throws(SystemError)
    /// Waits once, at most so long, and does what came of it. - Returns: The time.
    mutating func turn(until limit: Instant) throws(SystemError) -> Instant
    /// All leave, and are forgotten.
    mutating func leave() throws(SystemError)
}

extension BenchCrew where Self: ~Copyable {
    /// All rounds. - Returns: What came of them.
    mutating func run() throws(StartError) -> BenchTally {
        for round in 1...options.rounds where !isInterrupted {
            progress.begin(round)
            do throws(SystemError) {
                try join()
                try play()
                try leave()
            } catch { throw .system("bench", error, code: "bench-failed") }
        }
        progress.end()
        return tally
    }

    private mutating func join() throws(SystemError) {
        let began = Clock.now
        let before = tally.sample(options.pid)
        let step = options.ramp.map { Interval.seconds(1) / Int64($0) } ?? .zero
        var now = began
        while !isInterrupted {
            while clients.count < options.viewers, began + step * Int64(clients.count) <= now {
                try begin(at: now)
            }
            let isWhole = clients.count == options.viewers
            if isWhole, clients.allSatisfy({ $0.isPlaying || $0.failure != nil }) { break }
            now = try turn(
                until: isWhole ? .distantFuture : began + step * Int64(clients.count))
        }
        tally.joined(clients, since: began, before, tally.sample(options.pid))
    }

    private mutating func play() throws(SystemError) {
        guard clients.contains(where: \.isPlaying) else { return }
        var now = Clock.now
        let end = now + options.length
        for client in clients { client.before = client.counts }
        let before = tally.sample(options.pid)
        tally.measures = true
        while now < end, !isInterrupted { now = try turn(until: end) }
        tally.measures = false
        tally.played(clients, before, tally.sample(options.pid))
    }
}
