import Stream
import Testing
import Wire

struct TimestampUnwrapTests {
    @Test func goesOnAcross32Bits() {
        var unwrap = TimestampUnwrap(.bits32)
        let stamps: [UInt64] = [0xffff_f000, 0xffff_ff00, 0x100, 0xffff_fff0, 0x2000]
        let out = stamps.map { unwrap.unwrap($0) }
        #expect(out == [0xffff_f000, 0xffff_ff00, 0x1_0000_0100, 0xffff_fff0, 0x1_0000_2000])
    }

    @Test func goesOnAcross33Bits() {
        var unwrap = TimestampUnwrap(.bits33)
        let out = [0x1_ffff_f000, 0x100, 0x1_ffff_ff00, 0x1000].map { unwrap.unwrap($0) }
        #expect(out == [0x1_ffff_f000, 0x2_0000_0100, 0x1_ffff_ff00, 0x2_0000_1000])
    }

    /// GB28181 section 17: a camera whose 33-bit field wraps after 32.
    @Test func goesOnWhereACameraWrapsEarly() {
        var unwrap = TimestampUnwrap(.bits33)
        let out = [0xffff_f000, 0x600, 0x1000].map { unwrap.unwrap($0) }
        #expect(out == [0xffff_f000, 0x1_0000_0600, 0x1_0000_1000])
    }
}
