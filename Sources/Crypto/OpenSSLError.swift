import COpenSSL

/// OpenSSL's queue of errors, which belongs to the thread and not to a call: it is emptied before
/// each call, or an old error of another session would be taken for a new one.
enum OpenSSLError {
    static func clear() { ERR_clear_error() }

    /// Why the last call failed, in OpenSSL's words: "wrong version number".
    static var last: String {
        let code = ERR_peek_last_error()
        guard let reason = unsafe ERR_reason_error_string(code) else { return "no reason given" }
        return unsafe String(cString: reason)
    }
}
