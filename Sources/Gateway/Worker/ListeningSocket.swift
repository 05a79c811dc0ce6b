import Crypto
import System

/// A listening socket of one worker, what is spoken on it, and the certificates if it is encrypted.
final class ListeningSocket {
    let served: ServedProtocol
    let isEncrypted: Bool
    private var socket: TCPListener
    private var registration: Poller.Registration?
    /// The present certificates: a reload puts new ones here, and open connections keep theirs.
    private var tls: TLSContext?

    init(_ socket: consuming TCPListener, served: ServedProtocol, tls: TLSContext?) {
        self.socket = socket
        self.served = served
        self.tls = tls
        isEncrypted = tls != nil
    }

    func register(with poller: inout Poller, tag: Int) throws(SystemError) {
        registration = try poller.add(socket, tag: tag)
    }

    /// No new connections: those in the kernel's queue go to whoever else listens, or are refused.
    func stop(_ poller: inout Poller) {
        guard let present = registration else { return }
        poller.remove(present)
        registration = nil
    }

    func accept() throws(SystemError) -> TCPListener.Accepted? { try socket.accept() }

    /// - Returns: nil on a listener in the clear, or when OpenSSL has no memory: then the
    ///   connection is not taken.
    func makeTLS() -> TLSSession? { tls.flatMap { try? TLSSession(server: $0) } }

    func renew(_ tls: TLSContext) { self.tls = tls }

    /// Connections closed unheard, because the process has no more descriptors.
    var shed: Int { socket.shed }
}
