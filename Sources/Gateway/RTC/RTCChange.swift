package import ICE
package import Stream
import Wire

/// What a viewer may have changed while it stays connected.
package enum RTCChange: Sendable {
    /// Another stream; who asks, and with what, is judged for it anew.
    case source(String, Credential, GateRequest)
    case layer(LayerChoice)
    /// Fewer pictures: up to this temporal layer, or key frames only.
    case rate(temporal: UInt8, keyFramesOnly: Bool)
}

/// Questions about sessions at other workers, and who waits for their answers.
struct RTCAsks {
    /// A worker that says nothing for this long is not waited for.
    private static let patience = Interval.seconds(1)

    private var open: [UInt32: (end: Instant, done: (Refusal?) -> Void)] = [:]
    private var last: UInt32 = 0

    mutating func enter(at now: Instant, _ done: @escaping (Refusal?) -> Void) -> UInt32 {
        last &+= 1
        open[last] = (now + Self.patience, done)
        return last
    }

    mutating func take(_ ask: UInt32) -> ((Refusal?) -> Void)? {
        open.removeValue(forKey: ask)?.done
    }

    var deadline: Instant { open.values.map(\.end).min() ?? .distantFuture }

    mutating func takeLate(at now: Instant) -> [(Refusal?) -> Void] {
        let late = open.filter { $0.value.end <= now }
        for ask in late.keys { open[ask] = nil }
        return late.values.map(\.done)
    }
}
