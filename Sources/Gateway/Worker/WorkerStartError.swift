import System

/// Why a worker cannot begin at all.
package struct WorkerStartError: Error, Sendable, CustomStringConvertible {
    package let description: String

    init(_ error: SystemError) { description = "\(error)" }
    init(_ cause: String) { description = cause }
}
