import Wire

/// Parameter sets as session descriptions carry them: base64, comma-separated (RFC 6184 §8.1,
/// RFC 7798 §7.1). Cameras break the padding, add start codes, put several units into one value or
/// leave garbage: what can be read is read, the rest is ignored, for the stream carries them too.
package enum ParameterSetText {
    /// More than any encoder uses; a description is 64 KiB at most anyway.
    static let setsMaximum = 64

    package static func read(_ text: some StringProtocol) -> [[UInt8]] {
        var sets: [[UInt8]] = []
        for part in text.split(separator: ",").prefix(setsMaximum) {
            guard let bytes = Base64.decode(part), bytes.count <= RawBytePayload.countMaximum
            else { continue }
            appendUnits(of: bytes.raw, to: &sets)
        }
        return sets
    }

    package static func write(_ sets: [[UInt8]]) -> String {
        sets.map { Base64.encode($0.raw) }.joined(separator: ",")
    }

    /// One unit, or several behind start codes. Zeros at the end belong to none.
    static func appendUnits(of bytes: RawSpan, to sets: inout [[UInt8]]) {
        if beginsWithStartCode(bytes) {
            var units = AnnexBUnits(bytes)
            while sets.count < setsMaximum, let range = units.next() {
                sets.append([UInt8](copying: bytes.extracting(range)))
            }
            return
        }
        var end = bytes.byteCount
        while end > 0, bytes.byte(at: end - 1) == 0 { end -= 1 }
        if end > 0, sets.count < setsMaximum {
            sets.append([UInt8](copying: bytes.extracting(..<end)))
        }
    }

    static func beginsWithStartCode(_ bytes: RawSpan) -> Bool {
        guard bytes.byteCount >= 4, bytes.byte(at: 0) == 0, bytes.byte(at: 1) == 0 else {
            return false
        }
        return bytes.byte(at: 2) == 1 || bytes.byte(at: 2) == 0 && bytes.byte(at: 3) == 1
    }
}
