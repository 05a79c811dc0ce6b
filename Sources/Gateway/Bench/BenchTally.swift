import ICE
import System
import Wire

/// All that a bench has counted, over its rounds.
struct BenchTally {
    /// Clocks at one moment.
    struct Sample {
        var at: Instant
        var own: Interval
        /// Of the server; nil if its process was not named, or is gone.
        var server: Interval?
        var memory: Int?
    }

    private(set) var asked = 0
    private(set) var joins = 0
    private(set) var joinTimes = Histogram()
    private(set) var firstPackets = Histogram()
    private(set) var joinLength = Interval.zero
    private(set) var joinServer: Interval?
    /// Joins per second of each round.
    private(set) var rates: [Double] = []

    private(set) var counts = BenchCounts()
    private(set) var playLength = Interval.zero
    private(set) var playServer: Interval?
    private(set) var playOwn = Interval.zero
    private(set) var players = 0
    private(set) var longestPauses = Histogram()
    private var delays = ClientOutput.DelaySource.allCases.map { _ in Histogram() }
    /// Resident memory of the server: before anybody joined, and with all of them.
    private(set) var memoryBefore: Int?
    private(set) var memoryPlaying: Int?

    private(set) var failures: [String: Int] = [:]
    private(set) var unanswered = 0
    /// Delays count now.
    var measures = false

    func sample(_ pid: Int?) -> Sample {
        let load = pid.map { ProcessLoad(pid: $0) }
        return Sample(
            at: Clock.now, own: Clock.processTime, server: load?.time, memory: load?.memory)
    }

    mutating func add(_ delay: ClientOutput.Delay) {
        delays[Int(delay.source.rawValue)].add(delay.length)
    }

    mutating func joined(
        _ clients: [some BenchClient], since began: Instant, _ before: Sample, _ after: Sample
    ) {
        asked += clients.count
        var last = began
        var count = 0
        for client in clients {
            guard let openAt = client.openAt else { continue }
            count += 1
            last = max(last, openAt)
            joinTimes.add(openAt - client.askedAt)
            if let first = client.firstAt { firstPackets.add(first - client.askedAt) }
        }
        joins += count
        joinLength = joinLength + (last - began)
        if last > began { rates.append(Double(count) / (last - began).seconds) }
        joinServer = Self.sum(joinServer, before.server, after.server)
        memoryBefore = memoryBefore ?? before.memory
    }

    mutating func played(_ clients: [some BenchClient], _ before: Sample, _ after: Sample) {
        for client in clients where client.isPlaying {
            players += 1
            var more = client.counts
            more -= client.before
            counts += more
            longestPauses.add(client.longestPause)
        }
        playLength = playLength + (after.at - before.at)
        playOwn = playOwn + (after.own - before.own)
        playServer = Self.sum(playServer, before.server, after.server)
        memoryPlaying = after.memory ?? memoryPlaying
    }

    mutating func left(_ clients: [some BenchClient], unanswered count: Int) {
        unanswered += count
        for client in clients {
            if let failure = client.failure { failures[failure, default: 0] += 1 }
        }
    }

    private static func sum(_ sum: Interval?, _ from: Interval?, _ to: Interval?) -> Interval? {
        guard let from, let to else { return sum }
        return (sum ?? .zero) + (to - from)
    }

    var failed: Int { failures.values.reduce(0, +) }
    /// The best way to the delay that this server offers.
    var delay: (source: ClientOutput.DelaySource, lengths: Histogram)? {
        for source in ClientOutput.DelaySource.allCases {
            let lengths = delays[Int(source.rawValue)]
            if lengths.count > 0 { return (source, lengths) }
        }
        return nil
    }

    var packetsPerSecond: Double { ratio(Double(counts.packets), playLength.seconds) }
    var megabits: Double { ratio(Double(counts.bytes) * 8 / 1e6, playLength.seconds) }
    var framesPerViewer: Double {
        ratio(Double(counts.frames), playLength.seconds * Double(players) / Double(rounds))
    }
    var lostPercent: Double {
        ratio(Double(counts.lost) * 100, Double(counts.packets + counts.lost))
    }
    /// Milliseconds of the server's processors for 1,000 packets: also microseconds for each.
    var serverPerThousand: Double? {
        playServer.map { ratio($0.seconds * 1e6, Double(counts.packets)) }
    }
    /// Milliseconds of the server's processors for each second of each client.
    var serverPerClient: Double? {
        playServer.map {
            ratio($0.seconds * 1e3, playLength.seconds * Double(players) / Double(rounds))
        }
    }
    var ownPerThousand: Double { ratio(playOwn.seconds * 1e6, Double(counts.packets)) }
    var serverPercent: Double? { playServer.map { ratio($0.seconds * 100, playLength.seconds) } }
    var serverPerJoin: Double? { joinServer.map { ratio($0.seconds * 1e3, Double(joins)) } }
    var memoryPerViewer: Int? {
        guard let memoryBefore, let memoryPlaying, players > 0 else { return nil }
        return (memoryPlaying - memoryBefore) / 1024 * rounds / players
    }
    private var rounds: Int { max(1, rates.count) }

    private func ratio(_ part: Double, _ whole: Double) -> Double { whole > 0 ? part / whole : 0 }
}

extension Interval {
    var seconds: Double { Double(nanoseconds) / 1e9 }
}
