import CYardstick
import Crypto
import Wire

/// Whole DTLS handshakes with certificates on both sides: what a join costs.
struct HandshakeBench {
    private let server: DTLSContext
    private let client: DTLSContext

    init() throws {
        let certificate = try Certificate.selfSigned(commonName: "b", from: 0, days: 365_000)
        server = try DTLSContext(certificate: certificate, isSimulated: true)
        client = try DTLSContext(certificate: certificate, isSimulated: true)
    }

    /// Ours and plain OpenSSL take turns.
    func run(rounds: Int) -> String {
        let plain = unsafe yardstick_dtls_new()
        defer { unsafe yardstick_dtls_free(plain) }
        var best = (ours: UInt64.max, c: UInt64.max)
        for _ in 0..<rounds {
            var sums: (ours: UInt64, c: UInt64) = (0, 0)
            for _ in 0..<10 {
                sums.ours += handshake()
                sums.c += unsafe yardstick_dtls_handshake(plain)
            }
            best = (min(best.ours, sums.ours / 10), min(best.c, sums.c / 10))
        }
        guard best.ours > 0, best.c > 0 else { return "DTLS: nothing measured" }
        func line(_ name: String, _ time: UInt64) -> String {
            "\(name): \(time / 1000) us, \(1_000_000_000 / time) handshakes/s/core"
        }
        return line("DTLS, server side", best.ours) + "\n"
            + line("OpenSSL alone", best.c) + ", \(best.c * 100 / best.ours) % of ours"
    }

    /// Sessions that have answered a hello and hear nothing more: what an attacker can make us
    /// keep.
    func halfOpen() -> String {
        let count = 1000
        let client = DTLSSession(.client, context: client, peer: [], at: .start)
        var (hello, answers) = (DTLSOutput(), DTLSOutput())
        client.start(at: .start, into: &hello)
        let before = yardstick_live_heap()
        var sessions: [DTLSSession] = []
        for _ in 0..<count {
            let session = DTLSSession(.server, context: server, peer: [], at: .start)
            _ = session.receive(hello.datagrams[0], at: .start, into: &answers)
            answers.datagrams.removeAll()
            sessions.append(session)
        }
        let all = yardstick_live_heap() - before
        return "DTLS, half open: \(all / 1024) KiB for \(sessions.count) sessions"
    }

    /// - Returns: The time that the server's side took.
    private func handshake() -> UInt64 {
        let pin = server.fingerprint
        let started = yardstick_thread_time()
        let a = DTLSSession(.server, context: server, peer: [pin], at: .start)
        var time = yardstick_thread_time() - started
        let b = DTLSSession(.client, context: client, peer: [pin], at: .start)
        var (up, down) = (DTLSOutput(), DTLSOutput())
        b.start(at: .start, into: &up)
        while !up.datagrams.isEmpty {
            let start = yardstick_thread_time()
            for index in 0..<up.datagrams.count {
                _ = a.receive(up.datagrams[index], at: .start, into: &down)
            }
            if a.state == .open {
                _ = a.takeKeys()
                a.release()
            }
            time += yardstick_thread_time() - start
            up.datagrams.removeAll()
            for index in 0..<down.datagrams.count {
                _ = b.receive(down.datagrams[index], at: .start, into: &up)
            }
            down.datagrams.removeAll()
        }
        precondition(a.state == .open && b.state == .open, "the handshake is not done")
        return time
    }
}
