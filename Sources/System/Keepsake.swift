internal import CLinux
import Wire

/// A text that outlives the process that wrote it: a file in memory, inherited by name like a
/// socket.
///
///     length (4) │ CRC-32 (4) │ the text
///
/// Its writer may be killed in the middle, so the sum tells whether the text is whole.
package struct Keepsake: ~Copyable, Sendable {
    private static let headLength = 8
    /// More than the largest configuration file.
    private static let largest = 4 << 20

    package let descriptor: Descriptor

    package init(_ label: String) throws(SystemError) {
        descriptor = try Descriptor(unsafe linux_memory_file(label), "keep \(label) in memory")
    }

    package init(adopting descriptor: consuming Descriptor) { self.descriptor = descriptor }

    /// Written in the place of what was there; what cannot be written is not kept.
    package borrowing func write(_ text: [UInt8]) {
        guard text.count <= Self.largest else { return }
        var bytes: [UInt8] = []
        bytes.append(bigEndian: UInt32(text.count))
        bytes.append(bigEndian: Self.sum(text))
        bytes += text
        _ = unsafe bytes.withUnsafeBytes {
            unsafe linux_write_at(descriptor.number, $0.baseAddress, $0.count, 0)
        }
    }

    /// nil: nothing was ever written, or only a part.
    package borrowing func read() -> [UInt8]? {
        let head = bytes(Self.headLength, at: 0)
        var reader = ByteReader(head.raw)
        guard let length = try? reader.read(UInt32.self), length <= Self.largest,
            let sum = try? reader.read(UInt32.self)
        else { return nil }
        let text = bytes(Int(length), at: Int64(Self.headLength))
        return text.count == length && Self.sum(text) == sum ? text : nil
    }

    private borrowing func bytes(_ count: Int, at offset: Int64) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        let result = unsafe bytes.withUnsafeMutableBytes {
            unsafe linux_read_at(descriptor.number, $0.baseAddress, $0.count, offset)
        }
        return Array(bytes.prefix(max(result, 0)))
    }

    private static func sum(_ text: [UInt8]) -> UInt32 {
        var sum = CRC32()
        sum.update(text.raw)
        return sum.value
    }
}
