import RTP

func fuzzRTPHeader(_ bytes: RawSpan) {
    guard let header = try? RTPHeader(bytes) else { return }
    precondition(header.payload.lowerBound >= 12 && header.payload.upperBound <= bytes.byteCount)
}
