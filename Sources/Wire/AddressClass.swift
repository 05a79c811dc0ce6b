/// What kind of place an address is: who may be reached there, and who may ask from there.
@frozen public enum AddressClass: Hashable, Sendable {
    /// `0.0.0.0/8`, `::`: no destination at all.
    case unspecified
    case loopback
    /// `169.254.0.0/16`, `fe80::/10`.
    case linkLocal
    /// Where clouds keep the keys of a machine: 169.254.169.254 and its relatives.
    case metadata
    /// RFC 1918, RFC 6598 (carriers' NAT) and unique local addresses: cameras live here.
    case privateNetwork
    case multicast
    /// Broadcast and ranges never given out.
    case reserved
    case publicNetwork

    @inlinable init(ipv4 address: UInt32) {
        self =
            switch address {
            case 0xa9fe_a9fe, 0xa9fe_aa02, 0x6464_64c8: .metadata  // AWS and most; ECS; Alibaba.
            case 0x0000_0000...0x00ff_ffff: .unspecified
            case 0x7f00_0000...0x7fff_ffff: .loopback
            case 0xa9fe_0000...0xa9fe_ffff: .linkLocal
            case 0x0a00_0000...0x0aff_ffff, 0xac10_0000...0xac1f_ffff,
                0xc0a8_0000...0xc0a8_ffff, 0x6440_0000...0x647f_ffff:
                .privateNetwork
            case 0xe000_0000...0xefff_ffff: .multicast
            case 0xf000_0000...0xffff_ffff, 0xc000_0000...0xc000_00ff: .reserved
            default: .publicNetwork
            }
    }
}

extension Address {
    /// Its kind. An IPv6 address that carries an IPv4 one (mapped, NAT64, 6to4) is of that kind:
    /// else `64:ff9b::7f00:1` would be a way around every rule.
    public var kind: AddressClass {
        if let ipv4 { return AddressClass(ipv4: ipv4) }
        if high == 0, low > 1 { return AddressClass(ipv4: UInt32(truncatingIfNeeded: low)) }
        if high == 0 { return low == 1 ? .loopback : .unspecified }
        if high == 0x0064_ff9b_0000_0000, low >> 32 == 0 {
            return AddressClass(ipv4: UInt32(truncatingIfNeeded: low))
        }
        if high >> 48 == 0x2002 {
            return AddressClass(ipv4: UInt32(truncatingIfNeeded: high >> 16))
        }
        if high == 0xfd00_0ec2_0000_0000, low == 0x254 { return .metadata }
        if high >> 56 == 0xff { return .multicast }
        if high >> 54 == 0xfe80 >> 6 { return .linkLocal }
        if high >> 57 == 0xfc >> 1 { return .privateNetwork }
        return high >> 61 == 1 ? .publicNetwork : .reserved
    }
}
