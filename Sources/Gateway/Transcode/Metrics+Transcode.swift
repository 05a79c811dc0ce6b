import HTTP
import Media

extension Metrics {
    /// What converting sound costs, and what had to be made up.
    func writeTranscode(_ text: inout MetricsText) {
        let conversions = streams.flatMap { $0.home?.conversions ?? [] }
        text.family("gateway_transcodes", .gauge, "Sound being converted now.")
        for (key, group) in Dictionary(grouping: conversions, by: { [$0.from.name, $0.to.name] })
            .sorted(by: { $0.key.lexicographicallyPrecedes($1.key) })
        {
            text.sample(group.count, ["from": key[0], "to": key[1]])
        }
        text.family("gateway_transcode_cpu_seconds_total", .counter, "CPU time of converting.")
        text.sample(Double(total.transcodeNanoseconds) / 1_000_000_000)
        text.family("gateway_transcode_frames_total", .counter, "Frames of sound converted.")
        text.sample(total.transcodeFramesIn, ["dir": "in"])
        text.sample(total.transcodeFramesOut, ["dir": "out"])
        text.family(
            "gateway_transcode_repairs_total", .counter,
            "Frames of sound that were damaged or skipped, and gaps that were made up.")
        text.sample(total.transcodeDamaged, ["kind": "damaged"])
        text.sample(total.transcodeSkipped, ["kind": "skipped"])
        text.sample(total.transcodeConcealed, ["kind": "concealed"])
        text.sample(total.transcodeFilled, ["kind": "filled"])
    }
}
