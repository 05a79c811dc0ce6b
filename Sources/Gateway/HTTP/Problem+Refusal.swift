import ICE
import Stream
import Wire

/// What the rest of the gateway says, in the words of HTTP.
extension Problem {
    /// When to come back after a bound was reached: long enough for some to have left.
    private static let patience = Interval.seconds(5)
    private static let soon = Interval.seconds(2)

    init(_ refusal: Refusal) {
        let (code, retryAfter): (ProblemCode, Interval?) =
            switch refusal.code {
            case .badName: (.badName, nil)
            case .unauthenticated: (.unauthorized, nil)
            case .forbidden: (.forbidden, nil)
            case .notFound: (.streamNotFound, Self.soon)
            case .nameInUse: (.streamTaken, Self.soon)
            case .timeout: (.streamNotLive, Self.soon)
            case .sourceFailed: (.sourceFailed, Self.patience)
            case .unsupportedCodec: (.codecNotCarried, nil)
            case .tooMany: (.tooManySessions, Self.patience)
            case .outOfMemory, .overloaded: (.overloaded, Self.patience)
            case .shuttingDown: (.shuttingDown, Self.soon)
            }
        self.init(code, refusal.sentence, retryAfter: retryAfter)
    }

    /// The codes are the same words; a test looks that none is missing here.
    init(_ error: NegotiationError) {
        self.init(ProblemCode(rawValue: error.code.rawValue) ?? .sdpMalformed, error.detail)
    }

    init(_ refusal: RTCRefusal) {
        switch refusal {
        case .refusal(let refusal): self.init(refusal)
        case .negotiation(let error): self.init(error)
        case .noPublisher(let after):
            self.init(.streamNotLive, "nobody publishes it now", retryAfter: after)
        }
    }
}
