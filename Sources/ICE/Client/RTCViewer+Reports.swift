import Crypto
import RTP
import Wire

/// What a player says: how media arrives, and what is to come again.
extension RTCViewer {
    /// As browsers do it.
    private static let reportInterval = Interval.seconds(1)
    /// Of one compound; 32 items name up to 544 packets.
    private static let nacksMaximum = 32

    var reportDeadline: Instant {
        var next = min(lastReport + Self.reportInterval, arrivals?.deadline ?? .distantFuture)
        for track in tracks { next = min(next, track.nack?.deadline ?? .distantFuture) }
        return next
    }

    func sendReports(
        at now: Instant, engine: inout CryptoEngine, into out: inout ClientOutput
    ) {
        guard let keys, let destination, now >= reportDeadline else { return }
        let count = writeReports(into: &out.control, at: now)
        guard count > 0, controlIndex < CryptoEngine.rtcpIndexMaximum else { return }
        controlIndex += 1
        let total: Int
        do {
            var span = out.control.mutableSpan
            var window = unsafe span.mutableBytes
            total = engine.protectRTCP(
                &window, count: count, index: controlIndex, key: keys.sending)
        }
        let control = out.control
        out.send(control.raw.extracting(0..<total), to: destination)
    }

    private func writeReports(into bytes: inout [UInt8], at now: Instant) -> Int {
        var span = bytes.mutableSpan
        var out = ByteWriter(unsafe span.mutableBytes)
        let isReport = now >= lastReport + Self.reportInterval
        var blocks: [RTCPReportBlock] = []
        if isReport {
            lastReport = now
            for index in tracks.indices {
                if let block = tracks[index].reportBlock(at: now) { blocks.append(block) }
            }
        }
        if isReport || !isReducedSize {
            RTCPWriter.receiverReport(from: ownSSRC, blocks.span, into: &out)
            RTCPWriter.sourceDescription(ssrc: ownSSRC, cname: [0x62].raw, into: &out)
        }
        let start = out.offset
        for index in tracks.indices { ask(index, into: &out, at: now) }
        if (arrivals?.deadline ?? .distantFuture) <= now,
            IncomingMedia.compoundMaximum - out.offset >= TWCCRecorder.countMaximum
        {
            let media = tracks.lazy.compactMap(\.ssrc).first ?? 0
            _ = arrivals?.write(from: ownSSRC, media: media, at: now, into: &out)
        }
        return isReport || out.offset > start ? out.offset : 0
    }

    @_lifetime(out: copy out)
    private func ask(_ index: Int, into out: inout ByteWriter, at now: Instant) {
        guard let ssrc = tracks[index].ssrc,
            (tracks[index].nack?.deadline ?? .distantFuture) <= now
        else { return }
        var items: [RTCPNack] = []
        var wantsKey = false
        while items.count < Self.nacksMaximum, let output = tracks[index].nack?.poll(at: now) {
            switch output {
            case .nack(let nack): items.append(nack)
            case .gaveUp: break
            case .keyframe: wantsKey = true
            }
        }
        if !items.isEmpty {
            RTCPWriter.nack(from: ownSSRC, media: ssrc, items.span, into: &out)
            tracks[index].noteNack()
        }
        if wantsKey { RTCPWriter.pictureLoss(from: ownSSRC, media: ssrc, into: &out) }
    }
}
