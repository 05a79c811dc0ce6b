import Media
import Stream
import Testing
import Wire

/// Random streams against what must always hold.
struct HistoryPropertyTests {
    @Test(arguments: 0..<30 as Range<UInt64>)
    func keepsItsPromisesWhateverComes(seed: UInt64) {
        var run = Run(seed: seed)
        for _ in 0..<1_000 { run.step() }
        #expect(run.broken == [], "seed \(seed)")
        #expect(run.stored > 300)
    }

    /// A publisher that loses, repairs, doubles and now and then begins anew.
    struct Run {
        var random: SplitMix64
        let memory = MediaMemory(limit: 2 << 20)
        let history: History
        let limits: HistoryLimits
        var sizes: [Int64: Int] = [:]
        var pending: [Int64] = []
        var next: Int64
        var now: Int64 = 0
        var stored = 0
        var broken: [String] = []

        init(seed: UInt64) {
            random = SplitMix64(seed: seed)
            var limits = HistoryLimits.video
            limits.bytes = [128, 256, 1024][Int(seed % 3)] << 10
            limits.items = 1_024
            self.limits = limits
            next = Int64(random.next() % 100_000)
            history = History(limits, memory: memory, for: .given, first: next)
        }

        mutating func step() {
            now += Int64(random.next() % 12)
            switch random.next() % 100 {
            case 0..<6:  // Lost; half of it comes later.
                if random.next() % 2 == 0 { pending.append(next) }
                next += 1
            case 6..<12 where !pending.isEmpty:
                put(pending.removeFirst())
            case 12: put(max(0, next - Int64(random.next() % 50)))
            case 13 where random.next() % 20 == 0: next += 5_000
            // A pause, after which the rings may have become too large.
            case 14 where random.next() % 4 == 0: now += 31_000
            default:
                put(next)
                next += 1
            }
            check()
        }

        mutating func put(_ index: Int64) {
            let isKey = random.next() % 90 == 0
            let size = isKey ? Int(random.next() % 30_000) : Int(random.next() % 1_400)
            let before = history.contains(index)
            let kept = before ? sizes[index] : nil
            let result = history.store(
                pattern(index, size).raw, packet(index, at: now, key: isKey), at: index)
            switch result {
            case .stored, .repaired, .reset:
                if before { broken.append("\(index) was stored over what was there") }
                sizes[index] = size
                stored += 1
            case .duplicate: sizes[index] = kept ?? sizes[index]
            case .tooOld, .tooLarge: break
            }
        }

        mutating func check() {
            if history.byteCapacity > limits.bytes { broken.append("the ring passed its bound") }
            if memory.used > 2 << 20 { broken.append("the budget was passed") }
            if history.end - history.start > Int64(limits.items) { broken.append("too many") }
            let probes = [
                history.start, history.end - 1, history.lastKey ?? history.start,
                history.start + Int64(random.next() % UInt64(max(1, history.end - history.start))),
            ]
            for index in probes where history.contains(index) {
                if bytes(history, index) != pattern(index, sizes[index] ?? -1) {
                    broken.append("the bytes of \(index) changed")
                }
            }
            if let key = history.lastKey, !history.contains(key) {
                broken.append("the key frame \(key) is not there")
            }
        }
    }
}
