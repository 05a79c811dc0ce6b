/// What a worker with readers asks of a stream's home: letters, as values.
package enum RelayUp: Equatable, Sendable {
    /// Send this rendition from its last key frame on, under this number. The number is the
    /// asking worker's own.
    case open(relay: UInt32, stream: String, RenditionKey)
    /// A reader needs a key frame of this layer.
    case key(relay: UInt32, EncodingID)
    /// These indexes are missing here; asked once.
    case refill(relay: UInt32, EncodingID, from: Int64, to: Int64)
    /// The most that anybody here reads.
    case demand(relay: UInt32, bits: Int, highestLayer: UInt8)
    case close(relay: UInt32)

    package var relay: UInt32 {
        switch self {
        case .open(let relay, _, _), .key(let relay, _), .refill(let relay, _, _, _),
            .demand(let relay, _, _), .close(let relay):
            relay
        }
    }
}
