import Containers
import Media
import RTMP
import Stream
import Wire

/// Any bytes as values; what is written of them reads as the same.
func fuzzAMF(_ bytes: RawSpan) {
    var reader = AMF0Reader(bytes)
    let values = reader.rest()
    var written: [UInt8] = []
    AMF0Writer.write(values, into: &written)
    var again = AMF0Reader(written.raw)
    precondition(again.rest().count == values.count, "a value was lost on the way")
}

/// Any bytes as a file, in two pieces, and all of its tags as media.
func fuzzFLV(_ bytes: RawSpan) {
    var reader = FLVReader()
    var intake = FLVIntake(channel: 1)
    var effects = Effects()
    let cut = bytes.byteCount / 2
    for range in [0..<cut, cut..<bytes.byteCount] {
        let piece = bytes.extracting(range)
        var start = 0
        while let header = try? reader.next(piece, from: &start) {
            guard let kind = header.kind else { continue }
            try? intake.receive(
                kind, reader.body, stamp: header.stamp, at: .start, into: &effects)
        }
    }
}

/// Any bytes as chunks. The same in two reads must be the same messages.
func fuzzRTMPChunks(_ bytes: RawSpan) {
    let cut = bytes.byteCount == 0 ? 0 : Int(bytes.byte(at: bytes.byteCount - 1)) % bytes.byteCount
    precondition(
        messages(bytes, cut: cut) == messages(bytes, cut: bytes.byteCount),
        "the cut changes the messages")
}

private func messages(_ bytes: RawSpan, cut: Int) -> [[UInt8]] {
    var reader = ChunkReader()
    var found: [[UInt8]] = []
    var shown = 0
    for end in [cut, bytes.byteCount] {
        let piece = bytes.extracting(shown..<end)
        var start = 0
        while true {
            do throws(ParseError) {
                guard let header = try reader.next(piece, from: &start) else { break }
                found.append([UInt8](copying: reader.body))
                if header.kind == .setChunkSize, reader.body.byteCount >= 4 {
                    var number = ByteReader(reader.body)
                    try reader.setChunkSize(try number.read(UInt32.self))
                }
            } catch {
                return found
            }
        }
        shown += start
    }
    return found
}

/// Any bytes behind the handshake, with a gateway that says yes to everything.
func fuzzRTMPSession(_ bytes: RawSpan) {
    let session = RTMPSession(peer: .any(port: 1), seed: 1, at: .start)
    var effects = Effects()
    var out = Outbox()
    let hello = [3] + [UInt8](repeating: 0, count: 2 * RTMPHandshake.count)
    var taken = session.receive(hello.raw, at: .start, into: &effects, out: &out)
    let rest = hello.raw.extracting(taken..<hello.count)
    taken = session.receive(rest, at: .start, into: &effects, out: &out)
    var start = 0
    while start < bytes.byteCount {
        let left = bytes.extracting(start..<bytes.byteCount)
        taken = session.receive(left, at: .start, into: &effects, out: &out)
        let asked = effects.list
        effects.clear()
        for effect in asked {
            guard case .ask(let question, let id) = effect else { continue }
            let answer: Answer
            if case .publish = question {
                answer = .published(1)
            } else {
                answer = .subscribed(StreamSnapshot(name: "a"))
            }
            session.answer(answer, to: id, at: .start, into: &effects, out: &out)
        }
        if asked.contains(where: { if case .close = $0 { true } else { false } }) { return }
        guard taken > 0 else { break }
        start += taken
        out.clear()
    }
    session.expire(at: .start + .seconds(60), into: &effects, out: &out)
}
