import Containers
import Media
import SRT
import Stream
import Wire

/// Any bytes as a transport stream, in two pieces: what is given out never goes back in time.
func fuzzTS(_ bytes: RawSpan) {
    var intake = TSIntake(channel: 1)
    var effects = Effects()
    let cut = bytes.byteCount / 3
    for (number, range) in [0..<cut, cut..<bytes.byteCount].enumerated() {
        let now = Instant.start + .milliseconds(Int64(number) * 40)
        try? intake.receive(bytes.extracting(range), at: now, into: &effects)
        intake.expire(at: now + .seconds(3), into: &effects)
    }
    precondition(
        effects.media.count == Int(intake.figures.frames), "a frame was counted and not given")
}

/// Any text as a stream id: the name that comes out passes everywhere.
func fuzzSRTID(_ bytes: RawSpan) {
    let text = bytes.string(0..<bytes.byteCount)
    guard let request = try? SRTRequest(text) else { return }
    precondition((try? StreamName(request.name)) != nil, "a name that is none")
}
