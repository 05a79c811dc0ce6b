/// Addresses as people and protocols write them: `192.0.2.1`, `2001:db8::1`, `[2001:db8::1]:8000`.
extension Address {
    /// An IP literal, never a name; brackets around IPv6 and a `%scope` of digits are understood.
    public init?(ip text: some StringProtocol, port: UInt16 = 0) {
        var bytes = Array(text.utf8)
        // The longest literal is an IPv6 address with an embedded IPv4 one and a scope.
        guard bytes.count >= 2, bytes.count <= 64 else { return nil }
        if bytes.first == UInt8(ascii: "["), bytes.last == UInt8(ascii: "]") {
            bytes = Array(bytes.dropFirst().dropLast())
        }
        if let ipv4 = Self.ipv4(bytes[...]) {
            self.init(ipv4: ipv4, port: port)
            return
        }
        var scope: UInt32 = 0
        if let percent = bytes.firstIndex(of: UInt8(ascii: "%")) {
            guard let number = UInt32(String(decoding: bytes[(percent + 1)...], as: UTF8.self))
            else { return nil }
            scope = number
            bytes.removeSubrange(percent...)
        }
        guard let groups = Self.ipv6(bytes[...]) else { return nil }
        self.init(
            high: Self.join(groups[0..<4]), low: Self.join(groups[4..<8]), port: port, scope: scope)
    }

    /// The IP literal without brackets, IPv6 in the form of RFC 5952.
    public var ip: String {
        if let ipv4 {
            return (0..<4).map { String(ipv4 >> (24 - 8 * UInt32($0)) & 0xff) }
                .joined(separator: ".")
        }
        let groups = (0..<8).map { index in
            UInt16(truncatingIfNeeded: (index < 4 ? high : low) >> (48 - 16 * UInt64(index % 4)))
        }
        let gap = Self.longestZeros(groups)
        let hex = groups.map { String($0, radix: 16) }
        if gap.count < 2 { return hex.joined(separator: ":") }
        return hex[..<gap.lowerBound].joined(separator: ":") + "::"
            + hex[gap.upperBound...].joined(separator: ":")
    }

    private static func ipv4(_ text: ArraySlice<UInt8>) -> UInt32? {
        let parts = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var value: UInt32 = 0
        for part in parts {
            // No leading zero: some readers take 010 for octal 8, and two readers must agree.
            guard (1...3).contains(part.count), part.count == 1 || part.first != 0x30 else {
                return nil
            }
            var number: UInt32 = 0
            for digit in part {
                guard (0x30...0x39).contains(digit) else { return nil }
                number = number * 10 + UInt32(digit - 0x30)
            }
            guard number <= 255 else { return nil }
            value = value << 8 | number
        }
        return value
    }

    private static func ipv6(_ text: ArraySlice<UInt8>) -> [UInt16]? {
        let colon = UInt8(ascii: ":")
        let pair = text.indices.dropLast().first { text[$0] == colon && text[$0 + 1] == colon }
        guard let pair else {
            let all = groups(text)
            return all?.count == 8 ? all : nil
        }
        guard let head = groups(text[..<pair]), let tail = groups(text[(pair + 2)...]),
            head.count + tail.count <= 7
        else { return nil }
        return head + [UInt16](repeating: 0, count: 8 - head.count - tail.count) + tail
    }

    private static func groups(_ text: ArraySlice<UInt8>) -> [UInt16]? {
        if text.isEmpty { return [] }
        let parts = text.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        guard parts.count <= 8 else { return nil }
        var groups: [UInt16] = []
        for (index, part) in parts.enumerated() {
            if index == parts.count - 1, let ipv4 = ipv4(part) {
                groups += [UInt16(ipv4 >> 16), UInt16(truncatingIfNeeded: ipv4)]
                continue
            }
            guard (1...4).contains(part.count) else { return nil }
            var value: UInt16 = 0
            for character in part {
                guard let digit = Hex.value(character) else { return nil }
                value = value << 4 | UInt16(digit)
            }
            groups.append(value)
        }
        return groups
    }

    private static func join(_ groups: ArraySlice<UInt16>) -> UInt64 {
        groups.reduce(0) { $0 << 16 | UInt64($1) }
    }

    private static func longestZeros(_ groups: [UInt16]) -> Range<Int> {
        var best = 0..<0
        var start = 0
        for index in 0...groups.count where index == groups.count || groups[index] != 0 {
            if index - start > best.count { best = start..<index }
            start = index + 1
        }
        return best
    }
}

extension Address: CustomStringConvertible {
    /// With the port, as in a URL: `192.0.2.1:8000`, `[2001:db8::1]:8000`.
    public var description: String { isIPv4 ? "\(ip):\(port)" : "[\(ip)]:\(port)" }
}
