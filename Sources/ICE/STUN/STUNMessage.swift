package import Crypto
package import Wire

/// The 96 bits that tie an answer to its request.
package struct TransactionID: Hashable, Sendable {
    package var high: UInt32
    package var low: UInt64

    package init(high: UInt32, low: UInt64) {
        self.high = high
        self.low = low
    }
}

/// A STUN message (RFC 8489) with the attributes that ICE uses. It keeps offsets, not bytes; the
/// datagram stays with the caller. Well formed is not authentic: ask `isAuthentic`.
package struct STUNMessage: Sendable {
    package enum Class: UInt8, Sendable { case request, indication, success, error }

    package static let headerSize = 20
    package static let cookie: UInt32 = 0x2112_a442
    package static let binding: UInt16 = 1

    package var kind: Class
    package var method: UInt16
    package var transaction: TransactionID
    package var username: Range<Int>?
    package var priority: UInt32?
    package var usesCandidate = false
    /// The tie-breaker of a peer that believes to be controlling, or controlled.
    package var controlling: UInt64?
    package var controlled: UInt64?
    package var mappedAddress: Address?
    package var errorCode: UInt16?
    package var hasFingerprint = false
    /// Codes below 0x8000 that we do not know: a request with one is answered 420.
    package var unknownCount = 0
    package var unknown: [4 of UInt16] = .init(repeating: 0)

    /// Where MESSAGE-INTEGRITY begins.
    private var integrity: Int?

    package init(_ datagram: RawSpan) throws(ParseError) {
        var reader = ByteReader(datagram)
        let type = try reader.read(UInt16.self)
        guard type & 0xc000 == 0 else { throw .invalid("STUN type", value: UInt64(type), at: 0) }
        let length = Int(try reader.read(UInt16.self))
        guard try reader.read(UInt32.self) == Self.cookie else {
            throw .invalid("STUN cookie", value: 0, at: 4)
        }
        transaction = TransactionID(
            high: try reader.read(UInt32.self), low: try reader.read(UInt64.self))
        guard length % 4 == 0, length == reader.remaining else {
            throw .invalid("STUN length", value: UInt64(length), at: 2)
        }
        // The two bits of the class lie within those of the method (§5).
        kind = Class(rawValue: UInt8(type >> 7 & 2 | type >> 4 & 1)) ?? .request
        method = type & 0xf | type >> 1 & 0x70 | type >> 2 & 0xf80
        while reader.remaining > 0 { try attribute(&reader, of: datagram) }
    }

    @_lifetime(reader: copy reader)
    private mutating func attribute(
        _ reader: inout ByteReader, of datagram: RawSpan
    ) throws(ParseError) {
        let start = reader.offset
        let type = try reader.read(UInt16.self)
        let length = Int(try reader.read(UInt16.self))
        let at = reader.offset
        let value = try reader.read(count: length)
        try reader.skip((4 - length % 4) % 4)
        if type == STUNAttribute.fingerprint {
            try fingerprint(value, at: start, of: datagram)
        } else if integrity == nil {
            // What follows the integrity is not covered by it and so not there (RFC 8489 §14.5).
            try self.value(type, value, at: at)
        }
    }

    private mutating func value(
        _ type: UInt16, _ value: RawSpan, at offset: Int
    ) throws(ParseError) {
        var reader = ByteReader(value)
        switch type {
        case STUNAttribute.username:
            username = username ?? offset..<offset + value.byteCount
        case STUNAttribute.integrity:
            guard value.byteCount == HMACSHA1.tagCount else {
                throw .invalid("MESSAGE-INTEGRITY size", value: UInt64(value.byteCount), at: offset)
            }
            integrity = offset - 4
        case STUNAttribute.priority: priority = try reader.read(UInt32.self)
        case STUNAttribute.useCandidate: usesCandidate = true
        case STUNAttribute.controlling: controlling = try reader.read(UInt64.self)
        case STUNAttribute.controlled: controlled = try reader.read(UInt64.self)
        case STUNAttribute.xorMappedAddress: mappedAddress = try address(value, at: offset)
        case STUNAttribute.errorCode:
            try reader.skip(2)
            let hundreds = UInt16(try reader.read(UInt8.self) & 7)
            errorCode = hundreds * 100 + UInt16(try reader.read(UInt8.self) % 100)
        case STUNAttribute.mappedAddress, STUNAttribute.unknownAttributes, STUNAttribute.realm,
            STUNAttribute.nonce:
            break
        case 0..<0x8000:
            if unknownCount < unknown.count {
                unknown[unknownCount] = type
                unknownCount += 1
            }
        default: break  // Optional: Google's and Meta's experiments among them.
        }
    }

    private mutating func fingerprint(
        _ value: RawSpan, at start: Int, of datagram: RawSpan
    ) throws(ParseError) {
        var reader = ByteReader(value)
        let said = try reader.read(UInt32.self)
        // It covers all before it and the header's length covers it: so it stands last.
        guard start + 8 == datagram.byteCount else {
            throw .invalid("FINGERPRINT place", value: UInt64(start), at: start)
        }
        var crc = CRC32()
        crc.update(datagram.extracting(first: start))
        guard crc.value ^ STUNAttribute.fingerprintMask == said else {
            throw .invalid("FINGERPRINT", value: UInt64(said), at: start)
        }
        hasFingerprint = true
    }

    private func address(_ value: RawSpan, at offset: Int) throws(ParseError) -> Address {
        var reader = ByteReader(value)
        try reader.skip(1)
        let family = try reader.read(UInt8.self)
        let port = try reader.read(UInt16.self) ^ UInt16(Self.cookie >> 16)
        switch family {
        case 1: return Address(ipv4: try reader.read(UInt32.self) ^ Self.cookie, port: port)
        case 2:
            let high = UInt64(Self.cookie) << 32 | UInt64(transaction.high)
            return Address(
                high: try reader.read(UInt64.self) ^ high,
                low: try reader.read(UInt64.self) ^ transaction.low, port: port)
        default: throw .invalid("address family", value: UInt64(family), at: offset + 1)
        }
    }

    /// Whether MESSAGE-INTEGRITY is there and right. Compared in constant time.
    package func isAuthentic(_ datagram: RawSpan, key: HMACSHA1) -> Bool {
        guard let integrity else { return false }
        // The tag was made when the message ended behind it: the length says so (§14.5).
        var header: [20 of UInt8] = .init(repeating: 0)
        for offset in 0..<Self.headerSize { header[offset] = datagram.byte(at: offset) }
        let length = integrity + 4 + HMACSHA1.tagCount - Self.headerSize
        header[2] = UInt8(truncatingIfNeeded: length >> 8)
        header[3] = UInt8(truncatingIfNeeded: length)
        let tag = datagram.extracting(integrity + 4..<integrity + 4 + HMACSHA1.tagCount)
        return unsafe key.isValid(
            tag, for: header.span.bytes, datagram.extracting(Self.headerSize..<integrity))
    }
}

/// The numbers of the attributes (RFC 8489 §18.3, RFC 8445 §16.1).
enum STUNAttribute {
    static let mappedAddress: UInt16 = 0x0001
    static let username: UInt16 = 0x0006
    static let integrity: UInt16 = 0x0008
    static let errorCode: UInt16 = 0x0009
    static let unknownAttributes: UInt16 = 0x000a
    static let realm: UInt16 = 0x0014
    static let nonce: UInt16 = 0x0015
    static let xorMappedAddress: UInt16 = 0x0020
    static let priority: UInt16 = 0x0024
    static let useCandidate: UInt16 = 0x0025
    static let fingerprint: UInt16 = 0x8028
    static let controlled: UInt16 = 0x8029
    static let controlling: UInt16 = 0x802a

    static let fingerprintMask: UInt32 = 0x5354_554e
}
