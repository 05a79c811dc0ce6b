package import Media
import RTP
package import Stream
package import Wire

/// One viewer as the API, the page and the metrics show it.
package struct ViewerReport: Sendable {
    package struct Slot: Sendable {
        package var name: SlotName
        package var codec: Codec?
        package var rid = ""
        package var state = ""
        package var packets: UInt32 = 0
        package var octets: UInt32 = 0
        /// Times a picture was begun for it.
        package var joins: UInt32 = 0
        /// What its capture times rest on.
        package var captureSource: CaptureMap.Source?
        package var plan: JoinPlan?
    }

    package var route: Route
    package var slots: [Slot] = []
    package var estimator: Estimator
    package var bitsPerSecond: Int64
    /// Of media; bytes with repetitions, without headers.
    package var packets: UInt64
    package var bytes: UInt64
    package var repairs: UInt64
    package var repairsRefused: UInt64
    package var repairsMissing: UInt64
    /// The longest a browser may buffer, as it was told.
    package var playoutDelay: Interval
    /// Oldest first.
    package var decisions: [Decisions.Entry]

    package var roundTrip: Interval? { estimator.roundTrip }
    /// Of all packets: 0 to 1.
    package var loss: Double { Double(estimator.lossQ8) / 256 }
}

extension FanOut {
    package func report(_ id: ViewerID) -> ViewerReport? {
        guard let place = table.place(of: id) else { return nil }
        table[place].countTraffic()
        var report = Self.report(table[place])
        for slot in 0..<ViewerHot.slotCount where table[place].slot(slot).hot.state != .absent {
            let hot = table[place].slot(slot).hot
            var part = ViewerReport.Slot(name: table[place].slot(slot).cold.name)
            part.state = "\(hot.state)"
            part.packets = hot.packets
            part.octets = hot.octets
            part.joins = table[place].slot(slot).cold.joins
            part.plan = table[place].slot(slot).cold.plan
            if let encoding = lane(hot.lane)?.encoding {
                part.codec = encoding.format.codec
                part.rid = encoding.rid
                part.captureSource = encoding.captureSource
            }
            report.slots.append(part)
        }
        return report
    }

    private static func report(_ viewer: Viewer) -> ViewerReport {
        ViewerReport(
            route: viewer.cold.route, estimator: viewer.cold.estimator,
            bitsPerSecond: viewer.cold.traffic.bitsPerSecond, packets: viewer.cold.traffic.packets,
            bytes: viewer.cold.traffic.bytes + viewer.cold.traffic.repairBytes,
            repairs: viewer.cold.traffic.repairs,
            repairsRefused: viewer.cold.traffic.repairsRefused,
            repairsMissing: viewer.cold.traffic.repairsMissing,
            playoutDelay: .milliseconds(Int64(viewer.cold.playoutDelay) * 10),
            decisions: viewer.cold.decisions.all)
    }
}
