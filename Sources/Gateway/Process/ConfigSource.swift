import Glibc
package import Settings
import System

/// Where this process has its configuration from: found once, read at start and at every reload.
package struct ConfigSource: Sendable {
    /// `nil`: no file was named and none was found.
    package let path: String?
    private let settings: [String]
    private let environment: [String: String]

    package init(options: Command.Options, environment: [String: String]) {
        self.settings = options.settings
        self.environment = environment
        self.path = options.file ?? environment["GATEWAY_CONFIG"] ?? Self.usual
    }

    private static var usual: String? {
        ["gateway.yml", "/etc/gateway/gateway.yml"].first { unsafe access($0, F_OK) == 0 }
    }

    package func load() throws(StartError) -> LoadedConfig {
        var sources = ConfigSources()
        sources.environment = environment
        sources.options = settings
        sources.read = { path in
            do throws(SystemError) {
                return .text(try Files.read(path, maximum: YAMLFile.largestFile))
            } catch {
                return .failed("\(error)")
            }
        }
        if let path {
            do throws(SystemError) {
                sources.file = (path, try Files.read(path, maximum: YAMLFile.largestFile))
            } catch {
                throw .config(ConfigErrors([ConfigError(Place(path), "\(error)")]))
            }
        }
        do throws(ConfigErrors) {
            return try sources.load()
        } catch {
            throw .config(error)
        }
    }

    /// To see whether the file has changed.
    package var stamp: FileStamp? { path.flatMap { FileStamp($0) } }
}

/// What tells one content of a file from another without reading it. Editors write a new file and
/// rename it, so its number counts as well.
package struct FileStamp: Equatable, Sendable {
    private let seconds: Int
    private let nanoseconds: Int
    private let size: Int64
    private let number: UInt64

    package init?(_ path: String) {
        var info = stat()
        guard unsafe stat(path, &info) == 0 else { return nil }
        seconds = info.st_mtim.tv_sec
        nanoseconds = info.st_mtim.tv_nsec
        size = Int64(info.st_size)
        number = UInt64(info.st_ino)
    }
}
