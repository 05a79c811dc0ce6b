import Media
import Stream
import System
import Transcode
import Wire

/// A bridge of a stream that is at home here, as its worker knows it.
final class Transcoding {
    let id: TranscodeID
    let thread: Int
    let local: LocalStream
    let from: RenditionKey
    let to: RenditionKey
    let epoch: Epoch
    let since: Instant
    /// A job is on its way. What comes meanwhile goes with the next.
    fileprivate(set) var isBusy = false
    fileprivate(set) var postedAt: Instant?
    fileprivate(set) var figures = AudioBridge.Figures()
    fileprivate(set) var cpu = Interval.zero
    fileprivate(set) var skipped: Int64 = 0
    fileprivate(set) var failure: TranscodeError?

    fileprivate init(
        _ id: TranscodeID, on thread: Int, _ local: LocalStream, from: RenditionKey,
        to: RenditionKey, epoch: Epoch, at now: Instant
    ) {
        self.id = id
        self.thread = thread
        self.local = local
        self.from = from
        self.to = to
        self.epoch = epoch
        since = now
    }
}

// Sound that is made of other sound: frames of a stream go to a thread of the transcoder by letter,
// and what is made of them comes back by letter.
extension Worker {
    /// While other tracks go on, the bridge is told at least so often that time does.
    private static let beat = Interval.milliseconds(50)

    func startTranscode(from: RenditionKey, to: RenditionKey, of local: LocalStream) {
        stopTranscode(to: to, of: local)
        guard let stream = local.stream, let epoch = stream.epoch else { return }
        guard let pool = plan.transcoders else {
            stream.noteTranscode(to: to, advice: "no sound is converted here", into: &orders)
            return
        }
        do throws(SystemError) {
            let thread = try pool.open()
            nextTranscode &+= 1
            let id = nextTranscode &* UInt64(neighbours.count) &+ UInt64(plan.index)
            let transcoding = Transcoding(
                id, on: thread, local, from: from, to: to, epoch: epoch, at: now)
            transcodings[id] = transcoding
            local.transcodings.append(transcoding)
            log.info(
                "\(from.codec.name) to \(to.codec.name) begins",
                ["stream": local.name, "slot": "\(to.slot)"])
        } catch {
            log.error(code: "transcode-thread", "\(error)", ["stream": local.name])
            stream.noteTranscode(to: to, advice: "\(error)", into: &orders)
        }
    }

    func stopTranscode(to key: RenditionKey, of local: LocalStream) {
        for transcoding in local.transcodings where transcoding.to == key {
            transcodings[transcoding.id] = nil
            plan.transcoders?.close(transcoding.id, on: transcoding.thread)
        }
        local.transcodings.removeAll { $0.to == key }
    }

    /// What has been stored goes to the transcoder: at the end of a turn, for streams that got
    /// something.
    func feedTranscoders(of local: LocalStream) {
        guard !local.transcodings.isEmpty, let stream = local.stream else { return }
        for transcoding in local.transcodings
        where !transcoding.isBusy {
            var input = TranscodeInput()
            stream.takeForTranscode(to: transcoding.to, at: now, into: &input)
            if input.frames.isEmpty {
                // Before the first frame there is no time to go on from.
                guard let posted = transcoding.postedAt, now - posted >= Self.beat else { continue }
            }
            transcoding.skipped += Int64(input.skipped)
            counters.transcodeSkipped += Int64(input.skipped)
            transcoding.postedAt = now
            let job = TranscodeJob(
                id: transcoding.id, worker: plan.index, codec: transcoding.to.codec, input: input,
                now: now)
            transcoding.isBusy = plan.transcoders?.post(job, to: transcoding.thread) ?? false
        }
    }

    func receive(_ result: TranscodeResult) {
        guard let transcoding = transcodings[result.id] else { return }
        transcoding.isBusy = false
        count(result, transcoding)
        let local = transcoding.local
        guard let stream = local.stream else { return }
        for part in result.parts {
            stream.storeTranscoded(
                part.frames, format: part.format, to: transcoding.to, epoch: transcoding.epoch,
                at: now, into: &orders)
        }
        if result.failure != transcoding.failure {
            transcoding.failure = result.failure
            note(result.failure, transcoding, stream)
        }
        runOrders(of: local)
        markDirty(local)
    }

    /// Said once, where the operator and the page look; and taken back when it is over.
    private func note(_ failure: TranscodeError?, _ transcoding: Transcoding, _ stream: Stream) {
        if let failure {
            log.error(
                code: failure.code, "\(failure)",
                ["stream": stream.name, "slot": "\(transcoding.to.slot)"])
        }
        stream.noteTranscode(
            to: transcoding.to, advice: failure?.description, into: &orders)
    }

    private func count(_ result: TranscodeResult, _ transcoding: Transcoding) {
        let (old, new) = (transcoding.figures, result.figures)
        counters.transcodeNanoseconds += (result.cpu - transcoding.cpu).nanoseconds
        counters.transcodeFramesIn += new.framesIn - old.framesIn
        counters.transcodeFramesOut += new.framesOut - old.framesOut
        counters.transcodeDamaged += new.damaged - old.damaged
        counters.transcodeConcealed += new.concealed - old.concealed
        counters.transcodeFilled += new.filled - old.filled
        transcoding.figures = new
        transcoding.cpu = result.cpu
    }
}
