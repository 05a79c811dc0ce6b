import Codecs
import Media
import Wire

func fuzzH264(_ bytes: RawSpan) { fuzzNAL(bytes, .h264) }
func fuzzH265(_ bytes: RawSpan) { fuzzNAL(bytes, .h265) }

/// A byte stream or a configuration record: whatever comes out must be a frame of whole units and a
/// picture of a size we believe.
private func fuzzNAL(_ bytes: RawSpan, _ codec: NALCodec) {
    var builder = AccessUnitBuilder(codec)
    var splitter = AccessUnitSplitter(codec)
    var batch = ItemBatch()
    let meta = ItemMeta(ticks: 0, arrival: .start, length: 0, flags: [])
    var units = AnnexBUnits(bytes)
    while let range = units.next() {
        let unit = bytes.extracting(range)
        if splitter.receive(unit, at: .start) { builder.finish(meta, into: &batch) }
        builder.add(unit, into: &batch)
    }
    try? builder.add(lengthPrefixed: bytes, lengthSize: 2, into: &batch)
    builder.finish(meta, into: &batch)
    for index in 0..<batch.count {
        var frame = LengthPrefixedUnits(batch.bytes(of: index))
        while let range = try? frame.next() { precondition(!range.isEmpty) }
    }
    check(builder.parameterSets.format)
    switch codec {
    case .h264: check((try? AVCConfiguration(bytes)).flatMap { Format($0) })
    case .h265: check((try? HEVCConfiguration(bytes)).flatMap { Format($0) })
    }
}

private func check(_ format: Format?) {
    guard let format else { return }
    precondition((1...16_384).contains(format.width) && (1...16_384).contains(format.height))
    var record: [UInt8] = []
    format.avcConfiguration?.write(into: &record)
    format.hevcConfiguration?.write(into: &record)
    precondition(!record.isEmpty)
}
