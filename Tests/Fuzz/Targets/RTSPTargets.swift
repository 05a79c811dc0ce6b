import Crypto
import RTSP
import SDP
import Stream
import Wire

/// Messages, frames and garbage on one stream: where it is cut changes nothing that is found.
func fuzzRTSPReader(_ bytes: RawSpan) {
    guard bytes.byteCount > 0 else { return }
    let cut = Int(bytes.byte(at: bytes.byteCount - 1)) % bytes.byteCount
    for cut in [cut, bytes.byteCount] {
        var reader = RTSPReader()
        var start = 0
        for end in [cut, bytes.byteCount] {
            let before = start
            while let element = try? reader.next(bytes.extracting(..<end), from: &start) {
                if case .frame(_, let range) = element { precondition(range.upperBound <= end) }
            }
            precondition(start >= before && start <= end)
        }
    }
}

/// What stands in headers: each line is tried as all of them.
func fuzzRTSPHeaders(_ bytes: RawSpan) {
    let text = bytes.string(0..<min(bytes.byteCount, 4096))
    for choice in RTSPTransport.choices(text) {
        precondition(!RTSPTransport.choices(choice.text).isEmpty, "what we write can be read")
    }
    _ = RTSPSessionHeader(text)
    var dice = SplitMix64(seed: 1)
    let fields = AuthFields(text)
    precondition(fields == AuthFields(text))
    if let challenge = RTSPChallenge([text]) {
        _ = challenge.authorization(
            user: "u", password: "p", method: "PLAY", uri: "*", dice: &dice)
    }
    _ = RTSPAddress(text)
    guard let url = RTSPURL(text) else { return }
    let base = RTSPBase(dialled: url, contentBase: text, contentLocation: nil)
    precondition(base.track(text).host == url.host, "we stay where we are")
    if let description = try? SDPDescription(repairing: bytes) { _ = RTSPTracks.read(description) }
}

/// A peer of ours says anything; the gateway says yes to everything.
func fuzzRTSPSession(_ bytes: RawSpan) {
    let session = RTSPSession(
        peer: .any(port: 1), seed: 1, secret: Entropy(high: 1, low: 2), wall: .zero, at: .start)
    drive(session, bytes)
}

/// A camera says anything.
func fuzzRTSPClient(_ bytes: RawSpan) {
    guard let url = try? LinkURL("rtsp://u:p@192.0.2.1/a") else { return }
    let client = RTSPClient(
        LinkSeed(.pull, url, name: "live/a", peer: .any(port: 1), random: 1))
    var effects = Effects()
    var out = Outbox(limit: 1 << 20)
    client.start(at: .start, into: &effects, out: &out)
    drive(client, bytes)
}

private func drive(_ session: any ByteSession, _ bytes: RawSpan) {
    var out = Outbox(limit: 1 << 20)
    var now = Instant.start
    var start = 0
    for _ in 0..<200 where start < bytes.byteCount {
        var effects = Effects()
        start += session.receive(
            bytes.extracting(start..<bytes.byteCount), at: now, into: &effects, out: &out)
        for case .ask(let question, let id) in effects.list {
            let answer: Answer =
                switch question {
                case .authorise: .allowed(.local, until: nil)
                case .publish: .published(1)
                case .subscribe: .subscribed(StreamSnapshot(name: "live/a"))
                case .lines(let number): .lines(number, port: 30_500)
                }
            session.answer(answer, to: id, at: now, into: &effects, out: &out)
        }
        now = min(session.deadline, now + .seconds(5))
        session.expire(at: now, into: &effects, out: &out)
        precondition(!out.isOverflowing || out.byteCount > 1 << 19, "answers outweigh requests")
        out.advance(out.byteCount)
    }
}
