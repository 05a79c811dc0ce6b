package import SDP
import Wire

/// The body of a PATCH (RFC 8840): candidates that a lite agent does not need, or the wish for an
/// ICE restart, which shows in new credentials and in nothing else. Clients disagree about
/// `If-Match`, so it decides nothing here.
package struct TrickleFragment: Equatable, Sendable {
    package var ice: ICECredentials?
    package var candidateCount: Int
    package var hasEnd: Bool
    /// The m-lines the client wrote, to be written back.
    package var medias: [SDPMedia]

    /// - Throws: For what is no fragment at all: JSON bodies have been seen.
    package init(_ text: RawSpan) throws(NegotiationError) {
        let body: SDPDescription
        do {
            body = try SDPDescription(text)
        } catch {
            if case .tooMuch = error { throw NegotiationError(.tooLarge, error.description) }
            throw NegotiationError(.malformed, error.description)
        }
        // Players put the credentials at the top, the RFC into the m-section.
        let transport = body.medias.first.map { body.transport(of: $0) } ?? body.transport
        if transport.ufrag != nil || transport.password != nil {
            guard let ufrag = transport.ufrag, ICEText.isValid(ufrag, sizes: 4...256),
                let password = transport.password, ICEText.isValid(password, sizes: 22...256)
            else { throw NegotiationError(.noICE, "a=ice-ufrag and a=ice-pwd belong together") }
            ice = ICECredentials(ufrag: ufrag, password: password)
        }
        let early = body.attributes.count { $0.name == "candidate" }
        candidateCount = body.medias.reduce(early) { $0 + $1.candidates.count }
        hasEnd =
            body.medias.contains { $0.hasEndOfCandidates }
            || body.attributes.contains { $0.name == "end-of-candidates" }
        medias = body.medias
        guard ice != nil || candidateCount > 0 || hasEnd || !medias.isEmpty else {
            throw NegotiationError(
                .malformed, "the fragment has neither candidates nor credentials")
        }
    }

    /// Whether the client wants new credentials from us too.
    package func isRestart(of session: NegotiatedSession) -> Bool {
        guard let ice else { return false }
        return ice != session.remote
    }

    /// Our side of a restart: the body of a 200.
    package static func answer(
        local: ICECredentials, candidates: [SDPCandidate], mid: String, kind: String
    ) -> [UInt8] {
        var lines = [
            "a=ice-lite", "a=ice-options:trickle", "a=ice-ufrag:\(local.ufrag)",
            "a=ice-pwd:\(local.password)", "m=\(kind) 9 UDP/TLS/RTP/SAVPF 0", "a=mid:\(mid)",
        ]
        lines += candidates.map { "a=candidate:\($0)" }
        lines.append("a=end-of-candidates")
        return Array(lines.map { $0 + "\r\n" }.joined().utf8)
    }
}
