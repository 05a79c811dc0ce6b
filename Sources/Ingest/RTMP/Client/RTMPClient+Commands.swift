import Containers
import Stream
import Wire

// What is asked of the other server, step by step, and what it answers.
extension RTMPClient {
    func connect(at now: Instant, _ out: inout Outbox) {
        guard let place else { return }
        writer.announceChunkSize(into: &out)
        var fields: [AMFValue.Field] = [
            .init("app", .string(place.app)),
            .init("flashVer", .string("FMLE/3.0 (compatible; gateway)")),
            .init("tcUrl", .string(place.tcURL)),
        ]
        if purpose == .push {
            fields.append(.init("type", .string("nonprivate")))
        } else {
            // Every codec that there was: some servers send nothing else.
            fields.append(.init("fpad", .boolean(false)))
            fields.append(.init("capabilities", .number(15)))
            fields.append(.init("audioCodecs", .number(0x0fff)))
            fields.append(.init("videoCodecs", .number(0x00ff)))
            fields.append(.init("videoFunction", .number(1)))
        }
        let codecs = ["avc1", "hvc1", "av01", "vp09", "mp4a", "Opus"]
        fields.append(.init("fourCcList", .strictArray(codecs.map { .string($0) })))
        say(RTMPCommand("connect", 1, .object(fields)), on: 0, &out)
        phase = .connecting
        stepDeadline = now + Self.patience
    }

    func hear(
        _ command: RTMPCommand, at now: Instant, _ effects: inout Effects, _ out: inout Outbox
    ) {
        switch command.name {
        case "_result" where phase == .connecting: create(at: now, &out)
        case "_result" where phase == .creating:
            // The answer to what else was asked has no number.
            guard let number = command.arguments.first?.number else { return }
            stream = UInt32(exactly: number) ?? 1
            ask(at: now, &out)
        // releaseStream and FCPublish are often unknown, and that does not matter.
        case "_error" where phase == .connecting || command.transaction == 4:
            end(Self.refusal(command), &effects)
        case "onStatus": hearStatus(command, at: now, &effects)
        case "close": end(.failed("it closed the connection"), &effects)
        default: break
        }
    }

    private func create(at now: Instant, _ out: inout Outbox) {
        guard let place else { return }
        phase = .creating
        stepDeadline = now + Self.patience
        isEstablished = true
        if purpose == .push {
            say(RTMPCommand("releaseStream", 2, .null, [.string(place.stream)]), on: 0, &out)
            say(RTMPCommand("FCPublish", 3, .null, [.string(place.stream)]), on: 0, &out)
        } else {
            writer.control(.windowSize, AcknowledgeWindow.usual, into: &out)
        }
        say(RTMPCommand("createStream", 4), on: 0, &out)
    }

    private func ask(at now: Instant, _ out: inout Outbox) {
        guard let place else { return }
        phase = .asking
        stepDeadline = now + Self.patience
        if purpose == .push {
            let words: [AMFValue] = [.string(place.stream), .string("live")]
            return say(RTMPCommand("publish", 5, .null, words), on: stream, &out)
        }
        // -2000: live, or what there is (§7.2.2.1).
        say(
            RTMPCommand("play", 5, .null, [.string(place.stream), .number(-2000)]), on: stream,
            &out)
        let buffer = RTMPUserControl.bufferLength(stream: stream, milliseconds: 1000)
        writer.userControl(buffer, into: &out)
    }

    private func hearStatus(
        _ command: RTMPCommand, at now: Instant, _ effects: inout Effects
    ) {
        let facts = command.arguments.first ?? .null
        if facts["level"]?.string == "error" { return end(Self.refusal(command), &effects) }
        switch facts["code"]?.string {
        case "NetStream.Publish.Start" where purpose == .push && phase == .asking:
            subscribe(at: now, &effects)
        case "NetStream.Play.Start" where purpose == .pull && phase == .asking:
            publish(at: now, &effects)
        case "NetStream.Play.UnpublishNotify", "NetStream.Play.Stop", "NetStream.Play.Complete":
            end(.failed("the stream has ended there"), &effects)
        case "NetConnection.Connect.Closed": end(.failed("it closed the connection"), &effects)
        default: break
        }
    }

    /// Why not, in the words of the server; or where else (`ex`, as Adobe's servers and SRS say).
    private static func refusal(_ command: RTMPCommand) -> LinkEnding {
        let said = [command.object] + command.arguments
        for value in said {
            guard let place = (value["ex"]?["redirect"] ?? value["redirect"])?.string,
                let url = try? LinkURL(place)
            else { continue }
            return .redirected(url)
        }
        guard let facts = said.first(where: { $0["code"] != nil }) else {
            return .failed("it refused, without a reason")
        }
        let code = LabelText(facts["code"]?.string ?? "")
        let text = LabelText(facts["description"]?.string ?? "")
        return .failed("refused: \(code) \(text)")
    }

    func say(_ command: RTMPCommand, on stream: UInt32, _ out: inout Outbox) {
        writer.write(.commandAMF0, command.bytes, stream: stream, stamp: 0, into: &out)
    }
}
