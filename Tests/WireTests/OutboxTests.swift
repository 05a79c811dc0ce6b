import Testing
import Wire

struct OutboxTests {
    /// What a write of at most `count` bytes would put on the wire.
    private func write(_ count: Int, from outbox: inout Outbox) -> [UInt8] {
        var bytes: [UInt8] = []
        _ = unsafe outbox.withSlices { slices in
            unsafe slices.forEach { slice in
                unsafe bytes += UnsafeRawBufferPointer(start: slice.bytes, count: slice.count)
            }
            return slices.count
        }
        outbox.advance(min(count, bytes.count))
        return Array(bytes.prefix(count))
    }

    @Test func ownBytesLieTogetherAndChunksAreNotCopied() {
        var outbox = Outbox()
        let chunk = Chunk([10, 11, 12, 13])
        outbox.append([1, 2])
        outbox.append("ab")
        outbox.append(chunk, 1..<3)
        outbox.append([3].raw)
        var sizes: [Int] = []
        _ = unsafe outbox.withSlices { slices in
            unsafe sizes = slices.map(\.count)
            return slices.count
        }
        #expect(sizes == [4, 2, 1])
        #expect(write(100, from: &outbox) == [1, 2, 97, 98, 11, 12, 3])
        let isEmpty = outbox.isEmpty
        #expect(isEmpty)
    }

    @Test func aChunkIsGivenBackAsSoonAsItIsWritten() {
        var outbox = Outbox()
        var chunk: Chunk? = Chunk([1, 2, 3])
        weak let held = chunk
        if let chunk { outbox.append(chunk) }
        outbox.append([4])
        chunk = nil
        #expect(held != nil)
        outbox.advance(3)
        #expect(held == nil)
        #expect(write(9, from: &outbox) == [4])
    }

    /// Any mix, cut anywhere: the peer sees the same bytes.
    @Test(arguments: 0..<8 as Range<UInt64>)
    func partialWritesLoseNothing(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var outbox = Outbox(limit: 10_000_000)
        var expected: [UInt8] = []
        var written: [UInt8] = []
        for _ in 0..<2000 {
            let bytes = (0..<Int.random(in: 0...90, using: &random)).map { _ in
                UInt8.random(in: 0...255, using: &random)
            }
            if Bool.random(using: &random) {
                outbox.append(bytes)
            } else {
                outbox.append(Chunk([0] + bytes), 1..<bytes.count + 1)
            }
            expected += bytes
            let waiting = outbox.byteCount
            #expect(waiting == expected.count - written.count)
            written += write(Int.random(in: 0...100, using: &random), from: &outbox)
        }
        while case let rest = write(1000, from: &outbox), !rest.isEmpty { written += rest }
        #expect(written == expected)
    }

    @Test func theFrontIsTheFirstPiece() {
        var outbox = Outbox()
        outbox.append([1, 2, 3])
        outbox.append(Chunk([4, 5]))
        outbox.advance(1)
        let own = [UInt8](copying: outbox.front)
        outbox.advance(3)
        let chunk = [UInt8](copying: outbox.front)
        outbox.advance(1)
        let nothing = outbox.front.byteCount
        #expect(own == [2, 3])
        #expect(chunk == [5])
        #expect(nothing == 0)
    }

    @Test func beyondTheLimitNothingMoreIsTaken() {
        var outbox = Outbox(limit: 4)
        outbox.append([1, 2, 3])
        outbox.append([4, 5])
        outbox.append([6])
        let state = (outbox.isOverflowing, outbox.byteCount)
        #expect(state == (true, 3), "not even what would fit: half a message is none")
        #expect(write(9, from: &outbox) == [1, 2, 3])
    }

    @Test func aMessageIsWrittenInPlace() {
        var outbox = Outbox()
        outbox.append([1])
        outbox.append(maximum: 10) { window in
            window.storeBytes(of: 7, toByteOffset: 0, as: UInt8.self)
            return 2
        }
        outbox.append([2])
        let count = outbox.byteCount
        #expect(count == 4)
        #expect(write(9, from: &outbox) == [1, 7, 0, 2])
    }

    @Test func manyPiecesGoInSeveralWrites() {
        var outbox = Outbox()
        for byte in 0..<UInt8(200) { outbox.append(Chunk([byte])) }
        let first = write(1000, from: &outbox)
        #expect(first.count == Outbox.slicesMaximum)
        var all = first
        while case let rest = write(1000, from: &outbox), !rest.isEmpty { all += rest }
        #expect(all == Array(0..<200))
    }
}
