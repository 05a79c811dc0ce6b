import RTSP
import Simulation
import Testing
import Wire

/// One byte stream with requests, responses and frames in it (brief 1).
struct RTSPReaderTests {
    /// What a reader finds when the bytes come in pieces, as a connection shows them.
    static func read(
        _ pieces: [[UInt8]], _ reader: inout RTSPReader
    ) throws(ParseError) -> [String] {
        var found: [String] = []
        var waiting: [UInt8] = []
        for piece in pieces {
            waiting += piece
            var start = 0
            while let element = try reader.next(waiting.raw, from: &start) {
                found.append(describe(element, waiting))
            }
            waiting.removeFirst(start)
        }
        return found
    }

    static func read(_ text: [UInt8]) throws(ParseError) -> [String] {
        var reader = RTSPReader()
        return try read([text], &reader)
    }

    static func describe(_ element: RTSPReader.Element, _ bytes: [UInt8]) -> String {
        switch element {
        case .frame(let channel, let range):
            return "$\(channel) \(bytes[range].map { String($0) }.joined(separator: " "))"
        case .message(let message):
            let body = message.body.isEmpty ? "" : " +\(message.body.count)"
            switch message.start {
            case .request(let method, let url): return "\(method) \(url)\(body)"
            case .response(let status): return "\(status)\(body)"
            }
        }
    }

    static func frame(_ channel: UInt8, _ payload: [UInt8]) -> [UInt8] {
        [0x24, channel, UInt8(payload.count >> 8), UInt8(payload.count & 255)] + payload
    }

    static let packet: [UInt8] = [0x80, 96, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 9]

    static let mixed: [UInt8] =
        frame(0, packet) + Array("RTSP/1.0 200 OK\r\nCSeq: 4\r\n\r\n".utf8) + frame(1, packet)
        + Array("SET_PARAMETER rtsp://192.0.2.1/a RTSP/1.0\r\nCSeq: 1\r\n".utf8)
        + Array("Content-Length: 3\r\n\r\nabc".utf8) + Array("\r\n".utf8) + frame(2, packet)

    static let expected = [
        "$0 128 96 0 1 0 0 0 2 0 0 0 3 9", "200", "$1 128 96 0 1 0 0 0 2 0 0 0 3 9",
        "SET_PARAMETER rtsp://192.0.2.1/a +3", "$2 128 96 0 1 0 0 0 2 0 0 0 3 9",
    ]

    @Test func messagesStandBetweenFramesAtEveryCut() throws {
        for cut in 0...Self.mixed.count {
            var reader = RTSPReader()
            let pieces = [Array(Self.mixed[..<cut]), Array(Self.mixed[cut...])]
            #expect(try Self.read(pieces, &reader) == Self.expected, "cut at \(cut)")
        }
        var reader = RTSPReader()
        #expect(try Self.read(Self.mixed.map { [$0] }, &reader) == Self.expected)
    }

    @Test func garbageBetweenFramesIsSkippedUpToSomethingPlausible() throws {
        let garbage: [UInt8] = [0, 0x24, 77, 1, 2, 0x24, 0, 0, 2, 1, 1, 0xff, 0x52, 0x54]
        let bytes = Self.frame(0, Self.packet) + garbage + Self.frame(1, Self.packet)
        for cut in 0...bytes.count {
            var reader = RTSPReader()
            let pieces = [Array(bytes[..<cut]), Array(bytes[cut...])]
            let found = try Self.read(pieces, &reader)
            #expect(found == [Self.expected[0], Self.expected[2]], "cut at \(cut)")
            #expect(reader.skipped == garbage.count)
        }
    }

    @Test func aResponseAfterGarbageIsFound() throws {
        let bytes: [UInt8] = [1, 2, 3] + Array("RTSP/1.0 200 OK\r\nCSeq: 9\r\n\r\n".utf8)
        #expect(try Self.read(bytes) == ["200"])
    }

    @Test func garbageWithoutEndEndsTheConnection() {
        var reader = RTSPReader()
        #expect(throws: ParseError.self) {
            for _ in 0..<3000 { _ = try Self.read([[UInt8](repeating: 1, count: 64)], &reader) }
        }
        var other = RTSPReader()
        #expect(throws: ParseError.self) {
            for _ in 0..<11 {
                _ = try Self.read([[1, 2, 3] + Self.frame(0, Self.packet)], &other)
            }
        }
    }

    @Test func lineFeedsAloneAndBlankLinesBeforeTheStartLine() throws {
        let text = "\r\n\n\r\nOPTIONS rtsp://192.0.2.1/a RTSP/1.0\nCSeq: 7  \n\n"
        var reader = RTSPReader()
        var start = 0
        let bytes = Array(text.utf8)
        guard case .message(let message) = try reader.next(bytes.raw, from: &start) else {
            Issue.record("no message")
            return
        }
        #expect(message["cseq"] == "7")
        #expect(start == bytes.count)
    }

    /// A description of `body`, announced as longer or shorter than it is.
    static func description(_ body: String, said: Int) -> [UInt8] {
        Array("RTSP/1.0 200 OK\r\nCSeq: 2\r\nContent-Length: \(said)\r\n\r\n\(body)".utf8)
    }

    static let body = "v=0\r\ns=a\r\nm=video 0 RTP/AVP 96\r\n"

    @Test(arguments: [-2, -1, 0, 1, 2])
    func aContentLengthThatIsOffByTwoIsForgiven(error: Int) throws {
        let count = Self.body.utf8.count
        let bytes = Self.description(Self.body, said: count + error)
        let next = Array("RTSP/1.0 454 No\r\nCSeq: 3\r\n\r\n".utf8)
        var reader = RTSPReader()
        let found = try Self.read([bytes, next], &reader)
        #expect(found == ["200 +\(min(count, count + error))", "454"])
    }

    @Test func aBodyBeyondTheBoundIsRefused() {
        let bytes = Self.description("", said: 128 * 1024 + 1)
        #expect(throws: ParseError.self) { try Self.read(bytes) }
    }

    @Test func aBlankInTheAddressStaysInIt() throws {
        let text = "DESCRIBE rtsp://192.0.2.1/front door RTSP/1.0\r\nCSeq: 1\r\n\r\n"
        #expect(try Self.read(Array(text.utf8)) == ["DESCRIBE rtsp://192.0.2.1/front door"])
    }

    @Test func headersGoOutAsDevicesWantThem() {
        var message = RTSPMessage(.request(method: "OPTIONS", url: "rtsp://192.0.2.1/a?b=1&c=2"))
        message.add("CSeq", "1")
        message.add("User-Agent", "gate\r\nway")
        let text = String(decoding: message.bytes, as: UTF8.self)
        #expect(
            text == "OPTIONS rtsp://192.0.2.1/a?b=1&c=2 RTSP/1.0\r\nCSeq: 1\r\n"
                + "User-Agent: gate__way\r\n\r\n")
    }

    @Test(arguments: 0..<20)
    func damageNeverHangs(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var bytes: [UInt8] = []
        for _ in 0..<20 { bytes += Self.mixed }
        for _ in 0..<1 + Int(random.next() % 8) {
            let place = Int(random.next() % UInt64(bytes.count))
            bytes[place] = UInt8(truncatingIfNeeded: random.next())
        }
        var reader = RTSPReader()
        var pieces: [[UInt8]] = []
        while !bytes.isEmpty {
            let count = min(bytes.count, 1 + Int(random.next() % 97))
            pieces.append(Array(bytes[..<count]))
            bytes.removeFirst(count)
        }
        // A length that was damaged swallows 64 KiB at most, eight of them in a row.
        for _ in 0..<40_000 { pieces.append(Self.frame(0, Self.packet)) }
        // A few frames may be lost with the damage, or the peer is given up: nothing else.
        if let found = try? Self.read(pieces, &reader) { #expect(found.count > 5000) }
    }
}
