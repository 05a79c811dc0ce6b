import Glibc

/// What the kernel says about this program: for `/metrics`. The supervisor is a part of it, so its
/// figures are added to those of the process that serves.
enum ProcessFigures {
    static var residentBytes: Int { processes.reduce(0) { $0 + residentBytes(of: $1) } }

    static var cpuSeconds: Double { processes.reduce(0) { $0 + cpuSeconds(of: $1) } }

    /// Ourselves, and our parent if it runs the same program.
    private static var processes: [String] {
        let parent = "/proc/\(getppid())"
        return executable(parent) == executable("/proc/self")
            ? ["/proc/self", parent] : ["/proc/self"]
    }

    private static func executable(_ process: String) -> String? {
        var bytes = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = unsafe readlink("\(process)/exe", &bytes, bytes.count)
        guard count > 0 else { return nil }
        return String(decoding: bytes[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private static func cpuSeconds(of process: String) -> Double {
        // Behind the name in brackets, which may hold anything: utime and stime are words 11, 12.
        let text = read("\(process)/stat")
        guard let end = text.lastIndex(of: ")") else { return 0 }
        let words = text[end...].split(separator: " ")
        guard words.count > 13, let user = Int(words[12]), let system = Int(words[13]) else {
            return 0
        }
        return Double(user + system) / Double(sysconf(CInt(_SC_CLK_TCK)))
    }

    private static func residentBytes(of process: String) -> Int {
        // The second number of statm: resident pages.
        let words = read("\(process)/statm").split(separator: " ")
        guard words.count > 1, let pages = Int(words[1]) else { return 0 }
        return pages * sysconf(CInt(_SC_PAGESIZE))
    }

    static var openDescriptors: Int { processes.reduce(0) { $0 + openDescriptors(of: $1) } }

    private static func openDescriptors(of process: String) -> Int {
        guard let folder = unsafe opendir("\(process)/fd") else { return 0 }
        defer { _ = unsafe closedir(folder) }
        var count = 0
        while let entry = unsafe readdir(folder) {
            _ = unsafe entry
            count += 1
        }
        // `.` and `..`.
        return max(0, count - 2)
    }

    static var ramBytes: Int { sysconf(CInt(_SC_PHYS_PAGES)) * sysconf(CInt(_SC_PAGESIZE)) }

    static var hostName: String {
        let name = read("/proc/sys/kernel/hostname").filter { !$0.isWhitespace }
        return name.isEmpty ? "localhost" : name
    }

    private static func read(_ path: String) -> String {
        let number = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard number >= 0 else { return "" }
        defer { close(number) }
        var bytes = [UInt8](repeating: 0, count: 1024)
        let count = unsafe Glibc.read(number, &bytes, bytes.count)
        return String(decoding: bytes[..<max(0, count)], as: UTF8.self)
    }
}
