import HTTP
import Stream
import System
import Wire

/// What `/metrics` says: the sums of all workers, and figures of the process itself.
struct Metrics {
    let total: WorkerCounters
    private let connections: [String: Int]
    let streams: [StreamReport]
    private let rtc: [String: Int]
    let links: [LinkReport]
    /// nil: no cameras of GB28181.
    let gb: GBReport?
    private let answered: Int
    private let expected: Int
    var restarts = 0
    var version = ""
    /// Of the busiest worker.
    var busy = 0.0
    /// nil: no SRT.
    var srt: SRTBoard.Totals?

    init(_ gather: Gather, expected: Int) {
        var total = WorkerCounters()
        var connections: [String: Int] = [:]
        var rtc: [String: Int] = [:]
        for report in gather.reports {
            total += report.counters
            connections.merge(report.connections, uniquingKeysWith: +)
            rtc.merge(report.rtc, uniquingKeysWith: +)
        }
        self.total = total
        self.rtc = rtc
        gb = gather.reports.lazy.compactMap(\.gb).first
        links = gather.reports.flatMap(\.links)
        self.connections = connections
        streams = Overview(gather).streams
        answered = gather.reports.count
        self.expected = expected
    }

    var text: [UInt8] {
        var text = MetricsText()
        writeProcess(&text)
        writeTraffic(&text)
        writeConnections(&text)
        writeLines(&text)
        writeStreams(&text)
        writeWebRTC(&text)
        writeChannels(&text)
        writeTranscode(&text)
        writeLinks(&text)
        if let srt { writeSRT(srt, &text) }
        writeGB(&text)
        return text.bytes
    }

    private func writeProcess(_ text: inout MetricsText) {
        text.family("gateway_info", .gauge, "The version that runs.")
        text.sample(1, ["version": version])
        text.family("gateway_restarts_total", .counter, "Times the serving process was replaced.")
        text.sample(restarts)
        text.family("gateway_workers", .gauge, "Workers, and those that answered this question.")
        text.sample(expected, ["state": "configured"])
        text.sample(answered, ["state": "answering"])
        text.family("process_cpu_seconds_total", .counter, "User and system CPU time.")
        text.sample(ProcessFigures.cpuSeconds)
        text.family("process_resident_memory_bytes", .gauge, "Resident memory.")
        text.sample(ProcessFigures.residentBytes)
        text.family("process_open_fds", .gauge, "Open descriptors.")
        text.sample(ProcessFigures.openDescriptors)
    }

    private func writeTraffic(_ text: inout MetricsText) {
        text.family("gateway_bytes_total", .counter, "Bytes moved, without IP and UDP headers.")
        text.sample(total.datagramBytesIn, ["dir": "in", "protocol": "udp"])
        text.sample(total.datagramBytesOut, ["dir": "out", "protocol": "udp"])
        text.sample(total.connectionBytesIn, ["dir": "in", "protocol": "tcp"])
        text.sample(total.connectionBytesOut, ["dir": "out", "protocol": "tcp"])
        text.family("gateway_datagrams_total", .counter, "Datagrams moved.")
        text.sample(total.datagramsIn, ["dir": "in"])
        text.sample(total.datagramsOut, ["dir": "out"])
        text.family(
            "gateway_send_messages_total", .counter,
            "Messages the datagrams left in: the mean run is datagrams over messages.")
        text.sample(total.messagesOut)
        text.family(
            "gateway_forward_delay_seconds", .histogram,
            "From the turn of a worker that found a packet to the kernel's having taken what left.")
        text.histogram(
            bounds: DelayHistogram.bounds.map { Double($0) / 1e6 },
            counts: (0...DelayHistogram.bounds.count).map {
                UInt64(total.forwardDelay.counts[$0])
            },
            sum: Double(total.forwardDelay.nanoseconds) / 1e9)
        text.family("gateway_datagrams_unknown_total", .counter, "Datagrams of nobody's session.")
        text.sample(total.datagramsUnknown)
        text.family("gateway_datagrams_refused_total", .counter, "Datagrams the kernel refused.")
        text.sample(total.datagramsRefused)
        text.family("gateway_turns_total", .counter, "Turns of all workers.")
        text.sample(total.turns)
        text.family("gateway_busy_ratio", .gauge, "Of the busiest worker's time, a mean of 5 s.")
        text.sample(busy)
        text.family(
            "gateway_overload_refused_total", .counter,
            "Viewers sent away because of limits.bandwidth or limits.cpu.")
        text.sample(total.overloads)
        text.family("gateway_refused_total", .counter, "Questions answered with no.")
        text.sample(total.refusals)
    }

    private func writeStreams(_ text: inout MetricsText) {
        var sources: [String: Int] = [:]
        var viewers: [String: Int] = [:]
        for stream in streams {
            viewers.merge(stream.viewers, uniquingKeysWith: +)
            guard let snapshot = stream.home?.snapshot, snapshot.isLive else { continue }
            sources[snapshot.protocolName, default: 0] += 1
        }
        text.family("gateway_streams", .gauge, "Streams that somebody publishes.")
        text.samples(sources, by: "source")
        text.family("gateway_viewers", .gauge, "Who reads a stream.")
        text.samples(viewers, by: "protocol")
    }

    private func writeWebRTC(_ text: inout MetricsText) {
        text.family("gateway_webrtc_sessions", .gauge, "Sessions of WebRTC.")
        text.samples(rtc, by: "state")
        text.family("gateway_webrtc_joins_total", .counter, "What became of offers.")
        text.sample(total.rtcOffers, ["event": "answered"])
        text.sample(total.rtcNeverCame, ["event": "never-came"])
        text.sample(total.rtcJoins, ["event": "came"])
        text.sample(total.rtcConnected, ["event": "connected"])
        text.sample(total.rtcLeft, ["event": "left"])
        text.family(
            "gateway_forwarded_packets_total", .counter,
            "Datagrams that came to another worker than the one with their session.")
        text.sample(total.rtcForwarded)
        text.family(
            "gateway_webrtc_strays_total", .counter,
            "Peers that were found behind another port by what they sent under their keys.")
        text.sample(total.rtcStrays)
        text.family(
            "gateway_webrtc_refused_packets_total", .counter,
            "Packets of sessions that are over which did not prove authentic, or came twice.")
        text.sample(total.rtcForged, ["reason": "forged"])
        text.sample(total.rtcReplayed, ["reason": "replayed"])
        text.sample(total.rtcDropped, ["reason": "no-room"])
        text.family(
            "gateway_handshakes_postponed_total", .counter,
            "Steps of DTLS that waited for the next turn, so that media did not wait for them.")
        text.sample(total.rtcPostponed)
        text.family(
            "gateway_ice_tcp_moved_total", .counter,
            "Connections handed to the worker that has their session.")
        text.sample(total.rtcPipesMoved)
        text.family("gateway_pli_total", .counter, "Key frames asked for.")
        text.sample(total.rtcKeyWishes, ["dir": "in"])
        text.sample(total.keyRequests, ["dir": "out"])
        text.family("gateway_nack_total", .counter, "Reports of loss by viewers.")
        text.sample(total.rtcNACKs)
    }

    private func writeChannels(_ text: inout MetricsText) {
        text.family(
            "gateway_channel_associations_total", .counter,
            "Sessions whose data channels came up.")
        text.sample(total.channelAssociations)
        text.family(
            "gateway_channel_messages_total", .counter,
            "Messages of data channels; dropped: beyond a publisher's allowance or a viewer's room."
        )
        text.sample(total.channelMessagesIn, ["event": "received"])
        text.sample(total.channelMessagesOut, ["event": "sent"])
        text.sample(total.channelDropped, ["event": "dropped"])
        text.sample(total.channelLost, ["event": "no-room"])
    }

    private func writeLines(_ text: inout MetricsText) {
        text.family(
            "gateway_udp_ports", .gauge, "Open UDP ports of sessions, beside that of WebRTC.")
        text.sample(total.linesOpened - total.linesClosed)
        text.family(
            "gateway_udp_ports_refused_total", .counter,
            "UDP ports that a session wanted and did not get.")
        text.sample(total.linesRefused)
        text.family(
            "gateway_udp_dropped_total", .counter,
            "Datagrams of such ports that were not sent: the kernel took no more for too long.")
        text.sample(total.lineDatagramsDropped)
    }

    private func writeConnections(_ text: inout MetricsText) {
        text.family("gateway_connections", .gauge, "Open connections.")
        text.samples(connections, by: "service")
        text.family("gateway_connections_total", .counter, "Connections, by what became of them.")
        text.sample(total.connectionsAccepted, ["event": "accepted"])
        text.sample(total.connectionsRefused, ["event": "refused"])
        text.sample(total.connectionsClosed, ["event": "closed"])
    }
}

extension MetricsText {
    /// One for each, in an order that stays.
    fileprivate mutating func samples(_ counts: [String: Int], by label: String) {
        for (value, count) in counts.sorted(by: { $0.key < $1.key }) {
            sample(count, [label: value])
        }
    }
}
