/// Digest access authentication (RFC 2617, RFC 7616) as RTSP and SIP use it: one computation for
/// the side that proves a password and the side that checks it.
package struct DigestAuth: Equatable, Sendable {
    package enum Algorithm: String, Sendable {
        case md5 = "MD5"
        case sha256 = "SHA-256"

        package init?(_ text: String) {
            switch text.uppercased() {
            case "MD5": self = .md5
            // As written, and as some devices write it.
            case "SHA-256", "SHA256": self = .sha256
            default: return nil
            }
        }

        var digest: Digest { self == .md5 ? .md5 : .sha256 }
    }

    /// `qop=auth`: the request counter and the client's own dice are signed too.
    package struct Protection: Equatable, Sendable {
        package var count: String
        package var nonce: String

        package init(count: String, nonce: String) {
            self.count = count
            self.nonce = nonce
        }
    }

    package var algorithm = Algorithm.md5
    package var user = ""
    package var realm = ""
    package var nonce = ""
    package var method = ""
    /// The very text of the header, which may differ from the request's.
    package var uri = ""
    package var protection: Protection?

    package init() {}

    /// What proves that `password` is known.
    package func response(password: String) -> String {
        let hash = algorithm.digest
        let first = hash.hex("\(user):\(realm):\(password)")
        let second = hash.hex("\(method):\(uri)")
        guard let protection else { return hash.hex("\(first):\(nonce):\(second)") }
        return hash.hex(
            "\(first):\(nonce):\(protection.count):\(protection.nonce):auth:\(second)")
    }
}

/// `scheme name="value", name=value`: challenges and credentials of HTTP, RTSP and SIP, as they are
/// really written.
package struct AuthFields: Equatable, Sendable {
    package var scheme = ""
    /// What follows the scheme, where it is no list: Basic, Bearer.
    package var word = ""
    private var fields: [(name: String, value: String)] = []

    private static let fieldMaximum = 32
    private static let bytesMaximum = 8192

    package init?(_ header: String) {
        guard header.utf8.count <= Self.bytesMaximum else { return nil }
        let text = header.drop { $0 == " " || $0 == "\t" }
        let end = text.firstIndex { $0 == " " || $0 == "\t" } ?? text.endIndex
        scheme = text[..<end].lowercased()
        guard !scheme.isEmpty else { return nil }
        let rest = text[end...].drop { $0 == " " || $0 == "\t" }
        word = String(rest)
        read(Array(rest.utf8))
    }

    package subscript(_ name: String) -> String? {
        fields.first { $0.name == name }?.value
    }

    private mutating func read(_ bytes: [UInt8]) {
        var at = 0
        while at < bytes.count, fields.count < Self.fieldMaximum {
            while at < bytes.count, bytes[at] == 0x20 || bytes[at] == 0x2c || bytes[at] == 0x09 {
                at += 1
            }
            let nameStart = at
            while at < bytes.count, bytes[at] != 0x3d, bytes[at] != 0x2c { at += 1 }
            let name = String(decoding: bytes[nameStart..<at], as: UTF8.self).lowercased()
            guard at < bytes.count, bytes[at] == 0x3d else { continue }
            at += 1
            while at < bytes.count, bytes[at] == 0x20 { at += 1 }
            let value = Self.value(bytes, &at)
            fields.append((name.filter { $0 != " " }, value))
        }
    }

    private static func value(_ bytes: [UInt8], _ at: inout Int) -> String {
        var value: [UInt8] = []
        if at < bytes.count, bytes[at] == 0x22 {
            at += 1
            while at < bytes.count, bytes[at] != 0x22 {
                if bytes[at] == 0x5c, at + 1 < bytes.count { at += 1 }
                value.append(bytes[at])
                at += 1
            }
            at += 1
        } else {
            while at < bytes.count, bytes[at] != 0x2c { at += 1; value.append(bytes[at - 1]) }
            while value.last == 0x20 || value.last == 0x09 { value.removeLast() }
        }
        return String(decoding: value, as: UTF8.self)
    }

    package static func == (a: AuthFields, b: AuthFields) -> Bool {
        a.scheme == b.scheme && a.word == b.word
            && a.fields.elementsEqual(b.fields) { $0 == $1 }
    }
}
