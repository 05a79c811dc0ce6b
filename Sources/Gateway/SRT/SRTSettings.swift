package import SRT
import SRTPort
package import Settings
import Stream
package import Wire

/// What the configuration says about callers; a reload brings another one.
package struct SRTSettings: Sendable {
    package var gate: Gate
    package var defaults = SRTRequest.Defaults()
    package var latency = Interval.milliseconds(120)
    /// What the stream of a name is encrypted with; empty: it may not be.
    package var passphrase: @Sendable (_ name: String) -> Secret

    package init(
        gate: Gate, passphrase: @escaping @Sendable (_ name: String) -> Secret = { _ in Secret("") }
    ) {
        self.gate = gate
        self.passphrase = passphrase
    }

    /// Whether a caller may come in: said to libsrt before there is a connection.
    func judge(_ streamID: String, _ peer: Address) -> Judgement {
        let request: SRTRequest
        do throws(SRTRequest.Fault) { request = try SRTRequest(streamID, defaults) } catch {
            return .reject(Self.rejection(error), Self.advice(error))
        }
        let action: Action = request.mode == .publish ? .publish : .read
        switch gate.decide(action, name: request.name, request.credential, peer: peer) {
        case .allow: return .accept(request, passphrase(request.name))
        case .deny(let refusal):
            let reason: SRTRejection =
                refusal.code == .unauthenticated ? .unauthorized : .forbidden
            return .reject(reason, refusal.description)
        }
    }

    enum Judgement {
        case accept(SRTRequest, Secret)
        case reject(SRTRejection, String)
    }

    private static func rejection(_ fault: SRTRequest.Fault) -> SRTRejection {
        switch fault {
        case .malformed, .name: .badRequest
        case .mode: .badMode
        case .type: .unsupportedMedia
        }
    }

    private static func advice(_ fault: SRTRequest.Fault) -> String {
        switch fault {
        case .malformed: "the stream id is none that is known: use publish:APP/STREAM"
        case .name:
            "the stream id names no stream: use publish:APP/STREAM, or set srt.stream for callers "
                + "without one"
        case .mode: "the stream id wants neither to publish nor to read: say m=publish or m=request"
        case .type: "the stream id wants files: only t=stream is served"
        }
    }
}
