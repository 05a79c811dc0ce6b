import Codecs
import Media
import Testing
import Wire

struct H264Tests {
    /// What libx264 writes, from 320x180 High with B-frames to 1920x1080 (cropped from 1088).
    static let high = Hex.decode("6764000cacd941419f9f011000000300100000030320f1429960") ?? []
    static let baseline = Hex.decode("6742c00cda05067e7c04400000030040000" + "00ca3c50aa8") ?? []
    static let fullHD =
        Hex.decode("6742c028da01e0089f97016a0202028000000300800000" + "1e078c1950") ?? []
    static let interlaced = Hex.decode("6764001eacd940b47b6022000007d20001d4c03e28532c") ?? []
    static let picture = Hex.decode("68eae3cb22c0") ?? []

    @Test func readsWhatX264Writes() throws {
        let set = try H264SequenceParameterSet(Self.high.raw)
        #expect(set.profileLevelID == 0x64000c)
        #expect(set.width == 320)
        #expect(set.height == 180)
        #expect(set.reordering == .present)
        #expect(set.usability?.reorderFrames == 2)
        #expect(set.usability?.frameRate == FrameRate(50, over: 2))
    }

    @Test func cropsAndReadsColour() throws {
        let set = try H264SequenceParameterSet(Self.fullHD.raw)
        #expect(set.width == 1920)
        #expect(set.height == 1080)
        #expect(set.reordering == .none)
        #expect(set.usability?.frameRate?.perSecond == 30)
        #expect(set.usability?.signal.colourPrimaries == 1)
        #expect(set.usability?.signal.matrixCoefficients == 1)
    }

    @Test func countsFieldsTwice() throws {
        let set = try H264SequenceParameterSet(Self.interlaced.raw)
        #expect(!set.framesOnly)
        #expect(set.width == 720)
        #expect(set.height == 480)
        #expect(set.usability?.frameRate == FrameRate(60000, over: 2002))
    }

    @Test func baselineHasNoBFrames() throws {
        let set = try H264SequenceParameterSet(Self.baseline.raw)
        #expect(set.profile == 66)
        #expect(set.reordering == .none)
    }

    /// The usability part may be broken or missing; what stands before it may not.
    @Test func refusesTruncationBeforeTheSizeAndToleratesItAfter() {
        for count in 0..<Self.high.count {
            let set = try? H264SequenceParameterSet(Array(Self.high.prefix(count)).raw)
            if count < 9 { #expect(set == nil, "cut to \(count)") }
            if let set { #expect(set.width == 320 && set.height == 180) }
        }
    }

    @Test(arguments: Damage.seeds)
    func survivesDamage(seed: UInt64) {
        for original in [Self.high, Self.baseline, Self.fullHD, Self.interlaced] {
            Damage.of(original, seed: seed) { bytes in
                guard let set = try? H264SequenceParameterSet(bytes.raw) else { return }
                #expect((1...16384).contains(set.width) && (1...16384).contains(set.height))
            }
        }
    }

    /// R11: a width of 2^32, a cycle of 255 offsets that are not there, numbers without end.
    @Test func refusesHostileNumbers() {
        let wide: [UInt8] = [0x67, 66, 0, 30, 0xfc, 0x00, 0x00, 0x00, 0x03, 0x00, 0xff, 0xff, 0xff]
        #expect(throws: ParseError.self) { try H264SequenceParameterSet(wide.raw) }
        let endless: [UInt8] = [0x67, 100, 0, 30] + [UInt8](repeating: 0, count: 40)
        #expect(throws: ParseError.self) { try H264SequenceParameterSet(endless.raw) }
        // pic_order_cnt_type 1 with num_ref_frames_in_pic_order_cnt_cycle 255 and nothing after it.
        let cycle: [UInt8] = [0x67, 66, 0, 30, 0b1101_0111, 0b0000_0000, 0b1000_0000, 0b1000_0000]
        #expect(throws: ParseError.self) { try H264SequenceParameterSet(cycle.raw) }
        let large = [0x67] + [UInt8](repeating: 0xff, count: 5000)
        #expect(throws: ParseError.tooMuch("parameter set bytes", limit: 4096)) {
            try H264SequenceParameterSet(large.raw)
        }
    }

    @Test func writesAndReadsItsRecord() throws {
        var record: [UInt8] = []
        AVCConfiguration(sequenceSets: [Self.high], pictureSets: [Self.picture])
            .write(into: &record)
        #expect(record.prefix(8) == [1, 0x64, 0, 0x0c, 0xff, 0xe1, 0, 26])
        #expect(record.suffix(4) == [0xfd, 0xf8, 0xf8, 0])
        let read = try AVCConfiguration(record.raw)
        #expect(read.sequenceSets == [Self.high])
        #expect(read.pictureSets == [Self.picture])
        #expect(read.lengthSize == 4)
        let format = try #require(Format(read))
        #expect(format.width == 320 && format.height == 180)
        #expect(format.profile == 0x64000c && format.mayHaveBFrames)
        #expect(format.avcConfiguration == read)
        for count in 0..<record.count - 4 {
            let cut = Array(record.prefix(count))
            #expect(throws: ParseError.self, "cut to \(count)") { try AVCConfiguration(cut.raw) }
        }
    }

    /// M7: length size 3, 31 sets without data; and the empty record of publishers that send their
    /// sets in-band.
    @Test func boundsItsRecord() throws {
        let three: [UInt8] = [1, 0x64, 0, 0x0c, 0xfe, 0xe0, 0]
        #expect(throws: ParseError.self) { try AVCConfiguration(three.raw) }
        let many: [UInt8] = [1, 0x64, 0, 0x0c, 0xff, 0xff]
        #expect(throws: ParseError.self) { try AVCConfiguration(many.raw) }
        let empty = try AVCConfiguration([1, 0x64, 0, 0x0c, 0xff, 0xe0, 0].raw)
        #expect(Format(empty) == nil)
        let short = try AVCConfiguration([1, 0x64, 0, 0x0c, 0xfc, 0xe0, 0].raw)
        #expect(short.lengthSize == 1)
    }

    @Test(arguments: Damage.seeds)
    func survivesADamagedRecord(seed: UInt64) {
        var record: [UInt8] = []
        AVCConfiguration(sequenceSets: [Self.high], pictureSets: [Self.picture])
            .write(into: &record)
        Damage.of(record, seed: seed) { bytes in
            guard let read = try? AVCConfiguration(bytes.raw), let format = Format(read) else {
                return
            }
            #expect((1...16384).contains(format.width))
        }
    }

    /// Broken padding, start codes inside the base64, both sets in one value, garbage beside them.
    @Test func readsSpropAsCamerasWriteIt() {
        let text = ParameterSetText.write([Self.high, Self.picture])
        #expect(ParameterSetText.read(text) == [Self.high, Self.picture])
        let unpadded = text.split(separator: "=").joined()
        #expect(ParameterSetText.read(unpadded) == [Self.high, Self.picture])
        let joined = [0, 0, 0, 1] + Self.high + [0, 0, 0, 1] + Self.picture
        #expect(ParameterSetText.read(Base64.encode(joined.raw)) == [Self.high, Self.picture])
        #expect(ParameterSetText.read("!!!," + text) == [Self.high, Self.picture])
        #expect(ParameterSetText.read("").isEmpty)
    }
}
