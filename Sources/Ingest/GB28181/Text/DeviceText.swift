/// What devices write: UTF-8 or GB18030, whatever the declaration says.
///
/// GB18030 needs a table of its own size; the shell has one and hands it in.
package struct DeviceText: Sendable {
    /// GB18030 to UTF-8; what means nothing becomes U+FFFD. nil: there is no table.
    package var decodeGB18030: @Sendable ([UInt8]) -> [UInt8]?

    package init(decodeGB18030: @escaping @Sendable ([UInt8]) -> [UInt8]?) {
        self.decodeGB18030 = decodeGB18030
    }

    /// Only what needs no table.
    package static let plain = DeviceText { _ in nil }

    /// Cameras say `GB2312` and send UTF-8, and the other way round: bytes that are UTF-8 beyond
    /// ASCII are no GB18030 by accident, and everything else is.
    ///
    /// - Returns: UTF-8, without byte order mark and zeros.
    package func utf8(_ bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes
        if bytes.starts(with: [0xef, 0xbb, 0xbf]) { bytes.removeFirst(3) }
        bytes.removeAll { $0 == 0 }
        if String(validating: bytes, as: UTF8.self) != nil { return bytes }
        if let decoded = decodeGB18030(bytes) { return decoded }
        return Array(String(decoding: bytes, as: UTF8.self).utf8)
    }
}
