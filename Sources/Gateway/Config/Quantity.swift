import Wire

/// Durations, sizes and addresses as people write them in a configuration.
enum Quantity {
    private static let durations: [(unit: String, length: Interval)] = [
        ("ms", .milliseconds(1)), ("s", .seconds(1)), ("m", .seconds(60)), ("h", .seconds(3600)),
    ]

    private static let sizes: [(unit: String, bytes: Int)] = [
        ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30),
    ]

    /// A number without a unit is refused, but for zero: nobody agrees on what it would mean.
    static func interval(_ text: String) -> Interval? {
        if text == "0" { return .zero }
        let digits = text.prefix { $0.isNumber }
        guard let number = Int64(digits), number <= 1_000_000,
            let unit = durations.first(where: { $0.unit == text.dropFirst(digits.count) })
        else { return nil }
        return unit.length * number
    }

    static func duration(_ interval: Interval) -> String {
        let unit = durations.last { interval.nanoseconds % $0.length.nanoseconds == 0 }
        guard let unit, interval != .zero else { return "\(interval.milliseconds)ms" }
        return "\(interval.nanoseconds / unit.length.nanoseconds)\(unit.unit)"
    }

    static func bytes(_ text: String) -> Int? {
        let digits = text.prefix { $0.isNumber }
        guard let number = Int(digits), number <= 1 << 20,
            let unit = sizes.first(where: { $0.unit == text.dropFirst(digits.count) })
        else { return nil }
        return number * unit.bytes
    }

    static func size(_ bytes: Int) -> String {
        let unit = sizes.last { bytes.isMultiple(of: $0.bytes) } ?? (unit: "B", bytes: 1)
        return "\(bytes / unit.bytes)\(unit.unit)"
    }

    enum Port { case required, optional }

    /// `:8080`, `8080`, `127.0.0.1:8080`, `[::1]:8080`, `localhost:8080`; if allowed, no port.
    static func address(_ text: String, port rule: Port) -> Address? {
        if rule == .optional, let address = Address(ip: text) { return address }
        let colon = text.lastIndex(of: ":")
        let digits = colon.map { text[text.index(after: $0)...] } ?? text[...]
        guard let port = UInt16(digits), digits.first != "+" else { return nil }
        let host = colon.map { text[..<$0] } ?? ""
        if host.isEmpty { return rule == .required ? .any(port: port) : nil }
        if host == "localhost" { return Address(ipv4: 0x7f00_0001, port: port) }
        // Without brackets nobody can tell the port of an IPv6 address from its last group.
        guard !host.contains(":") || host.hasPrefix("[") else { return nil }
        return Address(ip: host, port: port)
    }
}
