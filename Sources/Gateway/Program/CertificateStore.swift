import Crypto
import Settings
import System
import Wire

/// Where the certificates of encrypted listeners come from: the user's files, or one of our own
/// that is kept in `state.dir` so that a browser needs to be told only once.
struct CertificateStore {
    private static let file = "tls.pem"
    /// Browsers refuse certificates that are good for longer.
    private static let days: Int64 = 397
    private static let day: Int64 = 86_400
    private static let alpn = ["http/1.1"]

    private let state: StateDirectory
    /// The same for all workers and all reloads of this process: clients may resume anywhere.
    private let ticketKeys: [UInt8]

    init(_ state: StateDirectory) {
        self.state = state
        var dice = SystemRandomNumberGenerator()
        ticketKeys = (0..<TLSContext.ticketKeysCount).map { _ in
            UInt8.random(in: 0...255, using: &dice)
        }
    }

    func load(_ config: Config) throws(StartError) -> TLSMaterial? {
        switch config.http.tls.certificate {
        case .off: nil
        case .automatic: material([try automatic()])
        case .files: material(try Preparation.certificates(config.http.tls).map(\.certificate))
        }
    }

    private func material(_ certificates: [Certificate]) -> TLSMaterial {
        TLSMaterial(certificates: certificates, alpn: Self.alpn, ticketKeys: ticketKeys)
    }

    /// Ours, made anew when the old one has less than a month to go.
    private func automatic() throws(StartError) -> Certificate {
        let now = Clock.utcNanoseconds / 1_000_000_000
        if let bytes = try state.read(Self.file),
            let kept = try? Certificate(chain: bytes.raw, key: bytes.raw),
            (try? kept.check(at: now + 30 * Self.day)) != nil
        {
            return kept
        }
        let made = try make(at: now)
        try state.write(Self.file, made.chainPEM + made.keyPEM)
        return made
    }

    private func make(at now: Int64) throws(StartError) -> Certificate {
        do throws(CertificateError) {
            return try Certificate.selfSigned(
                commonName: "gateway", names: ["localhost", ProcessFigures.hostName],
                from: now - Self.day, days: Self.days)
        } catch {
            throw .failed(
                setting: "http.tls.cert", cause: "cannot make a certificate: \(error)",
                code: "bad-certificate")
        }
    }
}
