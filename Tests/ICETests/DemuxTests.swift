import ICE
import Testing
import Wire

struct DemuxTests {
    static func classify(_ bytes: [UInt8]) -> Demux { Demux(bytes.raw) }

    /// RFC 7983 §7, over every first byte: nothing overlaps and nothing falls through.
    @Test func sortsByTheFirstByte() {
        for first in 0...255 {
            var bytes = [UInt8](repeating: 0, count: 20)
            bytes[0] = UInt8(first)
            bytes.replaceSubrange(4..<8, with: [0x21, 0x12, 0xa4, 0x42])
            let expected: Demux =
                switch first {
                case 0...3: .stun
                case 20...63: .dtls
                case 128...191: .rtp
                default: .unknown
                }
            #expect(Self.classify(bytes) == expected, "\(first)")
        }
    }

    /// RFC 5761 §4: 192 to 223 is RTCP; 35 to 63 are payload types of today's Chrome.
    @Test func tellsRTCPFromRTP() {
        for second in 0...255 {
            let bytes = [0x80, UInt8(second)] + [UInt8](repeating: 0, count: 10)
            #expect(Self.classify(bytes) == ((192...223).contains(second) ? .rtcp : .rtp))
        }
    }

    @Test func dropsWhatIsTooShort() {
        #expect(Self.classify([]) == .unknown)
        #expect(Self.classify([0x80]) == .unknown)
        #expect(Self.classify([0x80] + [UInt8](repeating: 0, count: 10)) == .unknown)
        #expect(Self.classify([0x80, 200] + [UInt8](repeating: 0, count: 5)) == .unknown)
        #expect(Self.classify([22] + [UInt8](repeating: 0, count: 11)) == .unknown)
        #expect(Self.classify([0] + [UInt8](repeating: 0, count: 19)) == .unknown)
        #expect(Self.classify([22] + [UInt8](repeating: 0, count: 65_506)) == .dtls)
    }
}

struct FramingTests {
    static func next(_ bytes: [UInt8], authenticated: Bool) throws -> Range<Int>? {
        var framing = Framing()
        framing.isAuthenticated = authenticated
        return try framing.next(in: bytes.raw)
    }

    @Test func findsAFrameHoweverItIsCut() throws {
        let request = STUNMessageTests.request
        let bytes = [0, UInt8(request.count)] + request + [0, 1]
        for count in 0..<request.count + 2 {
            #expect(try Self.next(Array(bytes.prefix(count)), authenticated: false) == nil)
        }
        let found = try Self.next(bytes, authenticated: false)
        #expect(found == 2..<2 + request.count)
        #expect(Framing.head(0x123)[0] == 1 && Framing.head(0x123)[1] == 0x23)
    }

    /// S10: before a request is authenticated, only a binding request may come, in 2 KiB.
    @Test(arguments: [
        [0, 0], [0, 1], [0xff, 0xff], [0x08, 0x00], [0, 19], [0, 21], [0x16, 0x03, 0x01],
        [0, 20, 0, 3], [0, 20, 1, 1], [0, 20, 0, 1, 0, 0, 0x22], [0, 20, 0, 1, 0, 0, 0x21, 0],
        Array("GET / HTTP/1.1".utf8),
    ])
    func refusesAFirstFrameThatIsNoRequest(bytes: [UInt8]) {
        #expect(throws: ParseError.self) { try Self.next(bytes, authenticated: false) }
    }

    @Test func laterFramesAreFreeAndBounded() throws {
        #expect(try Self.next([0, 0, 9], authenticated: true) == 2..<2)
        #expect(try Self.next([0, 1, 9], authenticated: true) == 2..<3)
        #expect(try Self.next([0x20, 0x00], authenticated: true) == nil)
        #expect(throws: ParseError.self) { try Self.next([0x20, 0x01], authenticated: true) }
        #expect(throws: ParseError.self) { try Self.next([0xff, 0xff], authenticated: true) }
    }

    @Test(
        arguments: [
            ([0x16, 0x03, 0x01, 0x02], FirstBytes.tls), (Array("POST ".utf8), .http),
            ([0x00, 0x58, 0x00, 0x01], .framed), ([0xff, 0x58, 0x00, 0x01], .unknown),
            ([0x16, 0x03], .needMore), ([0x00, 0x58, 0x01, 0x01], .unknown),
        ] as [([UInt8], FirstBytes)])
    func knowsWhoComesToASharedPort(bytes: [UInt8], expected: FirstBytes) {
        let found = FirstBytes(bytes.raw)
        #expect(found == expected)
    }
}
