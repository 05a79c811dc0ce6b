import Glibc

/// The environment of the process, read once at start and handed down as a value.
package enum ProcessEnvironment {
    package static var all: [String: String] {
        var found: [String: String] = [:]
        var at = unsafe environ
        while let entry = unsafe at.pointee {
            let text = unsafe String(cString: entry)
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if parts.count == 2 { found[String(parts[0])] = String(parts[1]) }
            unsafe at = unsafe at.advanced(by: 1)
        }
        return found
    }
}
