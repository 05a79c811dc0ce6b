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
        bytes.append(bigEndian: STUNMessage.binding | kindBits)
        bytes.append(bigEndian: UInt16(0))
        bytes.append(bigEndian: STUNMessage.cookie)
        bytes.append(bigEndian: transaction.high)
        bytes.append(bigEndian: transaction.low)
    }

    package func username(_ name: RawSpan, into bytes: inout [UInt8]) {
        head(STUNAttribute.username, name.byteCount, &bytes)
        bytes.append(copying: name)
        pad(&bytes)
    }

    package func priority(_ priority: UInt32, into bytes: inout [UInt8]) {
        head(STUNAttribute.priority, 4, &bytes)
        bytes.append(bigEndian: priority)
    }

    package func useCandidate(into bytes: inout [UInt8]) {
        head(STUNAttribute.useCandidate, 0, &bytes)
    }

    package func controlling(_ tieBreaker: UInt64, into bytes: inout [UInt8]) {
        head(STUNAttribute.controlling, 8, &bytes)
        bytes.append(bigEndian: tieBreaker)
    }

    package func controlled(_ tieBreaker: UInt64, into bytes: inout [UInt8]) {
        head(STUNAttribute.controlled, 8, &bytes)
        bytes.append(bigEndian: tieBreaker)
    }

    package func mappedAddress(
        _ address: Address, _ transaction: TransactionID, into bytes: inout [UInt8]
    ) {
        head(STUNAttribute.xorMappedAddress, address.isIPv4 ? 8 : 20, &bytes)
        bytes.append(bigEndian: UInt16(address.isIPv4 ? 1 : 2))
        bytes.append(bigEndian: address.port ^ UInt16(STUNMessage.cookie >> 16))
        if let ipv4 = address.ipv4 {
            bytes.append(bigEndian: ipv4 ^ STUNMessage.cookie)
        } else {
            let high = UInt64(STUNMessage.cookie) << 32 | UInt64(transaction.high)
            bytes.append(bigEndian: address.high ^ high)
            bytes.append(bigEndian: address.low ^ transaction.low)
        }
    }

    /// Without reason text: nobody reads it, and an answer stays as small as its request.
    package func error(_ code: UInt16, into bytes: inout [UInt8]) {
        head(STUNAttribute.errorCode, 4, &bytes)
        bytes.append(bigEndian: UInt32(code / 100) << 8 | UInt32(code % 100))
    }

    package func unknown(_ message: STUNMessage, into bytes: inout [UInt8]) {
        head(STUNAttribute.unknownAttributes, 2 * message.unknownCount, &bytes)
        for index in 0..<message.unknownCount { bytes.append(bigEndian: message.unknown[index]) }
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
        bytes.append(bigEndian: crc.value ^ STUNAttribute.fingerprintMask)
    }

    private func length(_ total: Int, _ bytes: inout [UInt8]) {
        let length = total - STUNMessage.headerSize
        bytes[start + 2] = UInt8(truncatingIfNeeded: length >> 8)
        bytes[start + 3] = UInt8(truncatingIfNeeded: length)
    }

    private func head(_ type: UInt16, _ length: Int, _ bytes: inout [UInt8]) {
        bytes.append(bigEndian: type)
        bytes.append(bigEndian: UInt16(truncatingIfNeeded: length))
    }

    private func pad(_ bytes: inout [UInt8]) {
        while (bytes.count - start) % 4 != 0 { bytes.append(0) }
    }
}
