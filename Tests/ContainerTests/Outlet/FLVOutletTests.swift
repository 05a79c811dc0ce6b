import Containers
import Media
import Stream
import Testing
import Wire

/// What one viewer of FLV or RTMP is sent before each frame.
@Suite struct FLVOutletTests {
    private func stamps(
        _ outlet: inout FLVOutlet, _ items: Items, _ show: [(SlotName, Int64, Jump?)]
    ) -> [UInt32] {
        var found: [UInt32] = []
        for (index, entry) in show.enumerated() {
            items.show(entry.0, Int64(index), at: entry.1, key: true, jump: entry.2) { item in
                if let piece = outlet.next(item) { found.append(piece.stamp) }
            }
        }
        return found
    }

    @Test func timeBeginsAtZeroForEveryViewer() throws {
        let items = try Items()
        var outlet = FLVOutlet(.enhanced)
        let found = stamps(
            &outlet, items,
            [(.video, 700, .start), (.audio, 710, .start), (.video, 740, nil), (.audio, 731, nil)])
        #expect(found == [0, 10, 40, 31])
    }

    /// Two frames of one time would be refused by players, and times that go back.
    @Test func timesOfATrackNeverStandStill() throws {
        let items = try Items()
        var outlet = FLVOutlet(.enhanced)
        let found = stamps(
            &outlet, items,
            [(.video, 0, .start), (.video, 0, nil), (.video, 0, nil), (.video, 40, nil)])
        #expect(found == [0, 1, 2, 40])
    }

    @Test func theConfigurationIsSaidOnceAndAgainForAnotherPublisher() throws {
        var items = try Items()
        var outlet = FLVOutlet(.enhanced)
        outlet.note(items.present)
        func configuration(_ index: Int64, _ jump: Jump?) -> [UInt8]? {
            var found: [UInt8]?
            items.show(.video, index, at: index * 40, key: true, jump: jump) { item in
                found = outlet.next(item)?.configuration
            }
            return found
        }
        #expect(configuration(0, .start) == nil, "it was in the head")
        #expect(configuration(1, nil) == nil)
        items.epoch = 2
        let again = configuration(2, .epoch)
        #expect(again?.first == 0x17, "a key frame of H.264, its configuration")
        #expect(configuration(3, nil) == nil)
    }

    /// 4.66 hours fill 24 bits; 49.7 days fill 32. An hour across each.
    @Test(arguments: [Int64(1) << 24, Int64(1) << 32])
    func anHourAcrossTheWrapLosesNothing(_ wrap: Int64) throws {
        let items = try Items()
        var outlet = FLVOutlet(.enhanced)
        let begin = wrap - 1_800_000
        _ = stamps(&outlet, items, [(.video, 0, .start)])
        var last = UInt32(truncatingIfNeeded: begin - 40)
        var frame = begin
        while frame < begin + 3_600_000 {
            var stamp: UInt32?
            items.show(.video, frame / 40, at: frame) { stamp = outlet.next($0)?.stamp }
            #expect(stamp == UInt32(truncatingIfNeeded: frame))
            #expect(stamp.map { $0 &- last } == 40)
            last = stamp ?? last
            frame += 40
        }
    }

    @Test func presentationLiesBehindDecodingInMilliseconds() throws {
        let items = try Items()
        var outlet = FLVOutlet(.enhanced)
        var prefix: [UInt8] = []
        items.show(.video, 0, at: 0, key: true, offset: 7200, jump: .start) { item in
            guard let piece = outlet.next(item) else { return }
            prefix = (0..<piece.prefix.count).map { piece.prefix.bytes[$0] }
        }
        #expect(prefix == [0x17, 1, 0, 0, 80])
    }
}
