import Glibc
package import Settings
package import System

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
        guard let path else { return try load(nil) }
        let text: [UInt8]
        do throws(SystemError) {
            text = try Files.read(path, maximum: YAMLFile.largestFile)
        } catch {
            throw .config(ConfigErrors([ConfigError(Place(path), "\(error)")]))
        }
        return try load((path, text))
    }

    /// For a process that has to start again, whatever happened to the file meanwhile.
    ///
    /// - Returns: The file, which is the last good one from here on; or the last good one, and what
    ///   is wrong with the file.
    package func load(
        orFrom lastGood: borrowing Keepsake
    ) throws(StartError) -> (LoadedConfig, mistake: StartError?) {
        do throws(StartError) {
            let loaded = try load()
            lastGood.write(loaded.text)
            return (loaded, nil)
        } catch {
            guard let text = lastGood.read() else { throw error }
            return (try load((path ?? "the last good configuration", text)), error)
        }
    }

    private func load(_ file: (name: String, text: [UInt8])?) throws(StartError) -> LoadedConfig {
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
        sources.file = file
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
