import Wire

/// A datagram that a session has sent.
struct SentDatagram: Equatable {
    var line: LineNumber
    var to: Address
    var bytes: [UInt8]

    /// Takes all that waits.
    static func all(of queue: DatagramQueue) -> [SentDatagram] {
        var all: [SentDatagram] = []
        var batch = SendBatch()
        while let run = queue.fill(&batch) {
            for index in 0..<batch.runCount {
                let sent = batch.run(index)
                for start in stride(from: 0, to: sent.byteCount, by: sent.segmentSize) {
                    let end = min(start + sent.segmentSize, sent.byteCount)
                    let range = sent.offset + start..<sent.offset + end
                    all.append(
                        SentDatagram(
                            line: run.line, to: sent.destination,
                            bytes: [UInt8](copying: batch.bytes.extracting(range))))
                }
            }
            queue.advance(run.count)
            batch.clear()
        }
        return all
    }
}
