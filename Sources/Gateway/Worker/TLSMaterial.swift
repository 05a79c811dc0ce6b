package import Crypto

/// Certificate chains and keys of an encrypted listener, checked when they were read; each worker
/// makes its own context of them, because contexts do not leave their thread.
package struct TLSMaterial: Sendable {
    /// The first is for clients that name no host we know.
    package var certificates: [Certificate]
    package var alpn: [String]
    /// The same for all workers, so that a client may resume with any of them.
    package var ticketKeys: [UInt8]

    package init(certificates: [Certificate], alpn: [String], ticketKeys: [UInt8]) {
        self.certificates = certificates
        self.alpn = alpn
        self.ticketKeys = ticketKeys
    }

    func makeContext() throws(TLSError) -> TLSContext {
        try TLSContext(serverWith: certificates, alpn: alpn, ticketKeys: ticketKeys)
    }
}
