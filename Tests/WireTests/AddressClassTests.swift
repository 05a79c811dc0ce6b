import Testing
import Wire

struct AddressClassTests {
    @Test(arguments: [
        ("0.0.0.0", AddressClass.unspecified), ("0.1.2.3", .unspecified), ("::", .unspecified),
        ("127.0.0.1", .loopback), ("127.255.255.255", .loopback), ("::1", .loopback),
        ("169.254.1.1", .linkLocal), ("fe80::1", .linkLocal), ("febf::1", .linkLocal),
        ("169.254.169.254", .metadata), ("fd00:ec2::254", .metadata),
        ("100.100.100.200", .metadata),
        ("10.0.0.1", .privateNetwork), ("172.16.0.1", .privateNetwork),
        ("172.31.255.255", .privateNetwork), ("192.168.1.1", .privateNetwork),
        ("100.64.0.1", .privateNetwork), ("fd00::1", .privateNetwork), ("fc00::1", .privateNetwork),
        ("224.0.0.1", .multicast), ("239.255.255.255", .multicast), ("ff02::1", .multicast),
        ("255.255.255.255", .reserved), ("240.0.0.1", .reserved), ("192.0.0.8", .reserved),
        ("172.32.0.1", .publicNetwork), ("203.0.113.1", .publicNetwork),
        ("2001:db8::1", .publicNetwork), ("4000::1", .reserved),
    ])
    func namesThePlace(_ text: String, _ kind: AddressClass) throws {
        #expect(try #require(Address(ip: text)).kind == kind)
    }

    /// Every dress an IPv4 address can wear.
    @Test(arguments: ["::ffff:127.0.0.1", "::127.0.0.1", "64:ff9b::127.0.0.1", "2002:7f00:1::"])
    func looksThroughDisguises(_ text: String) throws {
        #expect(try #require(Address(ip: text)).kind == .loopback)
    }
}
