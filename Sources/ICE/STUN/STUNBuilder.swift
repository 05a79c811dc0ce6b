package import Crypto
package import Wire

/// Writes a STUN message behind what `bytes` already holds. With the arena's capacity kept by its
/// owner, an answer costs no allocation.
package struct STUNBuilder {
    /// FINGERPRINT: 4 bytes of head and 4 of value.
    static let fingerprintSize = 8

    private let start: Int

    package init(
        _ kind: STUNMessage.Class, _ transaction: TransactionID, into bytes: inout [UInt8]
    ) {
        start = bytes.count
        let kindBits = UInt16(kind.rawValue & 2) << 7 | UInt16(kind.rawValue & 1) << 4
        Self.append(STUNMessage.binding | kindBits, to: &bytes)
        Self.append(UInt16(0), to: &bytes)
        Self.append(STUNMessage.cookie, to: &bytes)
        Self.append(transaction.high, to: &bytes)
        Self.append(transaction.low, to: &bytes)
    }

    package func username(_ name: RawSpan, into bytes: inout [UInt8]) {
        head(STUNAttribute.username, name.byteCount, &bytes)
        bytes.append(copying: name)
        pad(&bytes)
    }

    package func priority(_ priority: UInt32, into bytes: inout [UInt8]) {
        head(STUNAttribute.priority, 4, &bytes)
        Self.append(priority, to: &bytes)
    }

    package func useCandidate(into bytes: inout [UInt8]) {
        head(STUNAttribute.useCandidate, 0, &bytes)
    }

    package func controlling(_ tieBreaker: UInt64, into bytes: inout [UInt8]) {
        head(STUNAttribute.controlling, 8, &bytes)
        Self.append(tieBreaker, to: &bytes)
    }

    package func controlled(_ tieBreaker: UInt64, into bytes: inout [UInt8]) {
        head(STUNAttribute.controlled, 8, &bytes)
        Self.append(tieBreaker, to: &bytes)
    }

    package func mappedAddress(
        _ address: Address, _ transaction: TransactionID, into bytes: inout [UInt8]
    ) {
        head(STUNAttribute.xorMappedAddress, address.isIPv4 ? 8 : 20, &bytes)
        Self.append(UInt16(address.isIPv4 ? 1 : 2), to: &bytes)
        Self.append(address.port ^ UInt16(STUNMessage.cookie >> 16), to: &bytes)
        if let ipv4 = address.ipv4 {
            Self.append(ipv4 ^ STUNMessage.cookie, to: &bytes)
        } else {
            let high = UInt64(STUNMessage.cookie) << 32 | UInt64(transaction.high)
            Self.append(address.high ^ high, to: &bytes)
            Self.append(address.low ^ transaction.low, to: &bytes)
        }
    }

    /// Without reason text: nobody reads it, and an answer stays as small as its request.
    package func error(_ code: UInt16, into bytes: inout [UInt8]) {
        head(STUNAttribute.errorCode, 4, &bytes)
        Self.append(UInt32(code / 100) << 8 | UInt32(code % 100), to: &bytes)
    }

    package func unknown(_ message: STUNMessage, into bytes: inout [UInt8]) {
        head(STUNAttribute.unknownAttributes, 2 * message.unknownCount, &bytes)
        for index in 0..<message.unknownCount { Self.append(message.unknown[index], to: &bytes) }
        pad(&bytes)
    }

    /// Signs the message and ends it.
    package func finish(key: HMACSHA1, fingerprint: Bool = true, into bytes: inout [UInt8]) {
        length(bytes.count - start + 24, &bytes)
        let tag = key.tag(bytes.raw.extracting(start..<bytes.count))
        head(STUNAttribute.integrity, HMACSHA1.tagCount, &bytes)
        for index in tag.indices { bytes.append(tag[index]) }
        guard fingerprint else { return }
        length(bytes.count - start + Self.fingerprintSize, &bytes)
        var crc = CRC32()
        crc.update(bytes.raw.extracting(start..<bytes.count))
        head(STUNAttribute.fingerprint, 4, &bytes)
        Self.append(crc.value ^ STUNAttribute.fingerprintMask, to: &bytes)
    }

    private func length(_ total: Int, _ bytes: inout [UInt8]) {
        let length = total - STUNMessage.headerSize
        bytes[start + 2] = UInt8(truncatingIfNeeded: length >> 8)
        bytes[start + 3] = UInt8(truncatingIfNeeded: length)
    }

    private func head(_ type: UInt16, _ length: Int, _ bytes: inout [UInt8]) {
        Self.append(type, to: &bytes)
        Self.append(UInt16(truncatingIfNeeded: length), to: &bytes)
    }

    private func pad(_ bytes: inout [UInt8]) {
        while (bytes.count - start) % 4 != 0 { bytes.append(0) }
    }

    private static func append<T: FixedWidthInteger>(_ value: T, to bytes: inout [UInt8]) {
        var shift = T.bitWidth - 8
        while shift >= 0 {
            bytes.append(UInt8(truncatingIfNeeded: value >> T(shift)))
            shift -= 8
        }
    }
}
