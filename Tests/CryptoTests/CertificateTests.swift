import Crypto
import Testing
import Wire

struct CertificateTests {
    /// 2026-01-01T00:00:00Z.
    static let newYear: Int64 = 1_767_225_600

    @Test func aSelfSignedCertificateSurvivesItsFile() throws {
        let made = try Certificate.selfSigned(
            commonName: "gateway", names: ["media.example", "192.0.2.7"], from: Self.newYear,
            days: 30)
        let read = try Certificate(chain: made.chainPEM.raw, key: made.keyPEM.raw)

        #expect(read.names == ["media.example", "192.0.2.7"])
        #expect(read.notBefore == Self.newYear)
        #expect(read.notAfter == Self.newYear + 30 * 86_400)
        #expect(read.fingerprint() == made.fingerprint())
        #expect(String(decoding: made.keyPEM, as: UTF8.self).hasPrefix("-----BEGIN PRIVATE"))
    }

    @Test func noTwoAreAlike() throws {
        let one = try Certificate.selfSigned(commonName: "a", from: 0, days: 1)
        let two = try Certificate.selfSigned(commonName: "a", from: 0, days: 1)
        #expect(one.fingerprint() != two.fingerprint())
    }

    @Test func saysWhatIsWrongWithFiles() throws {
        let mine = try Certificate.selfSigned(commonName: "a", from: Self.newYear, days: 1)
        let other = try Certificate.selfSigned(commonName: "a", from: Self.newYear, days: 1)
        let text = Array("not a certificate".utf8)
        let encrypted = Array("-----BEGIN ENCRYPTED PRIVATE KEY-----\n".utf8)

        #expect(throws: CertificateError.keyMismatch) {
            try Certificate(chain: mine.chainPEM.raw, key: other.keyPEM.raw)
        }
        #expect(throws: CertificateError.notPEM("certificate")) {
            try Certificate(chain: text.raw, key: mine.keyPEM.raw)
        }
        #expect(throws: CertificateError.notPEM("private key")) {
            try Certificate(chain: mine.chainPEM.raw, key: text.raw)
        }
        #expect(throws: CertificateError.encryptedKey) {
            try Certificate(chain: mine.chainPEM.raw, key: encrypted.raw)
        }
    }

    @Test func knowsItsDates() throws {
        let certificate = try Certificate.selfSigned(
            commonName: "a", from: Self.newYear, days: 59)
        try certificate.check(at: Self.newYear)
        #expect(throws: CertificateError.expired(on: "2026-03-01")) {
            try certificate.check(at: Self.newYear + 59 * 86_400)
        }
        #expect(throws: CertificateError.notYetValid(from: "2026-01-01")) {
            try certificate.check(at: Self.newYear - 1)
        }
    }

    @Test(arguments: [
        (2, "1970-01-03"), (59, "1970-03-01"), (11016, "2000-02-29"), (-1, "1969-12-31"),
    ])
    func writesDays(days: Int64, text: String) throws {
        let certificate = try Certificate.selfSigned(commonName: "a", from: 0, days: days)
        #expect(throws: CertificateError.expired(on: text)) {
            try certificate.check(at: max(0, days) * 86_400 + 1)
        }
    }

    @Test func neverPrintsItsKey() throws {
        let certificate = try Certificate.selfSigned(
            commonName: "a", names: ["b"], from: 0, days: 1)
        #expect("\(certificate)" == "certificate for b until 1970-01-02")
    }
}

struct FingerprintTests {
    static let text =
        "sha-256 00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:"
        + "10:11:12:13:14:15:16:17:18:19:1A:1B:1C:1D:1E:FF"

    @Test func isReadAndWrittenAsInSDP() throws {
        let fingerprint = try Fingerprint(Self.text)
        #expect(fingerprint.hash == .sha256)
        #expect(fingerprint.bytes.count == 32)
        #expect(fingerprint.bytes.last == 0xff)
        #expect(fingerprint.description == Self.text)
        #expect(try Fingerprint(Self.text.lowercased()) == fingerprint)
        #expect(try Fingerprint(Self.text.uppercased()) == fingerprint)
    }

    @Test(arguments: [
        "", "sha-256", "sha-256 ", "md5 00", "sha-256 00:01", "sha-999 00", "sha-1 +1:00",
        String(FingerprintTests.text.dropLast()), FingerprintTests.text + ":00",
        FingerprintTests.text.replacing("0A", with: "0G"),
        FingerprintTests.text.replacing("0A", with: "0AA"),
    ])
    func refuses(text: String) {
        #expect(throws: ParseError.self) { try Fingerprint(text) }
    }
}
