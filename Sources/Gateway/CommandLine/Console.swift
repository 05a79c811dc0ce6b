import Glibc

/// What the user at a terminal reads. What a running server has to say goes to the log.
enum Console {
    static func write(_ text: String) { write(text, to: STDOUT_FILENO) }

    /// What goes beside the result: progress.
    static func note(_ text: String) { write(text, to: STDERR_FILENO) }

    static func error(_ text: String) {
        for line in text.split(separator: "\n") { write("error: \(line)\n", to: STDERR_FILENO) }
    }

    private static func write(_ text: String, to number: CInt) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let written = unsafe rest.withUnsafeBytes {
                unsafe Glibc.write(number, $0.baseAddress, $0.count)
            }
            guard written > 0 else { return }
            rest = rest.dropFirst(written)
        }
    }
}
