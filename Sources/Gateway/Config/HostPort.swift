package import Wire

/// A host by address or name, and a port; 0: none was given.
package struct HostPort: Equatable, Hashable, Sendable, CustomStringConvertible {
    /// As it is written, without brackets.
    package let host: String
    package let port: UInt16

    /// RFC 1035 §2.3.4.
    private static let nameMaximum = 253

    package init?(_ text: String) {
        if let address = Quantity.address(text, port: .optional) {
            guard !address.isUnspecified else { return nil }
            (host, port) = (address.ip, address.port)
            return
        }
        let colon = text.lastIndex(of: ":")
        let name = String(colon.map { text[..<$0] } ?? text[...])
        if let colon {
            guard let number = UInt16(text[text.index(after: colon)...]), number > 0 else {
                return nil
            }
            port = number
        } else {
            port = 0
        }
        guard Self.isName(name) else { return nil }
        host = name
    }

    /// What looks like an address and is none is a slip of the pen, not a name.
    private static func isName(_ text: String) -> Bool {
        let labels = text.split(separator: ".", omittingEmptySubsequences: false)
        guard (1...nameMaximum).contains(text.utf8.count),
            labels.last?.contains(where: \.isLetter) == true
        else { return false }
        return labels.allSatisfy { label in
            (1...63).contains(label.utf8.count) && !label.hasPrefix("-") && !label.hasSuffix("-")
                && label.utf8.allSatisfy {
                    (0x30...0x39).contains($0) || (0x61...0x7a).contains($0 | 0x20) || $0 == 0x2d
                        || $0 == 0x5f
                }
        }
    }

    /// nil: a name, to be looked up.
    package var address: Address? { Address(ip: host)?.with(port: port) }

    package var description: String {
        if let address, port != 0 { return "\(address)" }
        return port == 0 ? host : "\(host):\(port)"
    }
}
