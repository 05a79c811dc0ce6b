import CZlib

/// Compression of what is sent often and never changes: done once, at start.
package enum Gzip {
    /// 15 bits of window, and 16 more say that the format is gzip's (zlib.h, deflateInit2).
    private static let windowBits: CInt = 15 + 16

    /// - Returns: Nil if zlib refuses: then the bytes are sent as they are.
    package static func compress(_ bytes: [UInt8]) -> [UInt8]? {
        var stream = unsafe z_stream()
        let size = CInt(unsafe MemoryLayout<z_stream>.size)
        guard
            unsafe deflateInit2_(
                &stream, Z_BEST_COMPRESSION, Z_DEFLATED, windowBits, 9, Z_DEFAULT_STRATEGY,
                ZLIB_VERSION, size) == Z_OK
        else { return nil }
        defer { unsafe deflateEnd(&stream) }
        var input = bytes
        var output = [UInt8](
            repeating: 0, count: Int(unsafe deflateBound(&stream, UInt(bytes.count))))
        let result = unsafe input.withUnsafeMutableBufferPointer { from in
            unsafe output.withUnsafeMutableBufferPointer { to in
                unsafe stream.next_in = from.baseAddress
                unsafe stream.avail_in = CUnsignedInt(from.count)
                unsafe stream.next_out = to.baseAddress
                unsafe stream.avail_out = CUnsignedInt(to.count)
                return unsafe deflate(&stream, Z_FINISH)
            }
        }
        guard result == Z_STREAM_END else { return nil }
        return Array(output[..<Int(unsafe stream.total_out)])
    }
}
