import Containers
import Media
import Stream
import Wire

/// The payloads of a camera: the first byte of each says how long it is, and what became of the one
/// before it.
func fuzzProgramStream(_ bytes: RawSpan) {
    var intake = PSIntake(channel: 1)
    var effects = Effects()
    var now = Instant.start + .seconds(1)
    var at = 0
    while at < bytes.byteCount {
        let head = bytes.byte(at: at)
        at += 1
        let end = min(bytes.byteCount, at + Int(head & 0x3f) * 24)
        if head & 0x80 != 0 { intake.lose(1) }
        intake.receive(
            bytes.extracting(at..<end), isMarked: head & 0x40 != 0, at: now, into: &effects)
        at = end
        now = now + .milliseconds(7)
        if intake.deadline <= now { intake.expire(at: now, into: &effects) }
        for effect in effects.list {
            if case .media(_, _, _, let items) = effect {
                for index in items { precondition(effects.media.bytes(of: index).byteCount > 0) }
            }
        }
        effects.clear()
    }
}
