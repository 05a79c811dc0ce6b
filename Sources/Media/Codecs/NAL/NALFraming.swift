package import Media
package import Wire

/// From one way of separating NAL units to the other, into bytes the caller lends.
///
/// Only the framing changes: which units belong into a frame is the business of
/// `AccessUnitBuilder`.
package enum NALFraming {
    /// Annex B to lengths of four bytes.
    package static func lengthPrefixed(annexB bytes: RawSpan, into out: inout [UInt8]) {
        var units = AnnexBUnits(bytes)
        while let range = units.next() {
            append(lengthPrefixed: bytes.extracting(range), to: &out)
        }
    }

    package static func lengthPrefixed(annexB bytes: RawSpan, into out: inout ItemBatch) {
        var units = AnnexBUnits(bytes)
        while let range = units.next() {
            out.write(bigEndian: UInt32(truncatingIfNeeded: range.count))
            out.write(bytes.extracting(range))
        }
    }

    /// Lengths to Annex B with start codes of four bytes, which every reader takes. What was whole
    /// before a broken length has been written when this throws.
    package static func annexB(
        lengthPrefixed bytes: RawSpan, lengthSize: Int = 4, into out: inout [UInt8]
    ) throws(ParseError) {
        var units = LengthPrefixedUnits(bytes, lengthSize: lengthSize)
        while let range = try units.next() {
            append(annexB: bytes.extracting(range), to: &out)
        }
    }

    package static func append(lengthPrefixed unit: RawSpan, to out: inout [UInt8]) {
        let count = UInt32(truncatingIfNeeded: unit.byteCount)
        for shift: UInt32 in [24, 16, 8, 0] {
            out.append(UInt8(truncatingIfNeeded: count >> shift))
        }
        out.append(copying: unit)
    }

    package static func append(annexB unit: RawSpan, to out: inout [UInt8]) {
        for byte: UInt8 in [0, 0, 0, 1] { out.append(byte) }
        out.append(copying: unit)
    }
}
