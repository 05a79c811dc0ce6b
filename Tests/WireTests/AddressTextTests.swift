import Testing
import Wire

struct AddressTextTests {
    @Test(arguments: [
        ("192.0.2.1", "192.0.2.1:80"),
        ("255.255.255.255", "255.255.255.255:80"),
        ("::ffff:192.0.2.1", "192.0.2.1:80"),
        ("2001:db8::1", "[2001:db8::1]:80"),
        ("[2001:db8::1]", "[2001:db8::1]:80"),
        ("2001:DB8:0:0:1:0:0:1", "[2001:db8::1:0:0:1]:80"),
        ("2001:db8:1:2:3:4:5:6", "[2001:db8:1:2:3:4:5:6]:80"),
        ("2001:db8:0:1:1:1:1:1", "[2001:db8:0:1:1:1:1:1]:80"),
        ("::", "[::]:80"), ("::1", "[::1]:80"), ("fe80::", "[fe80::]:80"),
    ])
    func readsAndWrites(text: String, written: String) {
        #expect(Address(ip: text, port: 80)?.description == written)
    }

    @Test func keepsTheScope() { #expect(Address(ip: "fe80::1%3")?.scope == 3) }

    @Test(arguments: [
        "", "1", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "1.2.3.", "a.b.c.d", "host.local",
        ":", ":::", "1::2::3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "12345::", "::g",
        "1:2:3:4::5:6:7:8",
        "fe80::1%eth0", "::1.2.3", "[::1",
        "0000000000000000000000000000000000000000000000000000000001::1",
    ])
    func refuses(text: String) { #expect(Address(ip: text) == nil) }

    /// Whatever it accepts it writes so that it reads the same again.
    @Test func everyAddressSurvivesTheRoundTrip() {
        var random = SplitMix64(seed: 7)
        for _ in 0..<1000 {
            let mask: UInt64 = random.next() & random.next() & 0xffff_0000_ffff_ffff
            let address = Address(high: random.next() & mask, low: random.next() & ~mask, port: 1)
            #expect(Address(ip: address.ip, port: 1) == address)
        }
    }
}

struct CRC32Tests {
    @Test func matchesTheCheckValue() {
        var crc = CRC32()
        crc.update(Array("123456789".utf8).raw)
        #expect(crc.value == 0xcbf4_3926)
    }
}
