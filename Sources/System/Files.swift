internal import CLinux
import Glibc

/// Whole files. These calls block: at start, or as a job of the pool.
package enum Files {
    /// - Parameter maximum: Larger files are refused: what we read is configuration and pages.
    package static func read(
        _ path: String, maximum: Int = 64 * 1024 * 1024
    ) throws(SystemError) -> [UInt8] {
        let file = try Descriptor(unsafe linux_open_read(path), "open \(path)")
        let size = try SystemError.check(Int(linux_file_size(file.number)), "look at \(path)")
        guard size <= maximum else { throw SystemError(doing: "read \(path)", code: EFBIG) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: max(4096, min(size + 1, 1024 * 1024)))
        while bytes.count <= maximum {
            let result = unsafe piece.withUnsafeMutableBytes {
                unsafe linux_read(file.number, $0.baseAddress, $0.count)
            }
            let count = try SystemError.check(result, "read \(path)")
            if count == 0 { return bytes }
            bytes += piece[..<count]
        }
        throw SystemError(doing: "read \(path)", code: EFBIG)
    }

    /// Puts a new content in the place of a file: the old or the new is there, never a half.
    package static func replace(
        _ path: String, with bytes: [UInt8], mode: UInt32 = 0o640
    ) throws(SystemError) {
        let draft = path + ".new"
        do {
            let file = try Descriptor(unsafe linux_open_write(draft, 1, mode), "open \(draft)")
            let result = unsafe bytes.withUnsafeBytes {
                unsafe linux_write_all(file.number, $0.baseAddress, $0.count)
            }
            _ = try SystemError.check(result, "write \(draft)")
            try SystemError.check(linux_sync(file.number), "sync \(draft)")
        } catch {
            _ = unsafe linux_remove(draft)
            throw error
        }
        try SystemError.check(unsafe linux_rename(draft, path), "rename \(draft)")
    }
}
