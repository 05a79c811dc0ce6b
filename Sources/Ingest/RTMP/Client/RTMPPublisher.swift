import Containers
package import Wire

/// An encoder's side of RTMP: told bytes, it says what to send. It drives our tests and the bench,
/// and publishes to any server.
///
///     C0 C1 ──▶ S0 S1 S2 ──▶ connect ──▶ createStream ──▶ publish ──▶ media
package struct RTMPPublisher: Sendable {
    package enum State: Equatable, Sendable {
        case opening
        case publishing
        /// In the server's words.
        case refused(String)
    }

    private enum Step: Double { case connect = 1, createStream, publish }

    package private(set) var state = State.opening
    private let tcURL: String
    private let app: String
    private let name: String
    private var random: SplitMix64
    private var isOpen = false
    private var chunks = ChunkReader()
    private var writer = ChunkWriter()
    private var stream: UInt32 = 0
    private var acknowledged: UInt64 = 0

    /// - Parameters:
    ///   - tcURL: `rtmp://host:port/app`.
    ///   - name: What follows the application, with its query.
    package init(tcURL: String, app: String, name: String, seed: UInt64) {
        self.tcURL = tcURL
        self.app = app
        self.name = name
        random = SplitMix64(seed: seed)
    }

    package mutating func start(into out: inout Outbox) {
        out.append(RTMPHandshake.begin(random: &random))
    }

    /// - Returns: How many bytes were taken; the rest comes again, with more behind it.
    package mutating func receive(
        _ bytes: RawSpan, into out: inout Outbox
    ) throws(ParseError) -> Int {
        guard isOpen else {
            let answer = RTMPHandshake.firstCount + RTMPHandshake.count
            guard bytes.byteCount >= answer else { return 0 }
            // C2 is S1 again.
            out.append(bytes.extracting(1..<RTMPHandshake.firstCount))
            isOpen = true
            connect(into: &out)
            return answer
        }
        var start = 0
        var reader = ChunkReader()
        swap(&reader, &chunks)
        defer { swap(&reader, &chunks) }
        while let header = try reader.next(bytes, from: &start) {
            switch header.kind {
            case .setChunkSize:
                let size = try Self.number(reader.body)
                try reader.setChunkSize(size)
            case .commandAMF0, .commandAMF3:
                take(try RTMPCommand(reader.body, .commandAMF0), into: &out)
            case .userControl: answerPing(reader.body, into: &out)
            default: break
            }
        }
        // Servers that count close a connection that never acknowledges.
        if reader.received - acknowledged > 1_000_000 {
            acknowledged = reader.received
            let count = UInt32(truncatingIfNeeded: acknowledged)
            writer.control(.acknowledgement, count, into: &out)
        }
        return start
    }

    private static func number(_ body: RawSpan) throws(ParseError) -> UInt32 {
        var reader = ByteReader(body)
        return try reader.read(UInt32.self)
    }

    private mutating func connect(into out: inout Outbox) {
        writer.announceChunkSize(into: &out)
        let object = AMFValue.object([
            .init("app", .string(app)), .init("type", .string("nonprivate")),
            .init("flashVer", .string("FMLE/3.0 (compatible; gateway)")),
            .init("tcUrl", .string(tcURL)),
        ])
        send(RTMPCommand("connect", Step.connect.rawValue, object), on: 0, into: &out)
    }

    private func send(_ command: RTMPCommand, on stream: UInt32, into out: inout Outbox) {
        writer.write(.commandAMF0, command.bytes, stream: stream, stamp: 0, into: &out)
    }

    private func answerPing(_ body: RawSpan, into out: inout Outbox) {
        do throws(ParseError) {
            guard case .ping(let time) = try RTMPUserControl(body) else { return }
            writer.userControl(.pong(time), into: &out)
        } catch {}
    }

    private mutating func take(_ command: RTMPCommand, into out: inout Outbox) {
        switch (command.name, Step(rawValue: command.transaction)) {
        case ("_result", .connect):
            let key = AMFValue.string(name)
            send(RTMPCommand("releaseStream", 4, .null, [key]), on: 0, into: &out)
            send(RTMPCommand("FCPublish", 5, .null, [key]), on: 0, into: &out)
            send(RTMPCommand("createStream", Step.createStream.rawValue), on: 0, into: &out)
        case ("_result", .createStream):
            stream = UInt32(max(0, command.arguments.first?.number ?? 1))
            let words = [AMFValue.string(name), .string("live")]
            let command = RTMPCommand("publish", Step.publish.rawValue, .null, words)
            send(command, on: stream, into: &out)
        case ("_error", .connect), ("_error", .createStream), ("_error", .publish):
            state = .refused(Self.sentence(command))
        case ("onStatus", _):
            let code = command.arguments.first?["code"]?.string ?? ""
            if code == "NetStream.Publish.Start" {
                state = .publishing
            } else if command.arguments.first?["level"]?.string == "error" {
                state = .refused(Self.sentence(command))
            }
        default: break
        }
    }

    private static func sentence(_ command: RTMPCommand) -> String {
        let said = command.arguments.first
        let words = [said?["code"]?.string, said?["description"]?.string].compactMap { $0 }
        return words.isEmpty ? "refused without a word" : words.joined(separator: ": ")
    }

    /// The configuration record, before the first picture.
    package mutating func h264(configuration: [UInt8], into out: inout Outbox) {
        let body = [0x17, 0, 0, 0, 0] + configuration
        writer.write(.video, body, stream: stream, stamp: 0, into: &out)
    }

    /// - Parameter frame: NAL units behind lengths of four bytes.
    package mutating func h264(
        _ frame: [UInt8], isKey: Bool, stamp: UInt32, into out: inout Outbox
    ) {
        let body = [isKey ? 0x17 : 0x27, 1, 0, 0, 0] + frame
        writer.write(.video, body, stream: stream, stamp: stamp, into: &out)
    }
}
