import Media
import RTP
import Wire

func fuzzRTPHeader(_ bytes: RawSpan) {
    guard let header = try? RTPHeader(bytes) else { return }
    precondition(header.payload.lowerBound >= 12 && header.payload.upperBound <= bytes.byteCount)
    var map = ExtensionMap()
    for kind in RTPExtension.allCases { map[kind] = kind.rawValue + 1 }
    guard let extensions = try? RTPExtensions(header, of: bytes, by: map) else { return }
    let descriptor = extensions.dependencyDescriptor ?? 0..<0
    precondition(descriptor.upperBound <= bytes.byteCount)
    let payload = bytes.extracting(header.payload)
    if let original = try? RTX.unwrap(payload) {
        precondition(original.payload.upperBound <= payload.byteCount)
    }
    if let primary = try? RED.primary(payload) {
        precondition(primary.payload.upperBound <= payload.byteCount)
    }
}

func fuzzRTCP(_ bytes: RawSpan) {
    guard var reader = try? RTCPReader(bytes) else { return }
    var feedback = TransportFeedback()
    while let item = reader.next() {
        guard case .transportFeedback(let body) = item else { continue }
        try? feedback.read(bytes.extracting(body))
        precondition(feedback.arrivals.count <= TransportFeedback.arrivalsMaximum)
    }
}

/// The first byte chooses the codec; then packets behind their lengths, in a byte each, with a byte
/// that says marker, loss and time stamp.
func fuzzRTPPayload(_ bytes: RawSpan) {
    let codecs: [Codec] = [.h264, .h265, .vp8, .vp9, .av1, .aac, .mp3, .mjpeg, .opus]
    var reader = ByteReader(bytes)
    guard let choice = try? reader.read(UInt8.self) else { return }
    var facts = PayloadFacts()
    facts.isLATM = choice & 0x80 != 0
    let format = Format(codec: codecs[Int(choice & 0x7f) % codecs.count], clockRate: 90_000)
    guard var assembler = FrameAssembler(format: format, facts: facts, answersNACK: false) else {
        return
    }
    var shaper = PacketShaper(format: format, numbering: .own, bFrames: .drop)
    var looker = PacketShaper(format: format, numbering: .publisher)
    var frames = AssembledFrames()
    var shaped = ShapedPackets()
    var index: Int64 = 0
    var ticks: Int64 = 0
    while let control = try? reader.read(UInt8.self), let count = try? reader.read(UInt8.self),
        let payload = try? reader.read(count: min(Int(count), reader.remaining))
    {
        index += control & 2 != 0 ? Int64(control >> 4) - 4 : 1
        ticks += control & 4 != 0 ? 3000 : 0
        let now = Instant.start + .milliseconds(index)
        let meta = ItemMeta(
            ticks: ticks, arrival: now, length: payload.byteCount,
            flags: control & 1 != 0 ? .marker : [])
        assembler.receive(payload, index, meta, at: now, into: &frames)
        shaper.shape(payload, index, meta, into: &shaped)
        looker.shape(payload, index, meta, into: &shaped)
    }
    precondition(shaped.indices.count == shaped.batch.count)
}
