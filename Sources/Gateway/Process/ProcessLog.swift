import Settings
import System

// What the configuration says about the log, in the terms of the module that writes it.
extension Config.Log {
    var target: LogOutput.Target {
        switch output {
        case .stdout: .stdout
        case .stderr: .stderr
        case .file(let path): .file(path: path, largest: largestFile, keep: oldFiles)
        }
    }

    var lineFormat: LogFormat {
        switch format {
        case .text: .text
        case .json: .json
        }
    }

    var minimum: Log.Level {
        switch level {
        case .debug: .debug
        case .info: .info
        case .warning: .warning
        case .error: .error
        }
    }

    /// For the process that serves.
    func openWriter() throws(StartError) -> LogWriter {
        do throws(SystemError) {
            return try LogWriter(level: minimum, format: lineFormat, target: target)
        } catch {
            throw .system("log.output", error, code: "cannot-log")
        }
    }
}
