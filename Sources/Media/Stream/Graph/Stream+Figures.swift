package import Media
package import Wire

/// What comes in by one slot now: for the API and the page.
package struct TrackFigures: Equatable, Sendable {
    package struct Layer: Equatable, Sendable {
        package var rid: String
        package var format: Format
        package var bitsPerSecond: Int
        package var isAlive: Bool
    }

    package var slot: SlotName
    /// Of what viewers get: the highest layer that lives.
    package var format: Format
    package var layers: [Layer]

    /// Of those that live.
    package var bitsPerSecond: Int {
        layers.reduce(0) { $0 + ($1.isAlive ? $1.bitsPerSecond : 0) }
    }
}

extension Stream {
    /// When the present publisher's first media came; nil: none has.
    package var liveSince: Instant? { source?.firstMedia }

    package func trackFigures(at now: Instant) -> [TrackFigures] {
        slots.compactMap { slot in
            guard let announced = slot.announced else { return nil }
            let layers = (slot.given?.encodings ?? []).map { encoding in
                TrackFigures.Layer(
                    rid: encoding.rid, format: encoding.format,
                    bitsPerSecond: encoding.bitsPerSecond, isAlive: encoding.isAlive(at: now))
            }
            return TrackFigures(
                slot: slot.name, format: slot.given?.format(at: now) ?? announced.format,
                layers: layers)
        }
    }
}
