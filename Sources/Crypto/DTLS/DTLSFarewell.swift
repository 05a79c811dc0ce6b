import CCryptoShims
import Wire

/// What is left of a session when OpenSSL's 60 KiB were given back: its record keys, 89 bytes. With
/// them it still says close_notify, and understands the peer's: browsers and OBS end a call so.
@safe struct DTLSFarewell: ~Copyable {
    private var keys = crypto_farewell()

    /// - Returns: `nil` for a cipher that the context does not offer.
    init?(_ connection: SSLConnection, isServer: Bool) {
        guard unsafe crypto_farewell_take(connection.ssl, isServer, &keys) else { return nil }
    }

    deinit {
        var keys = keys
        unsafe crypto_farewell_wipe(&keys)
    }

    func write(into datagrams: inout DatagramList) {
        var record = [UInt8](repeating: 0, count: CRYPTO_FAREWELL_MAXIMUM)
        let count = unsafe withUnsafePointer(to: keys) {
            unsafe crypto_farewell_seal($0, &record)
        }
        guard count > 0 else { return }
        datagrams.append(record.raw.extracting(0..<count))
    }

    /// Whether one of the records says that the peer is gone.
    func isSaid(by datagram: RawSpan) -> Bool {
        var start = 0
        while start + DTLSGuard.headerCount <= datagram.byteCount {
            let count = DTLSGuard.number(datagram, at: start + 11, bytes: 2)
            let end = start + DTLSGuard.headerCount + count
            guard end <= datagram.byteCount else { return false }
            let isEnd = unsafe datagram.extracting(start..<end).withUnsafeBytes { record in
                unsafe withUnsafePointer(to: keys) {
                    unsafe crypto_farewell_opens(
                        $0, record.baseAddress?.assumingMemoryBound(to: UInt8.self), record.count)
                }
            }
            if isEnd { return true }
            start = end
        }
        return false
    }
}
