import Crypto
package import Settings
import System
import Wire

/// What can be found out before anything starts, so that a reload or a restart does not fail later.
package enum Preparation {
    /// - Returns: What is not wrong yet, but will be.
    package static func check(_ config: Config) throws(StartError) -> [String] {
        let now = Clock.utcNanoseconds / 1_000_000_000
        var notes: [String] = []
        for (path, certificate) in try certificates(config.http.tls) {
            do throws(CertificateError) {
                try certificate.check(at: now)
            } catch {
                notes.append("http.tls.cert: \(path): \(error)")
            }
        }
        return notes
    }

    /// The user's certificates, in the order of the configuration.
    static func certificates(
        _ tls: Config.TLS
    ) throws(StartError) -> [(path: String, certificate: Certificate)] {
        guard case .files(let chains) = tls.certificate else { return [] }
        var all: [(path: String, certificate: Certificate)] = []
        for (path, key) in zip(chains, tls.keys) {
            let chain = try read(path, of: "http.tls.cert")
            let key = try read(key, of: "http.tls.key")
            do throws(CertificateError) {
                all.append((path, try Certificate(chain: chain.raw, key: key.raw)))
            } catch {
                throw .failed(
                    setting: "http.tls.cert", cause: "\(path): \(error)", code: "bad-certificate")
            }
        }
        return all
    }

    private static func read(_ path: String, of setting: String) throws(StartError) -> [UInt8] {
        do throws(SystemError) {
            return try Files.read(path, maximum: 1 << 20)
        } catch {
            throw .system(setting, error, code: "cannot-read")
        }
    }
}
