import ICE
import Media
import SRTPort
import Stream
import Wire

/// A session in the words of the API: in a list, or alone with all that is known of it.
extension SessionReport {
    func write(into json: inout JSONWriter) {
        json.object { json in writeFields(into: &json) }
    }

    /// - Parameter now: Decisions are told by their age: our clock is nobody else's.
    func writeAll(at now: Instant, into json: inout JSONWriter) {
        json.object { json in
            writeFields(into: &json)
            guard let viewer else { return }
            json.field("playoutDelay", viewer.playoutDelay.milliseconds)
            json.object("repairs") { json in
                json.field("sent", viewer.repairs)
                json.field("refused", viewer.repairsRefused)
                json.field("missing", viewer.repairsMissing)
            }
            json.array("tracks") { json in
                for slot in viewer.slots { Self.write(slot, into: &json) }
            }
            json.array("decisions") { json in
                for entry in viewer.decisions {
                    json.object { json in
                        json.field("age", Overview.seconds(now - entry.at))
                        json.field("what", "\(entry.what)")
                        json.field("detail", entry.detail)
                    }
                }
            }
        }
    }

    private func writeFields(into json: inout JSONWriter) {
        json.field("id", id)
        json.field("stream", LabelText(stream))
        json.field("role", role.rawValue)
        json.field("protocol", protocolName)
        json.field("peer", peer.description)
        json.field("uptime", Overview.seconds(uptime))
        json.field("worker", worker)
        if let roundTrip = viewer?.roundTrip ?? roundTrip {
            json.field("rtt", Double(roundTrip.nanoseconds / 10_000) / 100)
        }
        if let srt { Self.write(srt, into: &json) }
        guard let viewer else { return }
        json.field("transport", viewer.route.connection == 0 ? "udp" : "tcp")
        json.field("bitrate", viewer.bitsPerSecond)
        json.field("packets", viewer.packets)
        json.field("loss", viewer.loss)
    }

    private static func write(_ srt: SRTFigures, into json: inout JSONWriter) {
        json.field("bitrate", srt.bitsPerSecond)
        json.object("srt") { json in
            json.field("latency", srt.latency.milliseconds)
            json.field("buffered", srt.buffered.milliseconds)
            json.field("packets", srt.packets)
            json.field("lost", srt.lost)
            json.field("dropped", srt.dropped)
            json.field("repeated", srt.repeated)
            json.field("undecrypted", srt.undecrypted)
        }
    }

    private static func write(_ slot: ViewerReport.Slot, into json: inout JSONWriter) {
        json.object { json in
            json.field("slot", slot.name.description)
            if let codec = slot.codec { json.field("codec", codec.name) }
            if !slot.rid.isEmpty { json.field("rid", LabelText(slot.rid)) }
            json.field("state", slot.state)
            json.field("packets", slot.packets)
            json.field("joins", slot.joins)
        }
    }
}
