import Codecs
import Media
import Testing
import Wire

/// Access units: where they begin, what they are, and the frame that is made of them.
struct AccessUnitTests {
    let start = Instant.start

    static func meta(at now: Instant = .start) -> ItemMeta {
        ItemMeta(ticks: 0, arrival: now, length: 0, flags: [])
    }

    /// Splits a stream, builds a frame of each access unit.
    static func frames(of stream: [UInt8], _ codec: NALCodec) -> ([AccessUnitFacts], ItemBatch) {
        var splitter = AccessUnitSplitter(codec)
        var builder = AccessUnitBuilder(codec)
        var batch = ItemBatch()
        var facts: [AccessUnitFacts] = []
        for unit in AnnexBTests.units(stream) {
            if splitter.receive(unit.raw, at: .start) {
                facts.append(builder.finish(meta(), into: &batch))
            }
            builder.add(unit.raw, into: &batch)
        }
        facts.append(builder.finish(meta(), into: &batch))
        return (facts, batch)
    }

    @Test func splitsMultipleSlicesRight() throws {
        let stream = try Vector.bytes("h264-baseline-slices.h264")
        let (facts, batch) = Self.frames(of: stream, .h264)
        #expect(facts.count == 4)
        #expect(batch.count == 4)
        #expect(facts.map { $0.flags.contains(.key) } == [true, false, false, false])
        #expect(facts.allSatisfy { !$0.flags.contains(.discardable) })
        // Two slices in each, behind their lengths; parameter sets are gone.
        var units = LengthPrefixedUnits(batch.bytes(of: 1))
        var types: [UInt8] = []
        while let range = try units.next() {
            types.append(batch.bytes(of: 1).byte(at: range.lowerBound) & 31)
        }
        #expect(types == [1, 1])
    }

    @Test func knowsBFramesAndWhatMayBeDropped() throws {
        let (facts, _) = Self.frames(of: try Vector.bytes("h264-high-bframes.h264"), .h264)
        let b = facts.map { $0.flags.contains(.bidirectional) }
        let leaf = facts.map { $0.flags.contains(.discardable) }
        #expect(b == [false, false, true, true, false, true])
        #expect(leaf == [false, false, false, true, false, true])
    }

    @Test func knowsTheSameInH265() throws {
        let (facts, _) = Self.frames(of: try Vector.bytes("h265-main.h265"), .h265)
        #expect(facts.count == 6)
        #expect(facts[0].flags.contains(.key))
        let leaf = facts.map { $0.flags.contains(.discardable) }
        #expect(leaf == [false, false, false, true, true, true])
        #expect(facts[3].flags.contains(.bidirectional))
    }

    /// Chinese cameras: SPS, PPS and IDR in one unit with start codes between them.
    @Test func opensUnitsInsideAUnit() {
        var builder = AccessUnitBuilder(.h264)
        var batch = ItemBatch()
        let idr: [UInt8] = [0x65, 0x88, 0x84, 1, 2]
        let wrapped = H264Tests.high + [0, 0, 0, 1] + H264Tests.picture + [0, 0, 0, 1] + idr
        builder.add(wrapped.raw, into: &batch)
        let facts = builder.finish(Self.meta(), into: &batch)
        #expect(facts.flags.contains(.key))
        #expect(builder.parameterSets.format?.width == 320)
        #expect(batch.bytes == [0, 0, 0, 5] + idr)
    }

    @Test func takesLengthsAndDropsDelimitersAndFiller() throws {
        var builder = AccessUnitBuilder(.h264)
        var batch = ItemBatch()
        let slice: [UInt8] = [0x41, 0x9a, 7]
        let bytes: [UInt8] = [0, 2, 9, 0xf0, 0, 3] + slice + [0, 3, 12, 0xff, 0x80]
        try builder.add(lengthPrefixed: bytes.raw, lengthSize: 2, into: &batch)
        let facts = builder.finish(Self.meta(), into: &batch)
        #expect(facts.hasPicture && !facts.flags.contains(.key))
        #expect(batch.bytes == [0, 0, 0, 3] + slice)
    }

    /// GB28181: parameter sets in a pack of their own make no frame, but are kept for the next one.
    @Test func makesNoFrameOfParameterSetsAlone() {
        var builder = AccessUnitBuilder(.h264)
        var batch = ItemBatch()
        for set in [H264Tests.high, H264Tests.picture] { builder.add(set.raw, into: &batch) }
        builder.add([6, 1, 1, 0x32, 0x80].raw, into: &batch)
        let facts = builder.finish(Self.meta(), into: &batch)
        #expect(!facts.hasPicture && batch.isEmpty && batch.bytes.isEmpty)
        #expect(builder.parameterSets.isComplete)
    }

    /// Intra refresh: no IDR ever, recovery points instead. They count from the beginning, and
    /// again only when no IDR came for ten seconds.
    @Test func takesARecoveryPointWhereThereIsNoIDR() {
        var builder = AccessUnitBuilder(.h264)
        func finish(_ units: [[UInt8]], at now: Instant) -> Bool {
            var batch = ItemBatch()
            for unit in units { builder.add(unit.raw, into: &batch) }
            let facts = builder.finish(Self.meta(at: now), into: &batch)
            return facts.flags.contains(.key)
        }
        let recovery: [UInt8] = [6, 6, 1, 0x84, 0x80]
        let slice: [UInt8] = [0x41, 0x9a, 7]
        let idr: [UInt8] = [0x65, 0x88, 7]
        #expect(!finish([slice], at: start))
        #expect(finish([recovery, slice], at: start + .seconds(1)))
        #expect(finish([idr], at: start + .seconds(2)))
        #expect(!finish([recovery, slice], at: start + .seconds(3)))
        #expect(finish([recovery, slice], at: start + .seconds(13)))
    }

    /// Parameter sets repeated before each key frame are no change; another set under the same id
    /// is, and another id beside it is too.
    @Test func seesAChangeOfParameterSets() {
        var sets = ParameterSets(.h264)
        sets.note([H264Tests.high, H264Tests.picture])
        #expect(sets.changes == 2)
        let first = sets.format
        sets.note([H264Tests.high, H264Tests.picture])
        #expect(sets.changes == 2 && sets.format == first)
        sets.note([H264Tests.fullHD])
        #expect(sets.changes == 3 && sets.format?.width == 1920)
        sets.note([[0x67, 1]])
        #expect(sets.changes == 3 && sets.refused == 1)
    }

    @Test func cutsEarlyOnSigns() {
        let slice: [UInt8] = [0x41, 0x9a, 7]
        var splitter = AccessUnitSplitter(.h264)
        let early = splitter.receive(.otherTrack)
        let first = splitter.receive(slice.raw, at: start)
        #expect(!early && !first)
        #expect(splitter.deadline == start + .milliseconds(15))
        let before = splitter.expire(at: start + .milliseconds(14))
        let after = splitter.expire(at: start + .milliseconds(15))
        #expect(!before && after)
        #expect(splitter.deadline == nil)
        // Already cut: the next picture does not cut again.
        let next = splitter.receive(slice.raw, at: start)
        let audio = splitter.receive(.otherTrack)
        #expect(!next && audio)
    }

    /// Markers are believed after twenty right ones, and not after one that split a picture.
    @Test func believesMarkersThatProvedRight() {
        let first: [UInt8] = [0x41, 0x9a, 7]
        let second: [UInt8] = [0x41, 0x03, 7]
        var splitter = AccessUnitSplitter(.h264)
        for picture in 0..<21 {
            _ = splitter.receive(first.raw, at: start)
            let cut = splitter.receive(.marker)
            #expect(cut == (picture >= 20))
        }
        #expect(splitter.trustsMarkers)
        // The slice after a trusted marker goes on with the picture: trust is gone.
        _ = splitter.receive(second.raw, at: start)
        #expect(!splitter.trustsMarkers)
        let cut = splitter.receive(.marker)
        #expect(!cut)
    }

    @Test(arguments: Damage.seeds)
    func survivesADamagedStream(seed: UInt64) throws {
        for (name, codec) in [
            ("h264-high-bframes.h264", NALCodec.h264), ("h265-main.h265", .h265),
        ] {
            let stream = Array(try Vector.bytes(name).prefix(3000))
            var count = 0
            Damage.of(stream, seed: seed) { bytes in
                count += 1
                guard count % 10 == 0 else { return }
                let (_, batch) = Self.frames(of: bytes, codec)
                for index in 0..<batch.count {
                    var units = LengthPrefixedUnits(batch.bytes(of: index))
                    var count = 0
                    do throws(ParseError) { while try units.next() != nil { count += 1 } } catch {
                        Issue.record("a frame of ours is broken: \(error)")
                    }
                    #expect(count > 0)
                }
            }
        }
    }
}
