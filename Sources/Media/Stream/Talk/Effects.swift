package import Media
package import Wire

/// What a session of any protocol wants done: the sink it writes into while it is handed bytes.
///
///     struct FooSession {
///         mutating func receive(_ bytes: RawSpan, at now: Instant, into effects: inout Effects)
///         mutating func answer(
///             _ answer: Answer, to id: QuestionID, at now: Instant, into effects: inout Effects)
///         mutating func notice(_ notice: Notice, at now: Instant, into effects: inout Effects)
///         mutating func expire(at now: Instant, into effects: inout Effects)
///         var deadline: Instant { get }
///     }
///
/// A publisher asks `.publish` and, once answered `.published`, writes media:
///
///     effects.frame(bytes, meta, channel: 0, slot: .video)          // announced as .frames
///     effects.packet(bytes, meta, sequence: extended, channel: 0, slot: .video, layer: 0)
///
/// The worker owns one `Effects` and lends it; the bytes of media lie in an arena inside it, so
/// that a frame or packet costs one copy and no allocation. What the peer is to receive goes into
/// the session's own output, not in here. The order of effects is the order in which they are done.
package struct Effects: Sendable {
    package enum Effect: Equatable, Sendable {
        case ask(Question, QuestionID)
        /// Items of `media` for one layer of a slot, in the form that was announced.
        case media(ChannelID, SlotName, layer: UInt8, items: Range<Int>)
        /// A slot that was not announced, or announced otherwise; what comes next is of it.
        case announce(ChannelID, AnnouncedSlot)
        /// The format of a layer from the next item on.
        case format(ChannelID, SlotName, layer: UInt8, Format)
        /// All slots have been announced.
        case tracksComplete(ChannelID)
        /// A pair of the publisher's clock and its media time, from a sender report.
        case clock(ChannelID, SlotName, layer: UInt8, ntpNanoseconds: Int64, ticks: Int64)
        /// How long it is to the publisher and back, measured anew from time to time.
        case roundTrip(ChannelID, Interval)
        /// These packets will not come any more: the publisher was asked for them in vain.
        case lost(ChannelID, SlotName, layer: UInt8, ClosedRange<Int64>)
        /// Nothing has come of the publisher for a while, or something again. A silent one cannot
        /// keep its name from anybody who may publish.
        case silence(ChannelID, Bool)
        case unpublish(ChannelID, EndReason)
        case unsubscribe(ChannelID)
        /// A viewer that must begin anew.
        case keyRequest(ChannelID, SlotName)
        /// The most that a viewer can use of a slot: its publisher need not send more than the most
        /// that anybody can.
        case demand(ChannelID, SlotName, Demand)
        /// Nothing more is to be read for it until `.resume`.
        case pause(ChannelID, SlotName)
        case resume(ChannelID, SlotName)
        /// All UDP ports of its own are given back.
        case closeLines
        /// The session is over; what it has written to its peer is still sent.
        case close(EndReason)
    }

    package private(set) var list: [Effect] = []
    package private(set) var media = ItemBatch()
    /// The extended sequence number of each item of `media`; 0 for frames.
    package private(set) var sequences: [Int64] = []

    package init() {}

    package var isEmpty: Bool { list.isEmpty }

    package mutating func append(_ effect: Effect) { list.append(effect) }

    package mutating func ask(_ question: Question, _ id: QuestionID) {
        list.append(.ask(question, id))
    }

    /// A frame in the normal form (see `ItemMeta`).
    package mutating func frame(
        _ bytes: RawSpan, _ meta: ItemMeta, channel: ChannelID, slot: SlotName
    ) {
        media.append(bytes, meta)
        noteItems(sequence: 0, channel, slot, layer: 0)
    }

    /// An RTP payload as it came. Of its meta only `ticks`, `arrival` and the marker are looked at:
    /// the shaper finds out the rest. `sequence` is extended to 64 bits and never goes back by more
    /// than reordering and repair do.
    package mutating func packet(
        _ payload: RawSpan, _ meta: ItemMeta, sequence: Int64, channel: ChannelID, slot: SlotName,
        layer: UInt8 = 0
    ) {
        media.append(payload, meta)
        noteItems(sequence: sequence, channel, slot, layer: layer)
    }

    /// Begins a frame that comes in pieces; `endFrame` gives it its meta.
    package mutating func beginFrame() { media.begin() }
    package mutating func write(_ bytes: RawSpan) { media.write(bytes) }

    package mutating func endFrame(_ meta: ItemMeta, channel: ChannelID, slot: SlotName) {
        media.end(meta)
        noteItems(sequence: 0, channel, slot, layer: 0)
    }

    package mutating func cancelFrame() { media.cancel() }

    /// Done by the worker when the effects have been run. Keeps the memory.
    package mutating func clear() {
        list.removeAll(keepingCapacity: true)
        sequences.removeAll(keepingCapacity: true)
        media.clear()
    }

    /// Items of one layer in a row are one effect: the stream stores them in one call.
    private mutating func noteItems(
        sequence: Int64, _ channel: ChannelID, _ slot: SlotName, layer: UInt8
    ) {
        sequences.append(sequence)
        let count = media.count
        if case .media(channel, slot, layer: layer, let items) = list.last,
            items.upperBound == count - 1
        {
            list[list.count - 1] = .media(
                channel, slot, layer: layer, items: items.lowerBound..<count)
        } else {
            list.append(.media(channel, slot, layer: layer, items: count - 1..<count))
        }
    }
}
