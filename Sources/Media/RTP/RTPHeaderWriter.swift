package import Wire

/// Writes one RTP header into a window: the fixed part, then extensions in any order.
///
/// The extension block opens with the first extension and costs nothing without one. All of a
/// header's extensions have one form: two-byte where the peer allows it and one needs it.
package struct RTPHeaderWriter: ~Copyable {
    private let start: Int
    /// Where the extension block begins; the fixed header is 12 bytes, so 0 means: none yet.
    private var block = 0
    private let twoByte: Bool
    private let first: UInt8

    @_lifetime(out: copy out)
    package init(
        payloadType: UInt8, marker: Bool, sequence: UInt16, timestamp: UInt32, ssrc: UInt32,
        padded: Bool = false, twoByte: Bool = false, into out: inout ByteWriter
    ) {
        start = out.offset
        self.twoByte = twoByte
        first = padded ? 0xa0 : 0x80
        out.write(first)
        out.write((marker ? 0x80 : 0) | payloadType & 0x7f)
        out.write(sequence)
        out.write(timestamp)
        out.write(ssrc)
    }

    /// - Parameter id: As negotiated. 0 writes nothing: the extension was not negotiated.
    @_lifetime(out: copy out)
    package mutating func write(id: UInt8, _ value: RawSpan, into out: inout ByteWriter) {
        guard open(id: id, count: value.byteCount, into: &out) else { return }
        out.write(value)
    }

    /// Extensions of one, two and three bytes: orientation, transport number, times.
    @_lifetime(out: copy out)
    package mutating func write(id: UInt8, uint8 value: UInt8, into out: inout ByteWriter) {
        guard open(id: id, count: 1, into: &out) else { return }
        out.write(value)
    }

    @_lifetime(out: copy out)
    package mutating func write(id: UInt8, uint16 value: UInt16, into out: inout ByteWriter) {
        guard open(id: id, count: 2, into: &out) else { return }
        out.write(value)
    }

    @_lifetime(out: copy out)
    package mutating func write(id: UInt8, uint24 value: UInt32, into out: inout ByteWriter) {
        guard open(id: id, count: 3, into: &out) else { return }
        out.writeUInt24(value)
    }

    @_lifetime(out: copy out)
    package mutating func write(id: UInt8, uint64 value: UInt64, into out: inout ByteWriter) {
        guard open(id: id, count: 8, into: &out) else { return }
        out.write(value)
    }

    @_lifetime(out: copy out)
    package mutating func write(id: UInt8, _ label: RTPLabel, into out: inout ByteWriter) {
        guard label.count > 0, open(id: id, count: label.count, into: &out) else { return }
        for index in 0..<label.count { out.write(label.bytes[index]) }
    }

    /// Pads the extensions to whole words and says how many there are.
    /// - Returns: The length of the header.
    @_lifetime(out: copy out)
    package consuming func finish(into out: inout ByteWriter) -> Int {
        guard block > 0 else { return out.offset - start }
        let count = out.offset - block - 4
        out.write(zeros: -count & 3)
        out.patch(UInt16(truncatingIfNeeded: (count + 3) / 4), at: block + 2)
        return out.offset - start
    }

    /// - Returns: False if this form cannot carry it: the packet goes out without, it is never
    ///   worth a packet.
    @_lifetime(out: copy out)
    private mutating func open(id: UInt8, count: Int, into out: inout ByteWriter) -> Bool {
        let fits = twoByte ? count <= 255 : id <= 14 && (1...16).contains(count)
        guard id > 0, fits else { return false }
        if block == 0 {
            block = out.offset
            out.patch(first | 0x10, at: start)
            out.write(twoByte ? 0x1000 : 0xbede as UInt16)
            out.write(UInt16(0))
        }
        if twoByte {
            out.write(id)
            out.write(UInt8(count))
        } else {
            out.write(id << 4 | UInt8(count - 1))
        }
        return true
    }
}
