package import Media
package import Stream
package import Transcode
package import Wire

/// What is made of a track for those who need it in another codec, and what that costs: for the
/// API and the page.
package struct ConversionReport: Equatable, Sendable {
    package var slot: SlotName
    package var from: Codec
    package var to: Codec
    package var uptime: Interval
    /// Of its thread, in all.
    package var cpu: Interval
    package var figures: AudioBridge.Figures
    /// Frames left out because the machine was too busy.
    package var skipped: Int64

    /// Of one core, on average.
    var load: Double {
        uptime > .zero ? Double(cpu.nanoseconds) / Double(uptime.nanoseconds) : 0
    }

    func write(into json: inout JSONWriter) {
        json.object { json in
            json.field("slot", slot.description)
            json.field("from", from.name)
            json.field("to", to.name)
            json.field("uptime", Double(uptime.milliseconds / 100) / 10)
            json.field("cpuSeconds", Double(cpu.nanoseconds / 1_000_000) / 1000)
            // Of a core, to a hundredth of a percent.
            json.field("cpuLoad", (load * 10_000).rounded() / 10_000)
            json.field("framesIn", figures.framesIn)
            json.field("framesOut", figures.framesOut)
            json.field("damaged", figures.damaged)
            json.field("concealed", figures.concealed)
            json.field("filled", figures.filled)
            json.field("skipped", skipped)
        }
    }
}

extension Transcoding {
    func report(at now: Instant) -> ConversionReport {
        ConversionReport(
            slot: to.slot, from: from.codec, to: to.codec, uptime: now - since, cpu: cpu,
            figures: figures, skipped: skipped)
    }
}
