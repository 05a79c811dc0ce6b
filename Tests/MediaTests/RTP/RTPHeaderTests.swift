import RTP
import Testing
import Wire

struct RTPHeaderTests {
    /// Made by hand after RFC 3550 and RFC 8285; captures from real clients live in Tests/Vectors.
    let captured: [UInt8] = [
        0x90, 0xe0, 0x12, 0x34, 0x00, 0x00, 0x10, 0x00, 0xca, 0xfe, 0xba, 0xbe,  // Fixed part.
        0xbe, 0xde, 0x00, 0x01, 0x22, 0x01, 0x02, 0x03,  // One extension word.
        0x90, 0x80, 0x00,  // Payload.
    ]

    @Test func readsAPacketWithAnExtension() throws {
        let header = try RTPHeader(captured.raw)
        #expect(header.marker)
        #expect(header.payloadType == 96)
        #expect(header.sequence == 0x1234)
        #expect(header.ssrc == 0xcafe_babe)
        #expect(header.payload == 20..<23)
    }

    /// Whatever is cut off, and wherever: an error, never a trap, never a wrong range.
    @Test func refusesEveryTruncation() {
        for count in 0..<20 {
            let cut = Array(captured.prefix(count))
            #expect(throws: ParseError.self, "cut to \(count) bytes") { try RTPHeader(cut.raw) }
        }
    }

    /// A thousand damaged packets: the parser may refuse, but a range it gives must lie inside.
    @Test(arguments: 0..<8 as Range<UInt64>)
    func survivesDamage(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        for _ in 0..<1000 {
            var damaged = captured
            for _ in 0..<3 {
                damaged[Int.random(in: damaged.indices, using: &random)] =
                    UInt8.random(in: 0...255, using: &random)
            }
            guard let header = try? RTPHeader(damaged.raw) else { continue }
            #expect(header.payload.lowerBound >= 12)
            #expect(header.payload.upperBound <= damaged.count)
        }
    }

    @Test func explainsARefusal() {
        let http = Array("GET / HTTP/1.1\r\n".utf8)
        #expect(throws: ParseError.invalid("RTP version", value: 1, at: 0)) {
            try RTPHeader(http.raw)
        }
    }
}
