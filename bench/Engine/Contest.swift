import CAllocationCount
import Glibc
import System
import Wire

/// Two ways to do the same work, timed in turns in one process.
///
/// Thread CPU time per unit of work, the minimum over the rounds: neighbours on the machine can
/// only make a round longer. The ratio of the minima is the figure; medians stand beside it.
protocol Contest: AnyObject {
    var name: String { get }
    /// Units of work (packets, writes) in one call of either.
    var units: Int { get }
    func ours() throws
    func yardstick() throws
    /// Waits until the receivers have taken everything, so that both begin alike.
    func settle()
}

struct Figures {
    var name: String
    var ours: [Double] = []
    var yardstick: [Double] = []
    /// Of our side, after the first round.
    var allocations: UInt64 = 0
    var units = 0

    /// Above 1: ours is cheaper.
    var ratio: Double { (yardstick.min() ?? 0) / (ours.min() ?? 1) }
    var medianRatio: Double { Self.median(yardstick) / Self.median(ours) }
    var allocationsPerUnit: Double { Double(allocations) / Double(max(1, units)) }

    static func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }

    init(_ contest: any Contest, rounds: Int) throws {
        name = contest.name
        // Round 0 warms up: memory is touched, queues have grown.
        for round in 0...rounds {
            for turn in [round % 2 == 0, round % 2 == 1] {
                let before = allocation_count_thread()
                let start = Clock.threadTime
                if turn { try contest.ours() } else { try contest.yardstick() }
                let time = Double((Clock.threadTime - start).nanoseconds) / Double(contest.units)
                let allocated = allocation_count_thread() - before
                contest.settle()
                guard round > 0 else { continue }
                if turn {
                    ours.append(time)
                    allocations += allocated
                    units += contest.units
                } else {
                    yardstick.append(time)
                }
            }
        }
    }

    static let head =
        "\(pad("row", 34))\(pad("ours ns", 18, left: true))"
        + "\(pad("yardstick ns", 18, left: true))\(pad("ratio", 8, left: true))"
        + "\(pad("median", 8, left: true))\(pad("alloc/unit", 12, left: true))"

    var line: String {
        let sides = [ours, yardstick].map {
            Self.pad("\(Self.fixed($0.min() ?? 0, 0)) (\(Self.fixed(Self.median($0), 0)))", 18)
        }
        return Self.pad(name, 34, left: false) + sides.joined()
            + Self.pad(Self.fixed(ratio, 3), 8) + Self.pad(Self.fixed(medianRatio, 3), 8)
            + Self.pad(Self.fixed(allocationsPerUnit, 6), 12)
    }

    var json: String {
        """
        {"row":"\(name)","ours_ns_min":\(Self.fixed(ours.min() ?? 0, 1)),\
        "ours_ns_median":\(Self.fixed(Self.median(ours), 1)),\
        "yardstick_ns_min":\(Self.fixed(yardstick.min() ?? 0, 1)),\
        "yardstick_ns_median":\(Self.fixed(Self.median(yardstick), 1)),\
        "ratio":\(Self.fixed(ratio, 4)),"ratio_median":\(Self.fixed(medianRatio, 4)),\
        "allocations_per_unit":\(Self.fixed(allocationsPerUnit, 6))}
        """
    }

    private static func pad(_ text: String, _ width: Int, left: Bool = true) -> String {
        let space = String(repeating: " ", count: max(0, width - text.count))
        return left ? space + text : text + space
    }

    private static func fixed(_ value: Double, _ digits: Int) -> String {
        var scale = 1.0
        for _ in 0..<digits { scale *= 10 }
        let whole = Int((value * scale).rounded())
        guard digits > 0 else { return "\(whole)" }
        let fraction = "\(whole % Int(scale))"
        return "\(whole / Int(scale))."
            + String(repeating: "0", count: digits - fraction.count) + fraction
    }
}
