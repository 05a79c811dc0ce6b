import HTTP

extension Metrics {
    func writeSRT(_ totals: SRTBoard.Totals, _ text: inout MetricsText) {
        text.family("gateway_srt_connections", .gauge, "Open connections of SRT.")
        text.sample(totals.connections)
        text.family("gateway_srt_callers_total", .counter, "Callers by SRT.")
        text.sample(totals.accepted, ["event": "accepted"])
        text.sample(totals.rejected, ["event": "rejected"])
        text.family(
            "gateway_srt_packets_total", .counter,
            "Packets of SRT; lost: asked for again; dropped: too late to be of use.")
        text.sample(totals.packetsIn, ["event": "received"])
        text.sample(totals.packetsOut, ["event": "sent"])
        text.sample(totals.repeated, ["event": "repeated"])
        text.sample(totals.lost, ["event": "lost"])
        text.sample(totals.dropped, ["event": "dropped"])
        text.sample(totals.undecrypted, ["event": "undecrypted"])
    }
}
