import Wire

/// A few datagrams, one behind the other in one array: what a handshake answers with.
///
/// For the rare ones. Media goes out of a batch that is made once.
package struct DatagramList: Equatable, Sendable {
    private var bytes: [UInt8] = []
    private var ends: [Int] = []

    package init() {}

    package var count: Int { ends.count }
    package var isEmpty: Bool { ends.isEmpty }
    package var byteCount: Int { bytes.count }

    package subscript(_ index: Int) -> RawSpan {
        @_lifetime(borrow self)
        borrowing get { bytes.raw.extracting((index == 0 ? 0 : ends[index - 1])..<ends[index]) }
    }

    package mutating func append(_ datagram: RawSpan) {
        bytes.append(copying: datagram)
        ends.append(bytes.count)
    }

    package mutating func append(_ other: borrowing DatagramList) {
        for index in 0..<other.count { append(other[index]) }
    }

    package mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        ends.removeAll(keepingCapacity: true)
    }
}
