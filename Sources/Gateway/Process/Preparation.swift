import Crypto
package import Settings
import System
import Wire

/// What can be found out before anything starts, so that a reload or a restart does not fail later.
package enum Preparation {
    /// - Returns: What is not wrong yet, but will be.
    package static func check(_ config: Config) throws(StartError) -> [String] {
        guard case .file(let path) = config.http.tls.certificate else { return [] }
        let chain = try read(path, of: "http.tls.cert")
        let key = try read(config.http.tls.key, of: "http.tls.key")
        do throws(CertificateError) {
            let certificate = try Certificate(chain: chain.raw, key: key.raw)
            do throws(CertificateError) {
                try certificate.check(at: Clock.utcNanoseconds / 1_000_000_000)
                return []
            } catch {
                return ["http.tls.cert: \(path): \(error)"]
            }
        } catch {
            throw .failed(
                setting: "http.tls.cert", cause: "\(path): \(error)", code: "bad-certificate")
        }
    }

    private static func read(_ path: String, of setting: String) throws(StartError) -> [UInt8] {
        do throws(SystemError) {
            return try Files.read(path, maximum: 1 << 20)
        } catch {
            throw .system(setting, error, code: "cannot-read")
        }
    }
}
