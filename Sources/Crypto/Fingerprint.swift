package import Wire

/// The hash of a certificate, as an SDP carries it (RFC 8122): `sha-256 4A:AD:…`.
package struct Fingerprint: Equatable, Sendable {
    package let hash: Digest
    package let bytes: [UInt8]

    package init(hash: Digest, bytes: [UInt8]) {
        precondition(bytes.count == hash.byteCount, "a fingerprint has the length of its hash")
        self.hash = hash
        self.bytes = bytes
    }

    /// - Parameter text: The value of `a=fingerprint`. Case does not matter: some clients write
    ///   the hash's name in capitals, some the digits in small letters.
    ///
    /// Not every `Digest` will do: MD5 is broken, and SHA-1 only proves that nobody bothered, but
    /// old endpoints know no other, and the SDP came over a channel of its own.
    package init(_ text: some StringProtocol) throws(ParseError) {
        let words = text.split(separator: " ")
        guard words.count == 2, let hash = Digest(rawValue: words[0].lowercased()),
            hash != .md5, hash != .sha512t256
        else { throw .invalid("fingerprint hash", value: UInt64(words.count), at: 0) }
        let pairs = words[1].split(separator: ":", omittingEmptySubsequences: false)
        guard pairs.count == hash.byteCount, pairs.allSatisfy({ $0.utf8.count == 2 }),
            let bytes = Hex.decode(pairs.joined())
        else { throw .invalid("fingerprint length", value: UInt64(pairs.count), at: 0) }
        self.init(hash: hash, bytes: bytes)
    }
}

extension Fingerprint: CustomStringConvertible {
    /// The value of `a=fingerprint`.
    package var description: String {
        let digits = bytes.map { Hex.encode([$0].raw).uppercased() }
        return "\(hash.rawValue) \(digits.joined(separator: ":"))"
    }
}
