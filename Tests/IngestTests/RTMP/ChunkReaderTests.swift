import Containers
import RTMP
import Testing
import Wire

/// Chunks as peers write them, brief 2, pitfall by pitfall.
struct ChunkReaderTests {
    struct Message: Equatable {
        var kind: RTMPKind?
        var stream: UInt32
        var stamp: UInt32
        var body: [UInt8]
    }

    static func read(
        _ reader: inout ChunkReader, _ bytes: [UInt8]
    ) throws(ParseError) -> (messages: [Message], left: Int) {
        var start = 0
        var messages: [Message] = []
        while let header = try reader.next(bytes.raw, from: &start) {
            messages.append(
                Message(
                    kind: header.kind, stream: header.stream, stamp: header.stamp,
                    body: [UInt8](copying: reader.body)))
            if header.kind == .setChunkSize {
                var number = ByteReader(reader.body)
                try reader.setChunkSize(try number.read(UInt32.self))
            }
        }
        return (messages, bytes.count - start)
    }

    static func messages(_ bytes: [UInt8]) throws -> [Message] {
        var reader = ChunkReader()
        let (messages, left) = try read(&reader, bytes)
        #expect(left == 0)
        return messages
    }

    /// fmt 0.
    static func full(
        _ id: UInt8, _ stamp: UInt32, _ count: Int, kind: UInt8 = 9, stream: UInt8 = 1
    ) -> [UInt8] {
        let field = min(stamp, 0xff_ffff)
        var bytes = [id] + three(field) + three(UInt32(count)) + [kind, stream, 0, 0, 0]
        if stamp >= 0xff_ffff { bytes += four(stamp) }
        return bytes
    }

    static func joined(_ parts: [[UInt8]]) -> [UInt8] { Array(parts.joined()) }

    static func three(_ value: UInt32) -> [UInt8] { Array(four(value)[1...]) }
    static func four(_ value: UInt32) -> [UInt8] {
        [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> UInt32($0)) }
    }

    @Test func streamNumbersHaveOneTwoOrThreeBytes() throws {
        for id: [UInt8] in [[5], [0, 10], [1, 10, 2]] {
            let head = Array(Self.full(0, 7, 1)[1...])
            #expect(try Self.messages(id + head + [42]).first?.body == [42])
        }
    }

    @Test func theFourthFormatAddsTheFieldAgain() throws {
        let bytes =
            Self.full(4, 1000, 1) + [1] + [0x84] + Self.three(40) + [2] + [0xc4] + [3]
            + [0x44] + Self.three(20) + Self.three(2) + [8] + [4, 5]
        #expect(try Self.messages(bytes).map(\.stamp) == [1000, 1040, 1080, 1100])
        // After a full header the field is the time itself, and all servers add that.
        let odd = Self.full(4, 1000, 1) + [1] + [0xc4] + [2]
        #expect(try Self.messages(odd).map(\.stamp) == [1000, 2000])
    }

    @Test func extendedTimesAreRepeatedInEveryChunk() throws {
        let body = (0..<300).map { UInt8(truncatingIfNeeded: $0) }
        var bytes = Self.full(4, 0x0100_0005, 300) + body[..<128]
        bytes += [0xc4] + Self.four(0x0100_0005) + body[128..<256]
        bytes += [0xc4] + Self.four(0x0100_0005) + body[256...]
        let read = try Self.messages(bytes + Self.full(4, 1, 1) + [9])
        #expect(read.map(\.body) == [body, [9]])
        #expect(read[0].stamp == 0x0100_0005)
    }

    @Test func extendedTimesMayBeLeftOutOfLaterChunks() throws {
        let body = (0..<300).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        let bytes =
            Self.full(4, 0x0100_0005, 300) + body[..<128] + [0xc4] + body[128..<256] + [0xc4]
            + body[256...] + Self.full(4, 1, 1) + [9]
        #expect(try Self.messages(bytes).map(\.body) == [body, [9]])
    }

    /// Brief 2: start at 0xFFFFF0, cross the 24 bits.
    @Test func theWrapOf24BitsIsCrossed() throws {
        var bytes: [UInt8] = []
        for step: UInt32 in 0..<4 { bytes += Self.full(4, 0xff_fff0 + step * 10, 1) + [1] }
        let stamps: [UInt32] = [0xff_fff0, 0xff_fffa, 0x100_0004, 0x100_000e]
        #expect(try Self.messages(bytes).map(\.stamp) == stamps)
    }

    @Test func anExtendedDifferenceIsTakenForATimeIfItIsTooLong() throws {
        let base: UInt32 = 0x0200_0000
        let bytes =
            Self.full(4, base, 1) + [1] + [0x84] + Self.three(0xff_ffff) + Self.four(base + 40)
            + [2] + [0xc4] + Self.four(base + 80) + [3]
        #expect(try Self.messages(bytes).map(\.stamp) == [base, base + 40, base + 80])
    }

    @Test func timesWrapAt32Bits() throws {
        let bytes =
            Self.full(4, 0xffff_fff0, 1) + [1] + [0x84] + Self.three(0x20) + [2]
        #expect(try Self.messages(bytes).map(\.stamp) == [0xffff_fff0, 0x10])
    }

    @Test func aStreamMayBeginWithADifference() throws {
        // librtmp's ping.
        let bytes = [0x42] + Self.three(0) + Self.three(6) + [4] + [0, 6, 0, 0, 0, 9]
        #expect(try Self.messages(bytes).first?.kind == .userControl)
    }

    @Test func messagesMayBeInterleaved() throws {
        let video = [UInt8](repeating: 1, count: 200)
        let sound = [UInt8](repeating: 2, count: 150)
        let bytes = Self.joined([
            Self.full(6, 5, 200), Array(video[..<128]), Self.full(4, 5, 150, kind: 8),
            Array(sound[..<128]), [0xc6], Array(video[128...]), [0xc4], Array(sound[128...]),
        ])
        let read = try Self.messages(bytes)
        #expect(read.map(\.kind) == [.video, .audio])
        #expect(read.map(\.body) == [video, sound])
    }

    @Test func theChunkSizeHoldsAtOnceAlsoInsideOfAMessage() throws {
        let video = [UInt8](repeating: 1, count: 400)
        let bytes =
            Self.full(6, 5, 400) + video[..<128] + Self.full(2, 0, 4, kind: 1, stream: 0)
            + Self.four(4096) + [0xc6] + video[128...]
        #expect(try Self.messages(bytes).map(\.kind) == [.setChunkSize, .video])
    }

    @Test func aChunkSizeIsNeverTakenForASmallerOne() throws {
        var reader = ChunkReader()
        try reader.setChunkSize(0x7fff_ffff)
        let body = [UInt8](repeating: 3, count: 100_000)
        #expect(try Self.read(&reader, Self.full(6, 0, body.count) + body).messages.count == 1)
        #expect(throws: ParseError.self) { try reader.setChunkSize(0) }
        #expect(throws: ParseError.self) { try reader.setChunkSize(0x8000_0000) }
    }

    @Test func anAbortedMessageIsForgotten() throws {
        var reader = ChunkReader()
        let video = [UInt8](repeating: 1, count: 200)
        _ = try Self.read(&reader, Self.full(6, 5, 200) + video[..<128])
        reader.abort(6)
        let read = try Self.read(&reader, Self.full(6, 9, 2) + [7, 8])
        #expect(read.messages.map(\.body) == [[7, 8]])
    }

    @Test func boundsHold() throws {
        #expect(throws: ParseError.self) { try Self.messages(Self.full(6, 0, 9 << 20)) }
        var many: [UInt8] = []
        for id in 0..<70 { many += [0, UInt8(id)] + Self.full(0, 0, 0)[1...] }
        #expect(throws: ParseError.self) { try Self.messages(many) }
    }

    @Test func whatIsAnnouncedIsNotReserved() throws {
        var reader = ChunkReader()
        try reader.setChunkSize(0x7fff_ffff)
        let before = reader
        let read = try Self.read(&reader, Self.full(3, 0, 8 << 20) + [1])
        #expect(read.messages.isEmpty)
        #expect(reader.received - before.received == 13, "a header and a byte")
    }

    /// Every cut of a dialogue with everything in it gives the same messages.
    @Test func everyCutGivesTheSame() throws {
        let video = [UInt8](repeating: 1, count: 300)
        let time = Self.four(0x0100_0000)
        let bytes = Self.joined([
            Self.full(6, 0x0100_0000, 300), Array(video[..<128]), [0xc6], time,
            Array(video[128..<256]), Self.full(4, 5, 3, kind: 8), [1, 2, 3], [0xc6], time,
            Array(video[256...]), [0x84], Self.three(1), [4, 5, 6],
        ])
        let whole = try Self.messages(bytes)
        #expect(whole.count == 3)
        for cut in 0...bytes.count {
            var reader = ChunkReader()
            let first = try Self.read(&reader, Array(bytes[..<cut]))
            let rest = try Self.read(&reader, Array(bytes[(cut - first.left)...]))
            #expect(first.messages + rest.messages == whole, "cut at \(cut)")
        }
    }

    @Test func aggregatesAreTimedByTheirFirst() throws {
        func inner(_ kind: UInt8, _ stamp: UInt32, _ body: [UInt8]) -> [UInt8] {
            [kind] + Self.three(UInt32(body.count)) + Self.three(stamp & 0xff_ffff)
                + [UInt8(stamp >> 24)] + [0, 0, 0] + body + Self.four(UInt32(body.count + 11))
        }
        let body = inner(9, 0x0100_0000, [1]) + inner(8, 0x0100_0017, [2, 3])
        var messages = RTMPAggregate(body.raw, stamp: 5000)
        var found: [(UInt32, Range<Int>)] = []
        while let (header, range) = try messages.next() { found.append((header.stamp, range)) }
        #expect(found.map(\.0) == [5000, 5023])
        #expect(found.map { Array(body[$0.1]) } == [[1], [2, 3]])
    }
}

/// What we write, read by what we read.
struct ChunkWriterTests {
    @Test(arguments: [0, 0xff_fffe, 0xff_ffff, 0x0100_0000, 0xffff_ffff] as [UInt32])
    func isReadAgain(stamp: UInt32) throws {
        var out = Outbox()
        var writer = ChunkWriter()
        let body = (0..<150_000).map { UInt8(truncatingIfNeeded: $0 >> 3) }
        writer.write(.video, Array(body[..<200]), stream: 1, stamp: stamp, into: &out)
        writer.announceChunkSize(into: &out)
        writer.write(.video, body, stream: 1, stamp: stamp, into: &out)
        let read = try ChunkReaderTests.messages(bytes(of: &out))
        #expect(read.map(\.body.count) == [200, 4, 150_000])
        #expect(read[2].body == body)
        #expect(read[2].stamp == stamp)
    }
}

/// All that waits in an outbox.
func bytes(of out: inout Outbox) -> [UInt8] {
    var bytes: [UInt8] = []
    while !out.isEmpty {
        let count = out.front.byteCount
        bytes.append(copying: out.front)
        out.advance(count)
    }
    return bytes
}
