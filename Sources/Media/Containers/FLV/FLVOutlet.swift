import Media
package import Stream
import Wire

/// From items to the bodies of tags or messages, for one viewer: its own time, which begins at 0,
/// and when a decoder must be told what comes. What it writes for an item is a few bytes; the item
/// itself is in the right form already.
package struct FLVOutlet: Sendable {
    /// Before the item's own bytes.
    package struct Piece: Sendable {
        package var kind: FLVTag.Kind
        package var stamp: UInt32
        package var prefix: FLVBody.Prefix
        /// A body to be sent first.
        package var configuration: [UInt8]?
    }

    package let dialect: FLVDialect
    private var clock = OutletClock(rate: 1000)
    private var sent = SentFormats()

    package init(_ dialect: FLVDialect) { self.dialect = dialect }

    /// What was sent at the start holds for the first items.
    package mutating func note(_ present: [PresentSlot]) { sent.note(present) }

    /// - Returns: nil for a slot that does not go out this way.
    package mutating func next(_ item: borrowing ReadItem) -> Piece? {
        guard item.slot.kind != .data else { return nil }
        let place = clock.place(item, goesOn: OutletClock.goesOn(item.jump))
        var piece = Piece(
            kind: item.slot.kind == .video ? .video : .audio,
            stamp: UInt32(truncatingIfNeeded: place.time),
            prefix: FLVBody.prefix(
                item.era.format, isKey: item.meta.isKey, offset: Int32(clamping: place.offset),
                dialect))
        if sent.change(to: item) {
            piece.configuration = FLVBody.configuration(item.era.format, dialect)
        }
        return piece
    }
}
