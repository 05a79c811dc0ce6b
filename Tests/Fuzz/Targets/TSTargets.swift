import Containers
import Media
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
