/// The name of a stream in which `*` stands for one part of it and `**` for any rest:
/// `live/*` fits live/cam1 but not live/hall/cam1, which `live/**` fits too.
package struct PathPattern: Equatable, Sendable {
    package let text: String
    private let parts: [String]

    /// `nil` when no stream can have such a name.
    package init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard text.utf8.count <= 255, parts.allSatisfy(Self.isPart),
            !parts.dropLast().contains("**")
        else { return nil }
        self.text = text
        self.parts = parts
    }

    private static func isPart(_ part: String) -> Bool {
        if part == "*" || part == "**" { return true }
        let allowed = part.utf8.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
            case UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "~"), UInt8(ascii: "-"): true
            default: false
            }
        }
        return allowed && !part.isEmpty && part != "." && part != ".."
    }

    package func fits(_ name: String) -> Bool {
        let names = name.split(separator: "/", omittingEmptySubsequences: false)
        for (index, part) in parts.enumerated() {
            if part == "**" { return names.count > index }
            guard index < names.count, part == "*" || part == names[index] else { return false }
        }
        return names.count == parts.count
    }
}
