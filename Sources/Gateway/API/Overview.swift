import Media
import Stream
import Wire

/// What all workers said, put together: the streams and sessions of the gateway at one moment.
struct Overview {
    private(set) var streams: [StreamReport] = []
    let sessions: [SessionReport]
    /// Workers that did not answer in time: what is theirs is missing here.
    let missing: Int

    init(_ gather: Gather) {
        var byName: [String: StreamReport] = [:]
        for report in gather.reports.flatMap(\.streams) {
            var stream = byName[report.name] ?? report
            if byName[report.name] != nil {
                stream.viewers.merge(report.viewers, uniquingKeysWith: +)
            }
            stream.home = stream.home ?? report.home
            byName[report.name] = stream
        }
        streams = byName.values.sorted { $0.name < $1.name }
        sessions = gather.reports.flatMap(\.sessions).sorted {
            ($0.stream, $0.uptime) < ($1.stream, $1.uptime)
        }
        missing = gather.missing.count
    }

    func write(_ stream: StreamReport, into json: inout JSONWriter) {
        let tracks = stream.home?.tracks ?? []
        json.object { json in
            json.field("name", LabelText(stream.name))
            json.field("ready", stream.home?.snapshot.isReady ?? false)
            if let uptime = stream.home?.uptime { json.field("uptime", Self.seconds(uptime)) }
            json.field("viewers", stream.viewerCount)
            json.field("bitrate", tracks.reduce(0) { $0 + $1.bitsPerSecond })
            writePublisher(of: stream, into: &json)
            json.array("tracks") { json in
                for track in tracks {
                    Self.write(track, stream.home?.snapshot[track.slot]?.advice, into: &json)
                }
            }
            if let conversions = stream.home?.conversions, !conversions.isEmpty {
                json.array("conversions") { json in
                    for conversion in conversions { conversion.write(into: &json) }
                }
            }
        }
    }

    private func writePublisher(of stream: StreamReport, into json: inout JSONWriter) {
        guard let snapshot = stream.home?.snapshot, snapshot.isLive else {
            return json.null("publisher")
        }
        let session = sessions.first { $0.stream == stream.name && $0.role == .publish }
        json.object("publisher") { json in
            json.field("protocol", snapshot.protocolName)
            if let session { json.field("session", session.id) }
        }
    }

    private static func write(
        _ track: TrackFigures, _ advice: String?, into json: inout JSONWriter
    ) {
        json.object { json in
            json.field("slot", track.slot.description)
            json.field("codec", track.format.codec.name)
            write(track.format, into: &json)
            json.field("bitrate", track.bitsPerSecond)
            if track.format.mayHaveBFrames { json.field("bFrames", true) }
            if let advice { json.field("advice", advice) }
            guard track.layers.count > 1 else { return }
            json.array("layers") { json in
                for layer in track.layers {
                    json.object { json in
                        json.field("rid", LabelText(layer.rid))
                        write(layer.format, into: &json)
                        json.field("bitrate", layer.bitsPerSecond)
                        json.field("alive", layer.isAlive)
                    }
                }
            }
        }
    }

    /// What is known of it: nothing is written as zero.
    private static func write(_ format: Format, into json: inout JSONWriter) {
        for (key, value) in [
            ("width", format.width), ("height", format.height), ("channels", format.channels),
            ("sampleRate", format.sampleRate),
        ] where value > 0 {
            json.field(key, value)
        }
    }

    /// With tenths: nobody needs more.
    static func seconds(_ interval: Interval) -> Double {
        Double(interval.milliseconds / 100) / 10
    }
}
