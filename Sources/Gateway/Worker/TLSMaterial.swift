package import Crypto

/// Certificate chain and key of an encrypted listener, checked when they were read; each worker
/// makes its own context of them, because contexts do not leave their thread.
package struct TLSMaterial: Sendable {
    package var certificate: Certificate
    package var alpn: [String]
    /// The same for all workers, so that a client may resume with any of them.
    package var ticketKeys: [UInt8]

    package init(certificate: Certificate, alpn: [String], ticketKeys: [UInt8]) {
        self.certificate = certificate
        self.alpn = alpn
        self.ticketKeys = ticketKeys
    }

    func makeContext() throws(TLSError) -> TLSContext {
        try TLSContext(serverWith: [certificate], alpn: alpn, ticketKeys: ticketKeys)
    }
}
