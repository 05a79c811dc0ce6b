import Containers
import Media
import Stream
import Testing
import Wire

@Suite struct FMP4OutletTests {
    private func head(_ sample: FMP4Sample, _ count: Int) -> [UInt8] {
        var out = Outbox()
        out.append(maximum: FMP4Sample.headCount) { window in
            sample.writeHead(count: count, into: &window)
            return FMP4Sample.headCount
        }
        return [UInt8](copying: out.front)
    }

    /// Two ways to write the same boxes must not part.
    @Test(arguments: [true, false])
    func aHeadIsWhatAFragmentOfOneSampleHas(_ isKey: Bool) throws {
        let items = try Items()
        let sample = FMP4Sample(
            track: 1, sequence: 7, time: 1 << 33, duration: 3003, compositionOffset: -3003,
            isSync: isKey)
        let bytes = Items.frame(key: isKey)
        var fragment = FMP4Fragment([FMP4Track(id: 1, items.video.format)])
        let meta = ItemMeta(
            ticks: 0, arrival: .start, length: bytes.count, flags: isKey ? .key : [],
            compositionOffset: -3003)
        fragment.add(bytes.raw, ticks: 1 << 33, duration: 3003, meta, track: 0)
        var whole: [UInt8] = []
        fragment.finish(sequence: 7, into: &whole)
        #expect(head(sample, bytes.count) + bytes == whole)
    }

    @Test func theTypeNamesWhatThereIs() throws {
        let items = try Items()
        var outlet = FMP4Outlet()
        let start = try outlet.begin(items.present)
        #expect(start.type == "video/mp4; codecs=\"avc1.42c00c,mp4a.40.2\"")
        #expect(start.segment[4..<8].elementsEqual("ftyp".utf8))
        var sound = FMP4Outlet()
        let spoken = try sound.begin([items.present[1]])
        #expect(spoken.type == "audio/mp4; codecs=\"mp4a.40.2\"")
    }

    @Test func everyTrackCountsInItsOwnClockFromZero() throws {
        let items = try Items()
        var outlet = FMP4Outlet()
        _ = try outlet.begin(items.present)
        var found: [FMP4Sample] = []
        let show: [(SlotName, Int64, Jump?)] = [
            (.video, 0, .start), (.audio, 0, .start), (.video, 40, nil), (.video, 80, nil),
        ]
        for (index, entry) in show.enumerated() {
            items.show(entry.0, Int64(index), at: entry.1, key: index == 0, jump: entry.2) { item in
                if let sample = outlet.next(item) { found.append(sample) }
            }
        }
        #expect(found.map(\.time) == [0, 0, 3600, 7200])
        #expect(found.map(\.track) == [1, 2, 1, 1])
        #expect(found.map(\.isSync) == [true, true, false, false])
        #expect(found.map(\.sequence) == [1, 2, 3, 4])
        #expect(found.map(\.duration) == [3000, 1024, 3600, 3600], "then as long as the last")
    }

    @Test func aLateTrackIsToldOnlyWhereAPlayerCanOpenAnotherBuffer() throws {
        let items = try Items()
        for mayAdd in [true, false] {
            var outlet = FMP4Outlet()
            _ = try outlet.begin([items.present[0]])
            var start: FMP4Outlet.Start?
            var sample: FMP4Sample?
            try items.show(.audio, 0, at: 0, jump: .start) { item in
                start = try outlet.prepare(item, mayAdd: mayAdd)
                sample = outlet.next(item)
            }
            #expect((start != nil) == mayAdd && (sample != nil) == mayAdd)
            #expect(start.map { $0.type.contains("mp4a") } ?? true)
        }
    }

    @Test func aPublisherThatComesBackUnchangedNeedsNoNewBuffer() throws {
        var items = try Items()
        var outlet = FMP4Outlet()
        _ = try outlet.begin(items.present)
        items.epoch = 2
        try items.show(.video, 0, at: 9000, key: true, jump: .epoch) { item in
            let start = try outlet.prepare(item, mayAdd: true)
            #expect(start == nil)
        }
    }
}
