import Crypto
package import Wire

/// The handshake of the server (Adobe's RTMP 1.0 §5.2, and the signed form that Flash Player 9
/// brought and nobody wrote down).
///
/// Ours goes out in one piece as soon as C1 is here: some encoders wait for all of it before they
/// send C2. What C2 says is not looked at: many send garbage.
package struct RTMPHandshake: Sendable {
    package static let count = 1536
    /// C0 and C1.
    package static let firstCount = 1 + count

    package enum Refusal: Error, Equatable, Sendable {
        /// RTMPE: its encryption protects nothing, and no library here speaks it.
        case encrypted
        /// Somebody speaks HTTP (or RTMPT) to this port.
        case http
        case version(UInt8)
    }

    /// Checks the first byte alone: whoever is at the wrong door need not say more.
    package static func check(_ version: UInt8) throws(Refusal) {
        switch version {
        case 3: return
        case 6, 8: throw .encrypted
        case 0x47, 0x48, 0x4f, 0x50: throw .http  // GET, HEAD, OPTIONS, POST and PUT.
        // Old libraries say 0 to 31; anything above is text or TLS.
        case 0..<32: return
        default: throw .version(version)
        }
    }

    /// S0, S1 and S2 for a C1.
    package static func answer(
        _ first: RawSpan, time: UInt32, random: inout SplitMix64
    ) -> [UInt8] {
        var out: [UInt8] = [3]
        out.reserveCapacity(1 + 2 * count)
        appendRandom(count, &random, to: &out)
        write(time, into: &out, at: 1)
        guard let digest = clientDigest(first) else {
            // The plain form: four zeros, and S2 is C1 with our time of reading.
            write(0, into: &out, at: 5)
            let echo = out.count
            out.append(copying: first)
            write(time, into: &out, at: echo + 4)
            return out
        }
        // A version of a server that signs.
        write(0x0405_0001, into: &out, at: 5)
        sign(&out)
        let start = out.count
        appendRandom(count - HMACSHA256.tagCount, &random, to: &out)
        let key = Self.tag(of: digest.raw, key: serverKey + keyTail)
        let tag = Self.tag(of: Array(out[start...]).raw, key: key)
        out += tag
        return out
    }

    /// S1 is signed where the second form keeps its signature, which every player finds.
    private static func sign(_ out: inout [UInt8]) {
        let body = Array(out[1...])
        let place = digestPlace(in: body.raw, base: 8)
        let tag = Self.tag(of: body.raw, without: place, key: serverKey)
        for (index, byte) in tag.enumerated() { out[1 + place + index] = byte }
    }

    /// The signature of a C1, if it has one that is right.
    private static func clientDigest(_ first: RawSpan) -> [UInt8]? {
        // A version of four zeros is the plain form.
        guard (4..<8).contains(where: { first.byte(at: $0) != 0 }) else { return nil }
        for base in [772, 8] {
            let place = digestPlace(in: first, base: base)
            let found = [UInt8](copying: first.extracting(place..<place + HMACSHA256.tagCount))
            if tag(of: first, without: place, key: clientKey) == found { return found }
        }
        return nil
    }

    /// Four bytes at the base, added up, say where the signature is.
    private static func digestPlace(in bytes: RawSpan, base: Int) -> Int {
        var sum = 0
        for index in base..<base + 4 { sum += Int(bytes.byte(at: index)) }
        return sum % 728 + base + 4
    }

    /// Of all bytes but the 32 at `place`.
    private static func tag(of bytes: RawSpan, without place: Int, key: [UInt8]) -> [UInt8] {
        let after = place + HMACSHA256.tagCount
        return copy(
            HMACSHA256(key: key.raw).tag(
                bytes.extracting(0..<place), bytes.extracting(after..<bytes.byteCount)))
    }

    private static func tag(of bytes: RawSpan, key: [UInt8]) -> [UInt8] {
        copy(HMACSHA256(key: key.raw).tag(bytes))
    }

    private static func copy(_ tag: [32 of UInt8]) -> [UInt8] { (0..<32).map { tag[$0] } }

    private static func appendRandom(
        _ count: Int, _ random: inout SplitMix64, to out: inout [UInt8]
    ) {
        for _ in 0..<count / 8 {
            var word = random.next()
            for _ in 0..<8 {
                out.append(UInt8(truncatingIfNeeded: word))
                word >>= 8
            }
        }
    }

    private static func write(_ value: UInt32, into out: inout [UInt8], at offset: Int) {
        for index in 0..<4 {
            out[offset + index] = UInt8(truncatingIfNeeded: value >> UInt32(24 - 8 * index))
        }
    }

    // Not secrets: they are in every client.
    private static let clientKey = Array("Genuine Adobe Flash Player 001".utf8)
    private static let serverKey = Array("Genuine Adobe Flash Media Server 001".utf8)
    private static let keyTail: [UInt8] = [
        0xf0, 0xee, 0xc2, 0x4a, 0x80, 0x68, 0xbe, 0xe8, 0x2e, 0x00, 0xd0, 0xd1, 0x02, 0x9e, 0x7e,
        0x57, 0x6e, 0xec, 0x5d, 0x2d, 0x29, 0x80, 0x6f, 0xab, 0x93, 0xb8, 0xe6, 0x36, 0xcf, 0xeb,
        0x31, 0xae,
    ]

    // MARK: - The client

    /// C0 and C1, in the plain form, which all servers take.
    package static func begin(random: inout SplitMix64) -> [UInt8] {
        var out: [UInt8] = [3]
        appendRandom(count, &random, to: &out)
        write(0, into: &out, at: 1)
        write(0, into: &out, at: 5)
        return out
    }
}
