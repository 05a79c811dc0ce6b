import Codecs
import Media
import Testing
import Wire

struct H265Tests {
    /// What libx265 writes: 320x180 Main with B-frames, 1920x1080 Main 10.
    static let video = Hex.decode("40010c01ffff0160000003009000000300000300" + "3c959809") ?? []
    static let main =
        Hex.decode(
            "420101016000000300900000030000" + "03003ca00a080b9f79656692" + "4caf01680800000300"
                + "08000003" + "00c840") ?? []
    static let main10 =
        Hex.decode(
            "420101022000000300900000030000" + "030078a003c0801107cad965654a4c2f016808000003"
                + "0008000003" + "00f040") ?? []
    static let picture = Hex.decode("4401c172b46240") ?? []

    @Test func readsWhatX265Writes() throws {
        let set = try H265SequenceParameterSet(Self.main.raw)
        #expect(set.profile.profile == 1)
        #expect(set.profile.level == 60)
        #expect(set.profile.compatibility == 0x6000_0000)
        #expect(set.profile.constraints == 0x9000_0000_0000)
        #expect(set.width == 320)
        #expect(set.height == 180)
        #expect(set.reordering == .present)
        #expect(set.usability?.frameRate?.perSecond == 25)
        #expect(try H265PictureParameterSet(Self.picture.raw).extraSliceHeaderBits == 0)
        #expect(try H265VideoParameterSet(Self.video.raw).subLayers == 1)
    }

    @Test func readsTenBitsAndTheWindow() throws {
        let set = try H265SequenceParameterSet(Self.main10.raw)
        #expect(set.profile.profile == 2)
        #expect(set.bitDepthLuma == 10)
        #expect(set.bitDepthChroma == 10)
        #expect(set.width == 1920)
        #expect(set.height == 1080)
        #expect(set.usability?.frameRate?.perSecond == 30)
    }

    @Test func refusesTruncationBeforeTheSizeAndToleratesItAfter() {
        for count in 0..<Self.main10.count {
            let set = try? H265SequenceParameterSet(Array(Self.main10.prefix(count)).raw)
            if count < 24 { #expect(set == nil, "cut to \(count)") }
            if let set { #expect(set.width == 1920 && set.height == 1080) }
        }
    }

    @Test(arguments: Damage.seeds)
    func survivesDamage(seed: UInt64) {
        for original in [Self.main, Self.main10] {
            Damage.of(original, seed: seed) { bytes in
                guard let set = try? H265SequenceParameterSet(bytes.raw) else { return }
                #expect((1...16384).contains(set.width) && (1...16384).contains(set.height))
            }
        }
    }

    @Test func writesAndReadsItsRecord() throws {
        var record: [UInt8] = []
        HEVCConfiguration(
            videoSets: [Self.video], sequenceSets: [Self.main], pictureSets: [Self.picture]
        ).write(into: &record)
        #expect(record.prefix(13) == [1, 1, 0x60, 0, 0, 0, 0x90, 0, 0, 0, 0, 0, 60])
        #expect(record[21] == 0x0f && record[22] == 3)
        let read = try HEVCConfiguration(record.raw)
        #expect(read.videoSets == [Self.video])
        #expect(read.sequenceSets == [Self.main])
        #expect(read.pictureSets == [Self.picture])
        let format = try #require(Format(read))
        #expect(format.width == 320 && format.mayHaveBFrames)
        #expect(format.parameterSets == [Self.video, Self.main, Self.picture])
        #expect(format.hevcConfiguration == read)
        for count in 0..<record.count {
            let cut = Array(record.prefix(count))
            #expect(throws: ParseError.self, "cut to \(count)") { try HEVCConfiguration(cut.raw) }
        }
    }

    /// RTSP: H.265 parameters are usable only if all three kinds are there.
    @Test func needsAllThreeKinds() {
        var sets = ParameterSets(.h265)
        sets.note([Self.main, Self.picture])
        #expect(!sets.isComplete && sets.format == nil)
        sets.note([Self.video])
        #expect(sets.format?.width == 320)
    }

    @Test(arguments: Damage.seeds)
    func survivesADamagedRecord(seed: UInt64) {
        var record: [UInt8] = []
        HEVCConfiguration(
            videoSets: [Self.video], sequenceSets: [Self.main], pictureSets: [Self.picture]
        ).write(into: &record)
        Damage.of(record, seed: seed) { bytes in
            guard let read = try? HEVCConfiguration(bytes.raw), let format = Format(read) else {
                return
            }
            #expect((1...16384).contains(format.width))
        }
    }
}
