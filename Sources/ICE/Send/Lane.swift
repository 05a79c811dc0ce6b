import Media
import Stream
import Wire

/// A packet of a history as it lies there, for as long as a flush lasts: nothing is stored
/// meanwhile.
@safe struct GatherItem {
    private let start: UnsafeRawPointer?
    let index: Int64
    let ticks: Int64
    let arrival: Instant
    let length: Int32
    let startsFrame: Bool
    let isKey: Bool
    /// As it stands in the second byte of the header.
    let marker: UInt32
    let generation: UInt16
    let pictureIDOffset: UInt8
    let tl0Offset: UInt8
    let padding: UInt8
    let temporal: UInt8

    init?(_ history: History, _ index: Int64) {
        guard let meta = history.meta(index), let bytes = history.bytes(index) else { return nil }
        unsafe start = unsafe bytes.withUnsafeBytes { unsafe $0 }.baseAddress
        self.index = index
        ticks = meta.ticks
        arrival = meta.arrival
        length = Int32(clamping: bytes.byteCount)
        startsFrame = meta.startsFrame
        isKey = meta.isKey
        marker = meta.flags.contains(.marker) ? 0x80 : 0
        generation = meta.formatGeneration
        pictureIDOffset = meta.vp8PictureIDOffset
        tl0Offset = meta.vp8TL0PICIDXOffset
        padding = meta.padding
        temporal = meta.temporal
    }

    var payload: RawSpan {
        @_lifetime(borrow self)
        borrowing get {
            let bytes = unsafe UnsafeRawBufferPointer(start: start, count: Int(length))
            return unsafe _overrideLifetime(RawSpan(_unsafeBytes: bytes), borrowing: self)
        }
    }

    var hasMarker: Bool { marker != 0 }
}

/// One encoding as its viewers here share it: what is new in it is looked up once per turn.
struct Lane {
    static let none: UInt8 = 255
    /// As many as small integers can name; a stream has at most 16 slots of 8 layers.
    static let maximum = 254

    let encoding: Encoding
    let history: History
    let rendition: Rendition
    var resets: UInt64
    /// No rendition shows it any more since then.
    var leftAt: Instant?
    /// What a join would have to send, worked out once for all who join in one turn.
    var situation: (key: Int64, end: Int64, value: JoinPlan.Situation)?
    var lastKey: (index: Int64, arrival: Instant)?
    var keyPeriod: Interval?
}

/// What a viewer has to know of its lane in a turn: plain numbers.
struct LaneHead {
    /// The items that are new in this turn: indexes, and where they lie in the list.
    var from: Int64 = 0
    var end: Int64 = 0
    /// The oldest that was there then.
    var start: Int64 = 0
    var itemsFrom: Int32 = 0
    var itemsEnd: Int32 = 0
    /// What a batch must have room for, so that they leave in one run.
    var room: Int32 = 0
    var newestArrival = Instant.start
    var repairCount: UInt32 = 0
    /// The low bits of the format's generation that all new items have.
    var generation: UInt8 = 0
    /// Whoever is up to date sends the new items as they are: no end, no change of format, nothing
    /// that is late or has to be spread.
    var isOrdinary = false
    /// The highest layer alive of its rendition.
    var isBest = true
    var isAlive = true
    var isKeyWished = false
    var readers: Int32 = 0
    var averageFrame: Int32 = 0
    var bitsPerSecond: Int64 = 0
}

/// A rendition that viewers here read, found by what they can play.
struct Feed {
    static let none: UInt8 = 255

    let want: Subscription.Want
    var rendition: Rendition?
    /// One for each of its encodings, in their order.
    var lanes: [UInt8] = []
    var best = Lane.none
    var readers = 0
    /// What they can use together, and what the stream was told of it; nil: nothing yet.
    var demand = Demand.nothing
    var told: Demand?
    /// The codec that its viewers cannot play, once they have been told.
    var toldCodec: Codec?
}
