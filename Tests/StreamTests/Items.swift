import Media
import Stream
import Wire

// Items as the tests need them: bytes that name their index, and metas in one line.

func ms(_ milliseconds: Int64) -> Instant { .start + .milliseconds(milliseconds) }

/// Bytes that no other index has. A fill and eight patched bytes: in debug, a loop over each byte
/// would be most of the time these tests take.
func pattern(_ index: Int64, _ count: Int) -> [UInt8] {
    var bytes = [UInt8](repeating: UInt8(truncatingIfNeeded: index &* 31), count: count)
    for place in 0..<min(8, count) {
        let byte = UInt8(truncatingIfNeeded: index >> (8 * Int64(place)))
        bytes[place] = byte
        bytes[count - 1 - place] ^= byte
    }
    return bytes
}

/// One packet that is a whole frame, unless said otherwise.
func packet(
    _ frame: Int64, at milliseconds: Int64 = 0, key: Bool = false, start: Bool = true,
    end: Bool = true
) -> ItemMeta {
    var flags: ItemMeta.Flags = []
    if key { flags.insert(.key) }
    if start { flags.insert(.frameStart) }
    if end { flags.formUnion([.frameEnd, .marker]) }
    return ItemMeta(ticks: frame * 3_000, arrival: ms(milliseconds), length: 0, flags: flags)
}

/// A copy, because an expectation cannot hold a span.
func bytes(_ history: History, _ index: Int64) -> [UInt8]? {
    guard let span = history.bytes(index) else { return nil }
    return [UInt8](copying: span)
}
