/// One SCTP association: the handle of the C library, and what waits until it has room.
@safe final class Association {
    /// What is handed to the library next: in the order it was asked for, across all streams.
    enum Step {
        case message(Message)
        /// After what was sent on the stream before, and not before the association is up.
        case reset(stream: UInt16)
    }

    struct Message {
        var stream: UInt16
        var payload: UInt32
        var delivery: SCTPDelivery
        var bytes: [UInt8]
    }

    let id: UInt32
    private let handle: UnsafeMutableRawPointer
    private var steps: [Step] = []
    private var done = 0
    private(set) var waitingBytes = 0
    var isConnected = false
    var hasEnded = false

    init(id: UInt32, handle: UnsafeMutableRawPointer) {
        self.id = id
        unsafe self.handle = handle
    }

    /// For the library, on its own thread, until the association is closed.
    @unsafe var pointer: UnsafeMutableRawPointer { unsafe handle }

    /// What one step costs besides its bytes: an array, and a place in the queue.
    static let stepOverhead = 128

    var first: Step? { done < steps.count ? steps[done] : nil }

    func append(_ step: Step) {
        waitingBytes += Self.cost(of: step)
        steps.append(step)
    }

    func removeFirst() {
        waitingBytes -= Self.cost(of: steps[done])
        steps[done] = .reset(stream: 0)  // Lets go of the bytes now.
        done += 1
        // Moving the rest forward once in a while costs less than once for each step.
        if done == steps.count || done == 1024 {
            steps.removeFirst(done)
            done = 0
        }
    }

    private static func cost(of step: Step) -> Int {
        guard case .message(let message) = step else { return stepOverhead }
        return stepOverhead + message.bytes.count
    }
}

/// How one message is to be delivered.
package struct SCTPDelivery: Equatable, Sendable {
    package enum Reliability: Equatable, Sendable {
        case reliable
        case retransmits(UInt32)
        case lifetime(milliseconds: UInt32)
    }

    package var ordered: Bool
    package var reliability: Reliability

    package init(ordered: Bool, reliability: Reliability) {
        self.ordered = ordered
        self.reliability = reliability
    }
}
