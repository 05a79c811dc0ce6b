import Crypto
import Wire

/// A DTLS server that has heard nothing yet: no bytes may end it, nor make it send more than one
/// flight.
func fuzzDTLS(_ bytes: RawSpan) {
    guard let certificate, let context = try? DTLSContext(certificate: certificate) else { return }
    let session = DTLSSession(
        .server, context: context, peer: [certificate.fingerprint()], at: .start)
    var output = DTLSOutput()
    // Cut in two as well: fragments that arrive one by one take other paths.
    let half = bytes.byteCount / 2
    _ = session.receive(bytes.extracting(0..<half), at: .start, into: &output)
    _ = session.receive(
        bytes.extracting(half..<bytes.byteCount), at: .start, into: &output)
    _ = session.receive(bytes, at: .start, into: &output)
    precondition(session.state == .handshaking && output.messages.isEmpty)
    precondition(output.datagrams.byteCount < 8192, "an amplifier")
}

/// One for all runs: to make a key costs more than the rest.
private let certificate = try? Certificate.selfSigned(commonName: "fuzz", from: 0, days: 365_000)

/// What was not protected with the key is never accepted, and what was always is.
func fuzzSRTP(_ bytes: RawSpan) {
    guard var engine = try? CryptoEngine.make(.openSSL) else { return }
    for profile in SRTPProfile.allCases {
        let master = SRTPMaster(
            key: [UInt8](repeating: 1, count: profile.keyCount),
            salt: [UInt8](repeating: 2, count: profile.saltCount))
        let key = engine.add(master, profile: profile, for: .receiving)
        var receiver = SRTPReceiver()
        for isRTCP in [false, true] {
            var packet = [UInt8](copying: bytes)
            var span = packet.mutableSpan
            var window = unsafe span.mutableBytes
            let opened =
                isRTCP
                ? try? receiver.unprotectRTCP(&window, key: key, with: engine)
                : try? receiver.unprotect(&window, key: key, with: engine).count
            precondition(opened == nil, "a forgery was accepted")
        }
        guard bytes.byteCount >= 12 else { continue }
        var sealed = [UInt8](copying: bytes) + [UInt8](repeating: 0, count: 16)
        var span = sealed.mutableSpan
        var window = unsafe span.mutableBytes
        let payload = [UInt8](copying: bytes.extracting(12..<bytes.byteCount))
        let count = engine.protect(
            &window, headerCount: 12, payload: payload.raw, ssrc: 1, index: 1, key: key)
        precondition(count == bytes.byteCount + profile.tagCount)
    }
}
