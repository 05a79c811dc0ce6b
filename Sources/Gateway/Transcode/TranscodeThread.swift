import Media
import Stream
import System
import Transcode
import Wire

/// One thread of the transcoder, and the bridges that live on it.
final class TranscodeThread {
    private let mailbox: Mailbox<TranscodeOrder>
    private let neighbours: Neighbours
    private var bridges: [TranscodeID: ConversionDesk] = [:]
    private var orders: [TranscodeOrder] = []
    private var isOver = false

    init(_ mailbox: Mailbox<TranscodeOrder>, _ neighbours: Neighbours) {
        self.mailbox = mailbox
        self.neighbours = neighbours
    }

    func run() {
        do throws(SystemError) {
            var poller = try Poller()
            _ = try poller.add(mailbox.bell, tag: 0)
            while !isOver {
                try awaitOrders(&poller)
                mailbox.collect(into: &orders)
                for order in orders { follow(order) }
            }
        } catch {
            // Without a poller it sees no letters: the bridges stand still, and say nothing.
            preconditionFailure("transcoder: \(error)")
        }
    }

    private func awaitOrders(_ poller: inout Poller) throws(SystemError) {
        mailbox.bell.fallAsleep()
        if mailbox.isEmpty { try poller.wait(nil) }
        while poller.next() != nil {}
        mailbox.bell.awake()
    }

    private func follow(_ order: TranscodeOrder) {
        switch order {
        case .convert(let job):
            let desk = bridges[job.id] ?? ConversionDesk(job.codec)
            bridges[job.id] = desk
            let before = Clock.threadTime
            var result = desk.convert(job)
            desk.cpu = desk.cpu + (Clock.threadTime - before)
            result.cpu = desk.cpu
            neighbours.post(.transcoded(result), to: job.worker)
        case .close(let id): bridges[id] = nil
        case .end: isOver = true
        }
    }
}

/// A bridge, and how it is made of what comes.
private final class ConversionDesk {
    private let codec: Codec
    private var bridge: AudioBridge?
    private var generation: UInt16?
    private var failure: TranscodeError?
    var cpu = Interval.zero

    init(_ codec: Codec) { self.codec = codec }

    func convert(_ job: TranscodeJob) -> TranscodeResult {
        var result = TranscodeResult(id: job.id)
        var frames = ItemBatch()
        for index in 0..<job.input.frames.count {
            let meta = job.input.frames.items[index].meta
            if meta.formatGeneration != generation { take(meta.formatGeneration, job) }
            let format = bridge?.format
            bridge?.receive(job.input.frames.bytes(of: index), meta, into: &frames)
            // A change shows before its first frame.
            if let format, format != bridge?.format { flush(format, &frames, into: &result) }
        }
        bridge?.advance(at: job.now, into: &frames)
        if let format = bridge?.format { flush(format, &frames, into: &result) }
        result.figures = bridge?.figures ?? AudioBridge.Figures()
        result.failure = failure
        return result
    }

    private func flush(
        _ format: Format, _ frames: inout ItemBatch, into result: inout TranscodeResult
    ) {
        guard !frames.isEmpty else { return }
        result.parts.append(TranscodeResult.Part(format: format, frames: frames))
        frames = ItemBatch()
    }

    private func take(_ generation: UInt16, _ job: TranscodeJob) {
        guard let format = job.input.formats.last(where: { $0.generation == generation }) else {
            return
        }
        self.generation = generation
        do throws(TranscodeError) {
            if bridge == nil {
                bridge = try AudioBridge(from: format, to: codec)
            } else {
                try bridge?.change(format)
            }
            failure = nil
        } catch {
            // Another format may do.
            bridge = nil
            failure = error
        }
    }
}
