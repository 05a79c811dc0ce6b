package import Wire

/// The body of a MESSAGE (MANSCDP): what kind it is, and of what and whom.
package struct DeviceMessage: Equatable, Sendable {
    package enum Kind: String, Sendable { case query, control, notify, response }

    package var kind: Kind
    package var command: String
    /// As text, without leading zeros.
    package var number: String
    package var deviceID: String
    package var content: XMLNode

    package init(_ body: [UInt8], _ text: DeviceText) throws(ParseError) {
        let root = try XMLReader.read(text.utf8(body))
        guard let kind = Kind(rawValue: root.name.lowercased()) else {
            throw .invalid("MANSCDP root element", value: 0, at: 0)
        }
        self.kind = kind
        command = root.value("CmdType") ?? ""
        deviceID = root.value("DeviceID") ?? ""
        let digits = (root.value("SN") ?? "").drop { $0 == "0" }
        number = digits.isEmpty ? "0" : String(digits.prefix(20))
        content = root
        guard !command.isEmpty else { throw .invalid("MANSCDP without CmdType", value: 0, at: 0) }
    }

    /// - Parameter inner: Elements behind the three that all have, as name and text.
    package static func write(
        _ kind: Kind, _ command: String, number: Int, to deviceID: String,
        _ inner: [(name: String, value: String)] = []
    ) -> [UInt8] {
        let root = kind.rawValue.prefix(1).uppercased() + kind.rawValue.dropFirst()
        var text = "<?xml version=\"1.0\" encoding=\"GB2312\"?>\r\n<\(root)>\r\n"
        let fields =
            [("CmdType", command), ("SN", String(number)), ("DeviceID", deviceID)] + inner
        for (name, value) in fields { text += "<\(name)>\(escaped(value))</\(name)>\r\n" }
        return Array((text + "</\(root)>\r\n").utf8)
    }

    private static func escaped(_ text: String) -> String {
        var out = ""
        for character in text.unicodeScalars {
            switch character {
            case "&": out += "&amp;"
            case "<": out += "&lt;"
            case ">": out += "&gt;"
            default: if character.value >= 0x20 { out.unicodeScalars.append(character) }
            }
        }
        return out
    }
}
