import Codecs
import Testing
import Wire

struct FrameStampTests {
    @Test(arguments: [0, 1_700_000_000_123_456_789, Int64.max])
    func aStampIsFoundWhereverThePacketBegins(time: Int64) {
        let stamp = FrameStamp(time: time, number: 0xdead_beef)
        for lead in [0, 1, 30, 200] {
            let packet = [UInt8](repeating: 0x67, count: lead) + stamp.unit + [1, 2, 3]
            #expect(FrameStamp.find(in: packet.raw) == stamp)
        }
        #expect(FrameStamp.find(in: ([UInt8](repeating: 0, count: 400) + stamp.unit).raw) == nil)
    }

    /// So that no container and no server has to change it.
    @Test func itNeedsNoEmulationPrevention() {
        let unit = FrameStamp(time: 0, number: 0).unit
        for index in 2..<unit.count {
            #expect(!(unit[index - 2] == 0 && unit[index - 1] == 0 && unit[index] < 4))
        }
        #expect(unit[0] & 31 == 6 && Int(unit[2]) == unit.count - 4)
    }

    @Test func everyTruncationAndDamageIsSurvived() {
        let unit = FrameStamp(time: 1 << 40, number: 7).unit
        for count in 0..<unit.count - 1 {
            #expect(FrameStamp.find(in: Array(unit[..<count]).raw) == nil)
        }
        for index in unit.indices.dropFirst(3).dropLast() {
            var damaged = unit
            damaged[index] ^= 0x80
            #expect(FrameStamp.find(in: damaged.raw) == nil)
        }
    }
}
