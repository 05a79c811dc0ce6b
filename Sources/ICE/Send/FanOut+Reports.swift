package import Crypto
import Media
import RTP
import Stream
import Wire

/// RTCP of ours to viewers: sender reports from one clock, and the goodbye.
extension FanOut {
    static let reportInterval = Interval.seconds(1)
    /// Two reports with the longest name there is.
    private static let compoundMaximum = 28 + 8 + 264 + 32
    /// Reports are dated back by up to this, at random: who echoes one must have received it.
    private static let dateSpread: UInt64 = 32_000_000

    /// A compound for each slot that is live. Time stamps are of the moment that the report names,
    /// not of when packets were sent: what jitters on the way here would otherwise part sound and
    /// picture.
    func sendReports(
        _ viewer: Viewer, _ turn: Turn,
        _ engine: inout CryptoEngine, _ batch: inout SendBatch, _ framed: inout RTCOutput
    ) -> Step {
        guard batch.fits(2 * Self.compoundMaximum, datagrams: 2) else { return .full }
        let back = Interval(nanoseconds: Int64(dice.next() % Self.dateSpread))
        let moment = turn.instant - back
        let time = NTPTime(unixNanoseconds: turn.wall.utc(at: moment))
        var isAny = false
        for number in 0..<ViewerHot.slotCount {
            let slot = viewer.slot(number)
            guard slot.hot.state == .live, slot.cold.runs.isOpen,
                slot.hot.packets > 0, let lane = lane(slot.hot.lane),
                let index = viewer.cold.session.takeControlIndex()
            else { continue }
            let run = slot.cold.runs.current
            let info = RTCPSenderInfo(
                ssrc: slot.hot.ssrc, ntp: time,
                timestamp: run.timestamp(of: lane.encoding.ticks(at: moment)),
                packets: slot.hot.packets, octets: slot.hot.octets)
            isAny = true
            send(info, index, viewer, &engine, &batch, &framed)
        }
        viewer.countTraffic()
        viewer.cold.traffic.measure(at: turn.instant)
        guard isAny else {
            viewer.cold.reportAt = .distantFuture
            return .done
        }
        viewer.cold.reports.note(time.middle, viewer.cold.route, at: turn.instant)
        // Viewers that joined together need not report together for ever.
        let spread = Interval.milliseconds(Int64(dice.next() % 100) - 50)
        viewer.cold.reportAt = turn.instant + Self.reportInterval + spread
        return .done
    }

    private func send(
        _ info: RTCPSenderInfo, _ index: UInt32, _ viewer: Viewer, _ engine: inout CryptoEngine,
        _ batch: inout SendBatch,
        _ framed: inout RTCOutput
    ) {
        let none: [RTCPReportBlock] = []
        var window = batch.window(Self.compoundMaximum)
        var count = 0
        do {
            var out = ByteWriter(window._mutatingExtracting(0..<Self.compoundMaximum))
            RTCPWriter.senderReport(info, none.span, into: &out)
            RTCPWriter.sourceDescription(ssrc: info.ssrc, cname: viewer.cold.cname.raw, into: &out)
            count = out.offset
        }
        let total = engine.protectRTCP(&window, count: count, index: index, key: viewer.hot.key)
        guard
            viewer.hot.flags[.isValidated]
                || viewer.cold.session.admitSending(total, on: viewer.cold.route)
        else { return }
        if viewer.hot.flags[.isConnection] {
            framed.send(window.bytes.extracting(0..<total), on: viewer.cold.route)
        } else {
            batch.commit(total)
        }
    }

    /// Says that nothing more comes: for a viewer whose session ends by our will, before
    /// `RTCSession.close` gives the keys back.
    package func goodbye(
        _ id: ViewerID, engine: inout CryptoEngine, into out: inout RTCOutput
    ) {
        guard let place = table.place(of: id),
            let index = table[place].cold.session.takeControlIndex()
        else { return }
        var sources: [UInt32] = []
        for slot in 0..<ViewerHot.slotCount where table[place].slot(slot).hot.state != .absent {
            sources.append(table[place].slot(slot).hot.ssrc)
            let repairs = table[place].slot(slot).cold.rtxSSRC
            if repairs != 0 { sources.append(repairs) }
        }
        guard let first = sources.first else { return }
        var bytes = [UInt8](repeating: 0, count: Self.compoundMaximum)
        let (cname, key) = (table[place].cold.cname, table[place].hot.key)
        let none: [RTCPReportBlock] = []
        var total = 0
        do {
            var span = bytes.mutableSpan
            var window = unsafe span.mutableBytes
            var count = 0
            do {
                var writer = ByteWriter(window._mutatingExtracting(0..<Self.compoundMaximum))
                RTCPWriter.receiverReport(from: first, none.span, into: &writer)
                RTCPWriter.sourceDescription(ssrc: first, cname: cname.raw, into: &writer)
                RTCPWriter.bye(sources.span, into: &writer)
                count = writer.offset
            }
            total = engine.protectRTCP(&window, count: count, index: index, key: key)
        }
        let route = table[place].cold.route
        guard
            table[place].hot.flags[.isValidated]
                || table[place].cold.session.admitSending(total, on: route)
        else { return }
        out.send(bytes.raw.extracting(0..<total), on: route)
    }
}
