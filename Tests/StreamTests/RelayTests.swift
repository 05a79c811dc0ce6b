import Media
import Simulation
import Stream
import Testing
import Wire

/// A stream at its home, and the same stream at another worker.
struct RelayTests {
    /// The home, the ring between the workers, and the other side.
    struct Pair {
        var home = Scene()
        var far: RelayedStream
        var writers: [UInt32: RelayWriter] = [:]
        var ring: [[UInt8]] = []
        var ringBytes = 0
        var ringMaximum: Int
        var orders = Orders()
        var letters: [RelayUp] = []
        /// Every record that went through, by kind.
        var items = 0

        init(ring: Int = 1 << 20) {
            ringMaximum = ring
            far = RelayedStream(
                StreamSnapshot(name: "live/cam1"), memory: plenty, numbers: 16..<32)
        }

        mutating func tell() {
            far.update(home.stream.snapshot(at: home.now), into: &orders)
            orders.clear()
        }

        mutating func open(_ codec: Codec = .h264, _ form: Form = .packets) throws -> Rendition {
            tell()
            let want = Subscription.Want(slot: .video, codecs: [codec], form: form)
            guard let rendition = far.open(want, at: home.now, into: &orders) else {
                throw Scene.NothingToOpen()
            }
            post()
            return rendition
        }

        /// What the far worker ordered goes to the home as letters.
        mutating func post() {
            for case .toHome(let up) in orders.list { receive(up) }
            orders.clear()
        }

        mutating func receive(_ up: RelayUp) {
            letters.append(up)
            switch up {
            case .open(let relay, _, let key):
                guard let rendition = home.stream.open(key, at: home.now, into: &home.orders)
                else { return }
                writers[relay] = RelayWriter(relay: relay, of: rendition)
            case .key(let relay, let id):
                guard let writer = writers[relay] else { return }
                home.stream.requestKey(
                    id, of: writer.rendition, at: home.now, into: &home.orders)
            case .refill(let relay, let id, let from, let to):
                writers[relay]?.refill(id, from: from, to: to)
            case .demand(let relay, let bits, let highest):
                guard let writer = writers[relay] else { return }
                home.stream.setDemand(
                    Demand(bits: bits, highestLayer: highest), of: writer.rendition,
                    by: UInt64(relay), at: home.now, into: &home.orders)
            case .close(let relay):
                guard let writer = writers.removeValue(forKey: relay) else { return }
                home.stream.setDemand(
                    nil, of: writer.rendition, by: UInt64(relay), at: home.now,
                    into: &home.orders)
                home.stream.close(
                    writer.rendition, ReaderFigures(), at: home.now, into: &home.orders)
            }
        }

        /// The home's turn: into the ring, as far as there is room.
        mutating func write() {
            for relay in writers.keys.sorted() {
                _ = writers[relay]?.write { header, body in
                    let size = header.byteCount + body.byteCount
                    guard ringBytes + size <= ringMaximum else { return false }
                    var record = [UInt8](copying: header)
                    record.append(copying: body)
                    ring.append(record)
                    ringBytes += size
                    return true
                }
            }
        }

        /// The other worker's turn.
        mutating func read(_ count: Int = .max) throws {
            for _ in 0..<min(count, ring.count) {
                let record = ring.removeFirst()
                ringBytes -= record.count
                items += record[4] == 3 ? 1 : 0
                try far.receive(record.raw, at: home.now)
            }
            far.expire(at: home.now, into: &orders)
            post()
        }

        mutating func turn() throws {
            write()
            try read()
        }
    }

    @Test func theOtherSideHasTheSameItemsUnderTheSameIndexes() throws {
        var pair = Pair()
        try pair.home.publish([h264(.video, .packets)], nack: true)
        pair.home.packet(sequence: 70_000, key: true)
        pair.home.packet(sequence: 70_001)
        let far = try pair.open()
        try pair.turn()
        let history = try #require(far.encodings.first).history
        #expect(history.start == 70_000)
        #expect(history.lastKey == 70_000)
        #expect(bytes(history, 70_001) == payload(70_001, 200, key: false))
        pair.home.packet(sequence: 70_002)
        try pair.turn()
        #expect(history.end == 70_003)
        #expect(far.encodings[0].format == h264().format)
    }

    @Test func aLatePacketReachesTheOtherSideAsARepair() throws {
        var pair = Pair()
        try pair.home.publish([h264(.video, .packets)], nack: true)
        pair.home.packet(sequence: 10, key: true)
        let far = try pair.open()
        pair.home.packet(sequence: 13)
        try pair.turn()
        let history = try #require(far.encodings.first).history
        #expect(history.contains(13))
        #expect(!history.contains(11))
        pair.home.packet(sequence: 11)
        try pair.turn()
        #expect(history.contains(11))
        #expect(history.repairCount == 1)
    }

    /// A hole is asked for once, after 5 ms; what the home has not got either is gone.
    @Test func aHoleIsAskedForOnce() throws {
        var pair = Pair()
        try pair.home.publish([h264(.video, .packets)], nack: true)
        pair.home.packet(sequence: 10, key: true)
        let far = try pair.open()
        pair.home.packet(sequence: 14)
        try pair.turn()
        pair.home.pass(4)
        try pair.turn()
        #expect(!pair.letters.contains { if case .refill = $0 { true } else { false } })
        pair.home.pass(1)
        for _ in 0..<20 {
            try pair.turn()
            pair.home.pass(5)
        }
        let asked = pair.letters.filter { if case .refill = $0 { true } else { false } }
        let id = EncodingID(epoch: 1, layer: 0)
        #expect(asked == [.refill(relay: 16, id, from: 11, to: 14)])
        #expect(far.encodings.first?.history.contains(12) == false)
    }

    @Test func keyRequestsOfTheOtherSideAreJoinedAtHome() throws {
        var pair = Pair()
        try pair.home.publish([h264(.video, .packets)])
        pair.home.packet(sequence: 1, key: true)
        let far = try pair.open()
        try pair.turn()
        let id = try #require(far.encodings.first).id
        pair.home.stream.requestKey(
            id, of: try #require(pair.writers[16]).rendition, at: pair.home.now,
            into: &pair.home.orders)
        for _ in 0..<10 {
            pair.far.requestKey(id, of: far, at: pair.home.now, into: &pair.orders)
            pair.post()
        }
        let keys = pair.home.takeOrders().filter { $0 == .keyFrame(1, .video, layer: 0) }
        #expect(keys.count == 1)
    }

    @Test func aNewEpochIsTheNextRunThereToo() throws {
        var pair = Pair()
        try pair.home.publish([h264()])
        pair.home.frame(0, key: true)
        let far = try pair.open(.h264, .frames)
        try pair.turn()
        var cursor = Cursor(.connection, liveFrom: pair.home.now)
        #expect(cursor.drain(far, at: pair.home.now) == [1])
        pair.home.pass(50)
        try pair.home.publish([h264()])
        pair.home.frame(0, key: true)
        try pair.turn()
        try pair.turn()
        #expect(cursor.peek(far, at: pair.home.now) == .jump(1, .epoch))
        #expect(cursor.encoding?.id.epoch == 2)
    }

    @Test func itIsClosedTwentySecondsAfterTheLastReaderThere() throws {
        var pair = Pair()
        try pair.home.publish([h264()])
        pair.home.frame(0, key: true)
        let far = try pair.open(.h264, .frames)
        try pair.turn()
        #expect(pair.home.stream.readerCount == 1)
        pair.far.close(far, ReaderFigures(), at: pair.home.now, into: &pair.orders)
        pair.home.pass(20_000)
        try pair.turn()
        #expect(pair.letters.last == .close(relay: 16))
        #expect(pair.far.isFree)
        #expect(pair.home.stream.readerCount == 0)
    }

    /// A large key frame in pieces, through a ring that is full most of the time.
    @Test func largeItemsGoInPieces() throws {
        var pair = Pair(ring: 70_000)
        try pair.home.publish([h264()])
        pair.home.frame(0, key: true, size: 500_000)
        let far = try pair.open(.h264, .frames)
        for _ in 0..<12 { try pair.turn() }
        let history = try #require(far.encodings.first).history
        #expect(bytes(history, 1) == nal(0, 500_000, key: true))
    }

    /// Slow, full and irregular rings: what arrives is right, and the head is reached in the end.
    @Test(arguments: 0..<200 as Range<UInt64>)
    func neverWritesWhatIsNotThere(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        var pair = Pair(ring: 4_000 + Int(random.next() % 60_000))
        try pair.home.publish([h264(.video, .packets)], nack: true)
        pair.home.packet(sequence: 1, key: true)
        let far = try pair.open()
        var sequence: Int64 = 2
        var late: [Int64] = []
        for _ in 0..<250 {
            pair.home.pass(Int64(random.next() % 20))
            for _ in 0..<random.next() % 4 {
                if random.next() % 25 == 0 {
                    if random.next() % 2 == 0 { late.append(sequence) }
                } else {
                    let isKey = random.next() % 40 == 0
                    pair.home.packet(
                        sequence: sequence, key: isKey, size: isKey ? 3_000 : 700)
                }
                sequence += 1
            }
            if let index = late.first, random.next() % 3 == 0 {
                late.removeFirst()
                pair.home.packet(sequence: index, size: 700)
            }
            if random.next() % 3 != 0 { pair.write() }
            if random.next() % 4 != 0 { try pair.read(Int(random.next() % 6)) }
        }
        for _ in 0..<400 where !pair.ring.isEmpty || !isLevel(pair, far) {
            pair.home.pass(5)
            try pair.turn()
        }
        try check(pair, far)
    }

    private func isLevel(_ pair: Pair, _ far: Rendition) -> Bool {
        let home = pair.writers[16]?.rendition.encodings.first?.history
        return home?.end == far.encodings.first?.history.end
    }

    /// Everything the home still has and the other side did not jump over is the same there.
    private func check(_ pair: Pair, _ far: Rendition) throws {
        let home = try #require(pair.writers[16]?.rendition.encodings.first).history
        let there = try #require(far.encodings.first).history
        #expect(home.end == there.end)
        let from = max(home.start, there.start)
        let missing = (from..<home.end).filter { home.contains($0) && !there.contains($0) }
        let invented = (from..<home.end).filter { !home.contains($0) && there.contains($0) }
        let wrong = (from..<home.end).filter {
            home.contains($0) && there.contains($0) && bytes(home, $0) != bytes(there, $0)
        }
        #expect(missing == [])
        #expect(invented == [])
        #expect(wrong == [])
    }

    @Test func recordsThatAreCutOrDamagedAreRefusedAndNothingElse() throws {
        var pair = Pair()
        try pair.home.publish([h264()])
        pair.home.frame(0, key: true)
        _ = try pair.open(.h264, .frames)
        pair.write()
        let records = pair.ring
        #expect(records.count == 2)
        for record in records {
            for count in 0..<record.count where record[4] != 3 || count < 53 {
                let cut = Array(record.prefix(count))
                #expect(throws: ParseError.self, "cut to \(count)") {
                    try pair.far.receive(cut.raw, at: .start)
                }
            }
        }
        var random = SplitMix64(seed: 3)
        for _ in 0..<4_000 {
            var record = records[Int(random.next() % 2)]
            for _ in 0..<3 { record[Int(random.next() % 64)] = UInt8(random.next() & 0xff) }
            try? pair.far.receive(record.raw, at: .start)
        }
    }
}
