import Containers
import HLS
import Media
import Stream
import Wire

/// A stream that is being cut for HLS at its home, for as long as somebody asks for it. It reads as
/// a viewer does.
final class HLSCutter {
    let key: HLSDirectory.Key
    private let stream: Stream
    private let slots: [SlotName]
    private var reader: Reader
    private var start: OutletStart
    private(set) var segmenter: HLSSegmenter

    init(
        _ key: HLSDirectory.Key, _ rules: HLSRules, _ local: LocalStream, _ stream: Stream,
        utc: Int64, at now: Instant
    ) {
        self.key = key
        self.stream = stream
        let subscription = Self.subscription(rules.container)
        slots = subscription.wants.map(\.slot)
        reader = Reader(subscription, number: local.takeReaderNumber(), at: now)
        start = OutletStart(
            stream.snapshot(at: now), to: Self.output(rules.container), at: now)
        // Grows by one each second, and no segment is that short: a number never comes again.
        segmenter = HLSSegmenter(rules, firstNumber: utc / 1_000_000_000)
    }

    static func output(_ container: HLSRules.Container) -> Output {
        container == .fmp4 ? .hls : .mpegTS
    }

    private static func subscription(_ container: HLSRules.Container) -> Subscription {
        let video: [Codec] = container == .fmp4 ? [.h264, .h265, .av1, .vp9] : [.h264, .h265]
        return OutletStart.subscription(video: video, patience: .zero)
    }

    func resolve(at now: Instant, into orders: inout Orders) {
        start.update(stream.snapshot(at: now))
        reader.resolve(in: stream, at: now, into: &orders)
    }

    func close(at now: Instant, into orders: inout Orders) {
        reader.close(in: stream, at: now, into: &orders)
    }

    /// - Returns: Whether there is something new to be fetched.
    func feed(wall: WallClockModel, at now: Instant, into orders: inout Orders) -> Bool {
        var changed = false
        while begins(at: now), case .item(let track, let index, let jump) = reader.peek(at: now) {
            if cut(track, index, jump, wall) { changed = true }
            reader.advance()
        }
        reader.requestKeys(in: stream, at: now, into: &orders)
        if segmenter.wantsKey, let encoding = reader.encoding(0),
            let rendition = reader.rendition(0)
        {
            stream.requestKey(encoding.id, of: rendition, at: now, into: &orders)
        }
        return changed
    }

    func end() { segmenter.end() }

    private func begins(at now: Instant) -> Bool {
        if start.hasBegun { return true }
        let present = reader.present(at: now).compactMap { track in
            reader.encoding(track).map {
                PresentSlot(
                    slot: slots[track], format: $0.format(at: reader.cursor(track).next))
            }
        }
        guard !present.isEmpty, start.begin(present, at: now) else { return false }
        segmenter.begin(present)
        return true
    }

    private func cut(
        _ track: Int, _ index: Int64, _ jump: Jump?, _ wall: WallClockModel
    ) -> Bool {
        guard let encoding = reader.encoding(track) else { return false }
        let history = encoding.history
        guard let meta = history.meta(index), let bytes = history.bytes(index) else {
            return false
        }
        let capture = encoding.capture(of: meta.ticks)
        let item = ReadItem(
            bytes, meta, encoding.era(at: index), at: index, of: encoding.id, slot: slots[track],
            channel: 0, jump: jump, capture: capture)
        return segmenter.add(item, utc: wall.utc(at: capture))
    }
}
