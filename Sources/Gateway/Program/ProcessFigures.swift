import Glibc

/// What the kernel says about this process: for `/metrics`.
enum ProcessFigures {
    static var residentBytes: Int {
        // The second number of statm: resident pages.
        let words = read("/proc/self/statm").split(separator: " ")
        guard words.count > 1, let pages = Int(words[1]) else { return 0 }
        return pages * sysconf(CInt(_SC_PAGESIZE))
    }

    static var openDescriptors: Int {
        guard let folder = unsafe opendir("/proc/self/fd") else { return 0 }
        defer { _ = unsafe closedir(folder) }
        var count = 0
        while let entry = unsafe readdir(folder) {
            _ = unsafe entry
            count += 1
        }
        // `.`, `..`, and the folder itself.
        return max(0, count - 3)
    }

    private static func read(_ path: String) -> String {
        let number = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard number >= 0 else { return "" }
        defer { close(number) }
        var bytes = [UInt8](repeating: 0, count: 256)
        let count = unsafe Glibc.read(number, &bytes, bytes.count)
        return String(decoding: bytes[..<max(0, count)], as: UTF8.self)
    }
}
