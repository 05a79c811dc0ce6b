import Codecs
import Media
import Wire

/// Every audio header over the same bytes: what is accepted must lie in its bounds.
func fuzzAudio(_ bytes: RawSpan) {
    if let aac = try? AACConfiguration(bytes) {
        precondition(SampleRates.range.contains(aac.outputRate) && aac.channels <= 16)
        precondition(aac.samples > 0)
    }
    var frames = ADTSFrames(bytes)
    while let frame = frames.next() { precondition(frame.payload.upperBound <= bytes.byteCount) }
    if let opus = try? OpusPacket(bytes) { precondition((120...5760).contains(opus.samples)) }
    if let head = try? OpusHead(bytes) {
        var written: [UInt8] = []
        head.write(into: &written)
        precondition((try? OpusHead(written.raw)) == head)
    }
    if let mpeg = try? MPEGAudioHeader(bytes) { precondition(mpeg.frameCount > 4) }
    if let ac3 = try? AC3Header(bytes) { precondition(ac3.channels > 0) }
    if let flac = try? FLACStreamInfo(bytes) { precondition(flac.bytes.count == 34) }
    fuzzLATM(bytes)
}

private func fuzzLATM(_ bytes: RawSpan) {
    guard let range = try? LATM.loasFrame(bytes) else { return }
    var latm = LATM()
    var batch = ItemBatch()
    let meta = ItemMeta(ticks: 0, arrival: .start, length: 0, flags: [])
    try? latm.read(bytes.extracting(range), hasConfig: true, meta: meta, into: &batch)
    precondition(batch.bytes.count <= bytes.byteCount)
}

/// AV1, VP8 and VP9: what is accepted has a size we believe and can be written again.
func fuzzVideo(_ bytes: RawSpan) {
    var batch = ItemBatch()
    batch.begin()
    _ = try? AV1TemporalUnit.write(bytes, into: &batch)
    if let record = try? AV1Configuration(bytes), let format = try? Format(record) {
        var written: [UInt8] = []
        record.write(into: &written)
        precondition(!written.isEmpty && format.width > 0)
    }
    if let index = try? VP9Superframe(bytes) { precondition((1...8).contains(index.count)) }
    let formats = [try? Format(vp8: bytes), try? Format(vp9: bytes)]
    for format in formats {
        guard let format else { continue }
        precondition((1...16_384).contains(format.width))
    }
}
