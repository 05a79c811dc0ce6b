package import Settings
import System

/// Why the program does not start: one line that names the cause and the fix.
package enum StartError: Error {
    case config(ConfigErrors)
    /// The setting to blame, what happened, and a word that stays the same.
    case failed(setting: String, cause: String, code: String)

    static func system(_ setting: String, _ error: SystemError, code: String) -> StartError {
        .failed(setting: setting, cause: error.description, code: code)
    }

    package var lines: String {
        switch self {
        case .config(let errors): errors.description
        case .failed(let setting, let cause, let code): "\(setting): \(cause) code=\(code)"
        }
    }

    /// For a process that need not stop because of it.
    var goingOn: [String] {
        lines.split(separator: "\n").map {
            "going on with the last good configuration, because of a mistake in this one: \($0)"
        }
    }

    package var exitCode: Program.ExitCode {
        switch self {
        case .config: .usage
        case .failed: .failed
        }
    }
}
