import Crypto
package import Wire

/// What a client of a server wants done, and what it has noticed. Lent by the caller and used for
/// one client after the other.
package struct ClientOutput: Sendable {
    /// How the delay of a frame was learnt.
    package enum DelaySource: UInt8, CaseIterable, Sendable {
        /// A publisher of ours wrote the time into the picture.
        case stamp
        /// The header extension abs-capture-time.
        case capture
        /// The sender reports say which time stamp was when.
        case report
    }

    package struct Delay: Equatable, Sendable {
        package var source: DelaySource
        package var length: Interval

        package init(source: DelaySource, length: Interval) {
            self.source = source
            self.length = length
        }
    }

    package private(set) var sends: [(to: Address, bytes: Range<Int>)] = []
    package private(set) var bytes: [UInt8] = []
    package internal(set) var delays: [Delay] = []
    var ice = ICEOutput()
    var dtls = DTLSOutput()
    var control = [UInt8](repeating: 0, count: IncomingMedia.compoundMaximum + 32)

    package init() {}

    mutating func send(_ span: RawSpan, to address: Address) {
        let start = bytes.count
        bytes.append(copying: span)
        sends.append((address, start..<bytes.count))
    }

    /// Keeps the memory for the next one.
    package mutating func clear() {
        sends.removeAll(keepingCapacity: true)
        bytes.removeAll(keepingCapacity: true)
        delays.removeAll(keepingCapacity: true)
    }
}
