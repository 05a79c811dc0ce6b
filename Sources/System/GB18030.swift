import CLinux

/// The encoding of Chinese devices, by the table of the C library.
package enum GB18030 {
    /// In UTF-8; what means nothing becomes U+FFFD. nil: the C library has no table.
    @Sendable
    package static func utf8(_ bytes: [UInt8]) -> [UInt8]? {
        guard !bytes.isEmpty else { return [] }
        let room = bytes.count * 3
        let text = unsafe [UInt8](unsafeUninitializedCapacity: room) { buffer, count in
            unsafe bytes.withUnsafeBufferPointer { source in
                count = unsafe linux_from_gb18030(
                    source.baseAddress, source.count, buffer.baseAddress, room)
            }
        }
        return text.isEmpty ? nil : text
    }
}
