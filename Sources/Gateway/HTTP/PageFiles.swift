import Glibc
package import HTTP
import System
import Wire

/// Reads the page into memory, once at start and at each reload: a request never touches a file.
package enum PageFiles {
    /// The page is a few files of a few kilobytes; somebody who points the setting at a whole disk
    /// learns of it at once.
    private static let filesMaximum = 256
    private static let bytesMaximum = 16 << 20
    private static let depthMaximum = 4

    /// - Parameter folder: The setting. Empty: where it lies beside the program.
    package static func load(_ folder: String) throws(StartError) -> StaticSite {
        let beside = BesideProgram.folder("public", holding: "index.html")
        guard let top = folder.isEmpty ? beside : folder else { return StaticSite() }
        var found: [String: StaticFile] = [:]
        var bytes = 0
        var folders = [(path: top, url: "/", depth: 0)]
        while let next = folders.popLast() {
            for (name, kind) in try entries(of: next.path) {
                switch kind {
                case .folder where next.depth < depthMaximum:
                    folders.append(("\(next.path)/\(name)", "\(next.url)\(name)/", next.depth + 1))
                case .file:
                    let content = try read("\(next.path)/\(name)")
                    bytes += content.count
                    guard bytes <= bytesMaximum, found.count < filesMaximum else {
                        throw problem(top, "more than \(filesMaximum) files or 16 MiB")
                    }
                    found[next.url + name] = StaticFile(
                        name: name, content, compressed: compressed(name, content))
                case .folder, .other: break
                }
            }
        }
        return StaticSite(found)
    }

    /// Pictures and fonts are compressed already.
    private static func compressed(_ name: String, _ bytes: [UInt8]) -> [UInt8]? {
        let type = MediaType.ofFile(name)
        let isText = type.hasPrefix("text/") || type.hasSuffix("+xml") || type.hasSuffix("/json")
        return isText ? Gzip.compress(bytes) : nil
    }

    private enum Kind { case file, folder, other }

    /// What begins with a dot, what leads elsewhere (a link), and notes for people are not served.
    private static func entries(of path: String) throws(StartError) -> [(String, Kind)] {
        guard let folder = unsafe opendir(path) else {
            throw problem(path, unsafe String(cString: strerror(errno)))
        }
        defer { _ = unsafe closedir(folder) }
        var found: [(String, Kind)] = []
        while let entry = unsafe readdir(folder) {
            let name = unsafe withUnsafePointer(to: entry.pointee.d_name) { text in
                unsafe text.withMemoryRebound(to: CChar.self, capacity: 256) {
                    unsafe String(cString: $0)
                }
            }
            guard !name.hasPrefix("."), !name.hasSuffix(".md") else { continue }
            found.append((name, kind(of: "\(path)/\(name)")))
        }
        return found
    }

    private static func kind(of path: String) -> Kind {
        var info = stat()
        guard unsafe lstat(path, &info) == 0 else { return .other }
        return switch info.st_mode & S_IFMT {
        case S_IFREG: .file
        case S_IFDIR: .folder
        default: .other
        }
    }

    private static func read(_ path: String) throws(StartError) -> [UInt8] {
        do throws(SystemError) {
            return try Files.read(path, maximum: bytesMaximum)
        } catch {
            throw .system("http.pages", error, code: "cannot-read")
        }
    }

    private static func problem(_ path: String, _ cause: String) -> StartError {
        .failed(setting: "http.pages", cause: "\(path): \(cause)", code: "cannot-read")
    }
}
