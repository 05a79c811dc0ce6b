import Containers
import Media
import Stream
import Testing
import Wire

/// One transport stream for many viewers.
@Suite struct TSFeedTests {
    /// What a viewer has received, and what its receiver would complain about.
    private struct Viewer {
        var place = TSFeed.Place()
        var bytes: [UInt8] = []
        var chunks = 0
        private var last: [Int: UInt8] = [:]
        private(set) var gaps = 0

        mutating func take(_ item: borrowing ReadItem, _ feed: TSFeed) {
            var splice: [UInt8] = []
            guard let packets = feed.packets(item, for: &place, splice: &splice) else { return }
            read(splice)
            switch packets {
            case .own(let own): read(own)
            case .shared(let chunk):
                chunks += 1
                read(chunk.bytes)
            }
        }

        private mutating func read(_ more: [UInt8]) {
            bytes += more
            for start in stride(from: 0, to: more.count, by: 188) {
                let pid = Int(more[start + 1] & 31) << 8 | Int(more[start + 2])
                let number = more[start + 3] & 15
                let hasPayload = more[start + 3] & 0x10 != 0
                let hasField = more[start + 3] & 0x20 != 0 && more[start + 4] > 0
                let isMarked = hasField && more[start + 5] & 0x80 != 0
                if let before = last[pid], !isMarked, hasPayload, (before + 1) & 15 != number {
                    gaps += 1
                }
                last[pid] = number
            }
        }

        /// What the tables and units are in.
        var identifiers: Set<Int> { Set(last.keys) }
    }

    private func run(
        _ items: Items, _ feed: TSFeed, _ range: Range<Int64>, to viewers: inout [Viewer],
        first: Bool = false
    ) {
        for index in range {
            let isKey = index % 10 == 0
            items.show(
                .video, index, at: index * 40, key: isKey, jump: first ? .start : nil
            ) { item in for place in viewers.indices { viewers[place].take(item, feed) } }
            items.show(.audio, index, at: index * 40 + 5) { item in
                for place in viewers.indices { viewers[place].take(item, feed) }
            }
        }
    }

    @Test func everyItemIsCutOnceForAll() throws {
        let items = try Items()
        let feed = TSFeed()
        feed.note(items.present)
        var viewers = [Viewer(), Viewer(), Viewer()]
        run(items, feed, 0..<40, to: &viewers, first: true)
        #expect(viewers.allSatisfy { $0.chunks == 80 && $0.gaps == 0 })
        #expect(viewers[0].bytes == viewers[1].bytes)
        #expect(viewers[0].identifiers == [0, 0x1000, 0x100, 0x101])
    }

    /// A newcomer begins with what lies far behind, then joins the others.
    @Test func aNewcomerIsLedOverToTheOthers() throws {
        let items = try Items()
        let feed = TSFeed()
        feed.note(items.present)
        var viewers = [Viewer()]
        run(items, feed, 0..<59, to: &viewers)
        var newcomer = [Viewer()]
        run(items, feed, 30..<59, to: &newcomer)
        #expect(newcomer[0].chunks < 58, "the cached ones were cut for it alone")
        #expect(newcomer[0].bytes[0] == 0x47 && newcomer[0].bytes[2] == 0, "tables come first")
        viewers += newcomer
        run(items, feed, 59..<90, to: &viewers)
        #expect(viewers.allSatisfy { $0.gaps == 0 })
        #expect(viewers[1].chunks >= 62)
    }

    /// A slow one jumps to a key frame: its receiver is told that numbers do not follow.
    @Test func whoLeavesOutItemsIsTold() throws {
        let items = try Items()
        let feed = TSFeed()
        var viewers = [Viewer()]
        run(items, feed, 0..<10, to: &viewers)
        var slow = viewers
        run(items, feed, 10..<33, to: &viewers)
        viewers += slow
        slow = []
        run(items, feed, 40..<60, to: &viewers)
        #expect(viewers.allSatisfy { $0.gaps == 0 })
    }

    @Test func soundAloneIsAStream() throws {
        let items = try Items()
        let feed = TSFeed()
        feed.note([items.present[1]])
        var viewer = Viewer()
        for index in 0..<20 {
            items.show(.audio, Int64(index), at: Int64(index) * 21) { viewer.take($0, feed) }
        }
        #expect(viewer.identifiers == [0, 0x1000, 0x100] && viewer.gaps == 0)
    }
}
