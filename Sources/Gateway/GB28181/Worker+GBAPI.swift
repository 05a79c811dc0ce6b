import GB28181
import HTTP
import Stream
import System
import Wire

// `/api/v1/gb/…`: devices, their channels, calls; and what can be asked of them.
extension Worker {
    /// - Parameter path: Behind `gb`.
    func serveGB(
        _ path: [String], _ request: HTTPRequest, _ connection: Connection
    ) throws(Problem) {
        guard plan.gb != nil else {
            throw Problem(.notEnabled, "set gb28181.enabled to true to let cameras register")
        }
        switch (path.first, path.count) {
        case ("devices", 1):
            try listCameras(request, connection) { page, report, json in
                page.write(report.devices, into: &json) { device, json in
                    device.write(at: report.now, into: &json)
                }
            }
        case ("sessions", 1):
            try listCameras(request, connection) { page, report, json in
                page.write(report.sessions, into: &json) { $0.write(into: &$1) }
            }
        case ("devices", 2...): try serveDevice(path[1], path.dropFirst(2), request, connection)
        default: throw Problem(.notFound, request.target.path)
        }
    }

    private func listCameras(
        _ request: HTTPRequest, _ connection: Connection,
        _ write: @escaping (APIPage, GBReport, inout JSONWriter) -> Void
    ) throws(Problem) {
        try allow(request, "GET, HEAD")
        let page = try APIPage(request.target)
        askDesk(request, connection) { report in Self.json { write(page, report, &$0) } }
    }

    /// The answer is made of what the desk says now.
    private func askDesk(
        _ request: HTTPRequest, _ connection: Connection,
        _ answer: @escaping (GBReport) -> HTTPResponse
    ) {
        gather(.cameras) { [self] gather in
            guard let report = gather.reports.lazy.compactMap(\.gb).first else {
                let problem = Problem(.noAnswer, "the worker of the cameras does not answer")
                return respond(HTTPResponse(problem), request, connection)
            }
            respond(answer(report), request, connection)
        }
    }

    private func serveDevice(
        _ id: String, _ rest: ArraySlice<String>, _ request: HTTPRequest,
        _ connection: Connection
    ) throws(Problem) {
        let words = Array(rest)
        switch (words.first, words.count) {
        case (nil, _):
            try allow(request, "GET, HEAD")
            askDevice(id, request, connection) { device, now in
                Self.json { device.writeAll(at: now, into: &$0) }
            }
        case ("channels", 1):
            try allow(request, "GET, HEAD")
            let page = try APIPage(request.target)
            askDevice(id, request, connection) { device, _ in
                Self.json { json in
                    page.write(device.sortedChannels, into: &json) {
                        $0.write(of: device.id, into: &$1)
                    }
                }
            }
        case ("sync", 1):
            try allow(request, "POST")
            askDevice(id, request, connection) { [neighbours] device, _ in
                guard device.isOnline else { return Self.offline(device.id) }
                neighbours.post(.gb(.synchronise(device.id)), to: GBPlan.worker)
                return HTTPResponse(status: 202)
            }
        case ("channels", 3) where words[2] == "ptz":
            try allow(request, "POST")
            let command = try Self.command(request.target)
            let channel = GBChannelID(device: id, channel: words[1])
            askDevice(id, request, connection) { [neighbours] device, _ in
                guard device.isOnline else { return Self.offline(device.id) }
                guard device.channels[channel.channel] != nil || channel.channel == device.id
                else {
                    let cause = "\(device.id) has no channel \(LabelText(channel.channel))"
                    return HTTPResponse(Problem(.notFound, cause))
                }
                neighbours.post(.gb(.control(channel, command)), to: GBPlan.worker)
                return HTTPResponse(status: 202)
            }
        default: throw Problem(.notFound, request.target.path)
        }
    }

    private func askDevice(
        _ id: String, _ request: HTTPRequest, _ connection: Connection,
        _ answer: @escaping (GBDevice, Instant) -> HTTPResponse
    ) {
        askDesk(request, connection) { report in
            guard let device = report.devices.first(where: { $0.id == id }) else {
                return HTTPResponse(
                    Problem(.notFound, "no device \(LabelText(id)) has registered here"))
            }
            return answer(device, report.now)
        }
    }

    private static func offline(_ id: String) -> HTTPResponse {
        HTTPResponse(Problem(.sourceFailed, "\(id) is offline"))
    }

    /// `?pan=-100…100&tilt=…&zoom=…`, `?focus=…&iris=…`, or `?preset=5&op=call|set|delete`.
    private static func command(_ target: HTTPTarget) throws(Problem) -> PTZCommand {
        func speed(_ name: String) throws(Problem) -> Int? {
            guard let text = target.query(name) else { return nil }
            guard let value = Int(text), (-100...100).contains(value) else {
                throw Problem(.badRequest, "\(name): a number from -100 to 100")
            }
            return value
        }
        if let text = target.query("preset") {
            let actions: [String: PTZCommand.PresetAction] = [
                "call": .call, "set": .set, "delete": .delete,
            ]
            guard let number = UInt8(text), number > 0,
                let action = actions[target.query("op") ?? "call"]
            else { throw Problem(.badRequest, "preset: 1 to 255; op: call, set or delete") }
            return .preset(action, number)
        }
        let (focus, iris) = (try speed("focus"), try speed("iris"))
        if focus != nil || iris != nil {
            return .lens(focus: (focus ?? 0) * 255 / 100, iris: (iris ?? 0) * 255 / 100)
        }
        let (pan, tilt) = (try speed("pan") ?? 0, try speed("tilt") ?? 0)
        let zoom = try speed("zoom") ?? 0
        // Zero is no movement at some cameras: the slowest is one.
        let nibble = zoom == 0 ? 0 : max(1, Int(zoom.magnitude) * 15 / 100) * zoom.signum()
        return .move(pan: pan * 255 / 100, tilt: tilt * 255 / 100, zoom: nibble)
    }
}

extension GBDevice {
    func write(at now: Instant, into json: inout JSONWriter) {
        json.object { writeFields(at: now, into: &$0) }
    }

    /// With the last words between it and us.
    func writeAll(at now: Instant, into json: inout JSONWriter) {
        json.object { json in
            writeFields(at: now, into: &json)
            json.array("ladder") { json in
                for step in ladder.steps {
                    json.object { json in
                        json.field("age", Overview.seconds(now - step.at))
                        json.field("from", step.isFromDevice ? "device" : "gateway")
                        json.field("text", LabelText(step.text))
                    }
                }
            }
        }
    }

    private func writeFields(at now: Instant, into json: inout JSONWriter) {
        json.field("id", id)
        json.field("name", LabelText(name))
        json.field("manufacturer", LabelText(manufacturer))
        json.field("model", LabelText(model))
        json.field("firmware", LabelText(firmware))
        json.field("userAgent", LabelText(userAgent))
        json.field("version", LabelText(version))
        json.field("online", isOnline)
        json.field("address", "\(route.peer)")
        json.field("transport", route.isTCP ? "tcp" : "udp")
        json.field("registeredAge", Overview.seconds(now - registeredAt))
        json.field("lastSignAge", Overview.seconds(now - lastSign))
        json.field("expiresIn", Overview.seconds(max(.zero, expiresAt - now)))
        json.field("keepAlives", keepAlives)
        json.field("channelCount", channels.count)
        json.field("catalogueComplete", catalogueIsWhole)
    }
}

extension GBChannel {
    func write(of device: String, into json: inout JSONWriter) {
        json.object { json in
            json.field("id", id)
            json.field("name", LabelText(name))
            json.field("kind", kind.rawValue)
            json.field("on", isOn)
            json.field("parent", LabelText(parent))
            json.field("manufacturer", LabelText(manufacturer))
            json.field("model", LabelText(model))
            json.field("ptzType", ptzType)
            json.field("longitude", LabelText(longitude))
            json.field("latitude", LabelText(latitude))
            guard kind == .camera else { return }
            json.field("stream", GBChannelID(device: device, channel: id).stream)
        }
    }
}

extension GBReport.Session {
    func write(into json: inout JSONWriter) {
        json.object { json in
            json.field("stream", id.stream)
            json.field("ssrc", ssrc)
            json.field("transport", transport)
            if let peer { json.field("peer", "\(peer)") }
            json.field("media", media)
            json.field("uptime", Overview.seconds(uptime))
            json.field("packets", figures.packets)
            json.field("lost", figures.lost)
            json.field("unknown", figures.unknown)
            json.field("restarts", figures.restarts)
            json.field("frames", frames)
            json.field("damaged", damaged)
            json.field("dropped", dropped)
            json.field("resyncs", resyncs)
            json.array("leftOut") { json in
                for name in leftOut { json.value(LabelText(name)) }
            }
        }
    }
}

extension Metrics {
    /// Nothing while it is switched off.
    func writeGB(_ text: inout MetricsText) {
        guard let gb else { return }
        text.family("gateway_gb_devices", .gauge, "Devices that have registered.")
        text.sample(gb.online, ["state": "online"])
        text.sample(gb.known - gb.online, ["state": "offline"])
        text.family("gateway_gb_calls", .gauge, "Cameras that are called or send.")
        text.sample(gb.calls)
        text.family("gateway_gb_calls_total", .counter, "Calls, by what became of them.")
        text.sample(gb.figures.calls, ["event": "begun"])
        text.sample(gb.figures.failedCalls, ["event": "failed"])
        text.family("gateway_gb_messages_total", .counter, "SIP messages from devices.")
        text.sample(gb.figures.messages, ["kind": "read"])
        text.sample(gb.figures.broken, ["kind": "broken"])
        text.family("gateway_gb_registrations_total", .counter, "Registrations of devices.")
        text.sample(gb.figures.registrations, ["result": "accepted"])
        text.sample(gb.figures.refused, ["result": "refused"])
        text.family("gateway_gb_keepalives_total", .counter, "Signs of life of devices.")
        text.sample(gb.figures.keepAlives)
        text.family("gateway_gb_lost_packets_total", .counter, "Media packets that never came.")
        text.sample(gb.lostPackets)
        text.family(
            "gateway_gb_damaged_frames_total", .counter, "Pictures of which something was lost.")
        text.sample(gb.damagedFrames)
        text.family(
            "gateway_gb_unknown_packets_total", .counter, "Media that belongs to no call.")
        text.sample(gb.unknownPackets)
    }
}
