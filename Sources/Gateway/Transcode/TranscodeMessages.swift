package import Media
package import Stream
import System
package import Transcode
package import Wire

/// A bridge's number: unique in the process, so that a late result cannot be taken for another's.
package typealias TranscodeID = UInt64

/// What goes to the transcoder: values only, so that it can live in another process one day.
package struct TranscodeJob: Sendable {
    package var id: TranscodeID
    /// Whose letter the result is to be.
    package var worker: Int
    package var codec: Codec
    /// May be empty: then only time has passed.
    package var input: TranscodeInput
    package var now: Instant
}

/// What became of a job. There is one for each job, also if nothing has come of it.
package struct TranscodeResult: Sendable {
    /// Frames of one format.
    package struct Part: Sendable {
        package var format: Format
        package var frames: ItemBatch
    }

    package var id: TranscodeID
    package var parts: [Part] = []
    package var failure: TranscodeError?
    /// Since the bridge began.
    package var figures = AudioBridge.Figures()
    package var cpu = Interval.zero
}

/// A letter to a thread of the transcoder.
enum TranscodeOrder: Sendable {
    case convert(TranscodeJob)
    case close(TranscodeID)
    case end
}
