import Wire

/// Writes the boxes of ISO/IEC 14496-12 into a growing array: a length, a name, and what is inside.
/// The length is known when the box is closed.
struct BoxWriter {
    var bytes: [UInt8]

    init(_ bytes: consuming [UInt8] = []) { self.bytes = bytes }

    mutating func box(_ name: StaticString, _ body: (inout BoxWriter) -> Void) {
        let start = bytes.count
        write(UInt32(0))
        write(name)
        body(&self)
        patch(UInt32(truncatingIfNeeded: bytes.count - start), at: start)
    }

    /// A full box: version and flags come first (§4.2).
    mutating func box(
        _ name: StaticString, version: UInt8, flags: UInt32, _ body: (inout BoxWriter) -> Void
    ) {
        box(name) { box in
            box.write(UInt32(version) << 24 | flags)
            body(&box)
        }
    }

    /// An MPEG-4 descriptor (ISO/IEC 14496-1 §8.3.3); all of ours are shorter than 128 bytes.
    mutating func descriptor(_ tag: UInt8, _ body: (inout BoxWriter) -> Void) {
        write(tag)
        let start = bytes.count
        write(UInt8(0))
        body(&self)
        bytes[start] = UInt8(clamping: min(bytes.count - start - 1, 127))
    }

    mutating func write<T: FixedWidthInteger & BitwiseCopyable>(_ value: T) {
        var shift = T.bitWidth
        while shift > 0 {
            shift -= 8
            bytes.append(UInt8(truncatingIfNeeded: value >> T(shift)))
        }
    }

    mutating func write(_ name: StaticString) { bytes.append(contentsOf: "\(name)".utf8) }
    mutating func write(_ content: [UInt8]) { bytes.append(contentsOf: content) }
    mutating func write(zeros count: Int) {
        bytes.append(contentsOf: repeatElement(0, count: count))
    }

    mutating func patch(_ value: UInt32, at offset: Int) {
        for place in 0..<4 {
            bytes[offset + place] = UInt8(truncatingIfNeeded: value >> UInt32(24 - 8 * place))
        }
    }

    /// The unity matrix of movie and track headers (§6.2.2).
    mutating func writeMatrix() {
        for value: UInt32 in [0x1_0000, 0, 0, 0, 0x1_0000, 0, 0, 0, 0x4000_0000] { write(value) }
    }
}
