package import Stream
import System
package import Wire

/// How busy the gateway is, as its workers say each second, and whether another viewer fits.
///
/// Whoever is there keeps the picture: new viewers are sent away, with the setting that did it and
/// the time to come back, before a worker has no time left. Publishers are let in: without them
/// nobody watches.
package final class LoadGuard: Sendable {
    package struct Limits: Equatable, Sendable {
        /// All that leaves, in bit/s; 0: whatever the network takes.
        package var bitsPerSecond = 0
        /// Of a worker's time; 0: whatever it has.
        package var busyPercent = 0

        package init() {}
    }

    /// What one worker says.
    private struct Report {
        var busy = 0.0
        var bits = 0
        var at: Instant?
    }

    private struct State {
        var limits: Limits
        var reports: [Int: Report] = [:]
    }

    /// A worker that has said nothing for so long has had nothing to do.
    static let staleness = Interval.seconds(5)
    /// A storm of joins is work that ends; what lasts is media. So the share counts as a mean over
    /// about this time.
    static let memory = Interval.seconds(5)

    private let state: Locked<State>

    package init(_ limits: Limits = Limits()) { state = Locked(State(limits: limits)) }

    package func set(_ limits: Limits) { state.withLock { $0.limits = limits } }

    /// - Parameters:
    ///   - busy: The share of the last `span` in which the worker had the processor.
    ///   - bits: What it sent in a second.
    func note(_ worker: Int, busy: Double, bits: Int, over span: Interval, at now: Instant) {
        state.withLock { state in
            var report = state.reports[worker] ?? Report()
            let isFresh = report.at.map { now - $0 < Self.staleness } ?? false
            let weight = min(1, Double(span.nanoseconds) / Double(Self.memory.nanoseconds))
            report.busy = (isFresh ? report.busy : 0) * (1 - weight) + busy * weight
            report.bits = bits
            report.at = now
            state.reports[worker] = report
        }
    }

    /// The busiest worker's share, and what all send.
    func figures(at now: Instant) -> (busy: Double, bits: Int) {
        state.withLock { Self.figures($0, at: now) }
    }

    private static func figures(_ state: State, at now: Instant) -> (busy: Double, bits: Int) {
        let fresh = state.reports.values.filter { report in
            report.at.map { now - $0 < staleness } ?? false
        }
        return (fresh.map(\.busy).max() ?? 0, fresh.reduce(0) { $0 + $1.bits })
    }

    /// Why no viewer is let in now; nil: one is.
    package func refusal(at now: Instant) -> Refusal? {
        let (limits, figures) = state.withLock { ($0.limits, Self.figures($0, at: now)) }
        if limits.bitsPerSecond > 0, figures.bits >= limits.bitsPerSecond {
            return Refusal(
                .overloaded,
                "\(figures.bits / 1_000_000) Mbit/s are sent already: see limits.bandwidth")
        }
        let percent = Int(figures.busy * 100)
        if limits.busyPercent > 0, percent >= limits.busyPercent {
            return Refusal(.overloaded, "a worker is busy \(percent) % of its time: see limits.cpu")
        }
        return nil
    }
}

/// What a worker needs to say how busy it is.
struct LoadMeter {
    static let interval = Interval.seconds(1)

    private var at: Instant
    private var time: Interval
    private var bytes: Int64 = 0

    init(at now: Instant, threadTime: Interval) {
        at = now
        time = threadTime
    }

    func isDue(at now: Instant) -> Bool { now - at >= Self.interval }

    /// - Returns: The share of time and bits per second since the last look, and how long that was.
    mutating func look(
        at now: Instant, threadTime: Interval, bytes sent: Int64
    ) -> (busy: Double, bits: Int, span: Interval) {
        let span = now - at
        let seconds = max(1e-3, Double(span.nanoseconds) / 1e9)
        let busy = Double((threadTime - time).nanoseconds) / 1e9 / seconds
        let bits = Double(sent - bytes) * 8 / seconds
        (at, time, bytes) = (now, threadTime, sent)
        return (min(1, max(0, busy)), Int(bits), span)
    }
}

extension Worker {
    /// Each second, for `LoadGuard`.
    func noteLoad() {
        guard meter.isDue(at: now) else { return }
        let look = meter.look(
            at: now, threadTime: Clock.threadTime,
            bytes: counters.datagramBytesOut + counters.connectionBytesOut)
        plan.load.note(plan.index, busy: look.busy, bits: look.bits, over: look.span, at: now)
    }

    /// Why a new viewer is sent away now.
    func overload() -> Refusal? {
        guard let refusal = plan.load.refusal(at: now) else { return nil }
        counters.overloads += 1
        return refusal
    }
}
