/// Its owner's own number of a socket for datagrams.
public typealias LineNumber = UInt8

/// Datagrams that somebody wants to send by sockets of its own, in order: protocol code fills it
/// and knows no socket, the shell empties it into one batch after the other.
///
/// A class, for its writer and its reader are two: a session, and the worker that has its sockets.
/// It allocates while it grows to its limit, and then never again.
public final class DatagramQueue {
    private struct Entry {
        var line: LineNumber
        var destination: Address
        var source: Address
        var offset: Int
        var count: Int
    }

    /// Datagrams at the front that leave by one socket.
    public struct Run: Equatable, Sendable {
        public var line: LineNumber
        public var count: Int

        public init(line: LineNumber, count: Int) {
            self.line = line
            self.count = count
        }
    }

    /// Bytes that may wait. A full socket is rare and short; what waits longer is of no use, so
    /// what does not fit is dropped, as the network may at any time.
    public let limit: Int
    /// Bytes that wait.
    public private(set) var byteCount = 0
    /// Bytes that were written in all.
    public private(set) var written = 0
    public private(set) var dropped = 0

    private var bytes: [UInt8] = []
    private var entries: [Entry] = []
    private var first = 0

    public init(limit: Int = 512 * 1024) { self.limit = limit }

    public var isEmpty: Bool { first == entries.count }
    public var count: Int { entries.count - first }

    /// - Parameter source: The local address to send from; unspecified: the kernel chooses.
    public func append(
        _ datagram: RawSpan, on line: LineNumber, to destination: Address,
        from source: Address = .any(port: 0)
    ) {
        guard admit(datagram.byteCount) else { return }
        let offset = bytes.count
        bytes.append(copying: datagram)
        note(line, destination, source, offset)
    }

    /// Lets a datagram be written in place: `write` says how many bytes it used of the `maximum`.
    /// None: it is not sent.
    public func append(
        maximum: Int, on line: LineNumber, to destination: Address,
        from source: Address = .any(port: 0), _ write: (inout MutableRawSpan) -> Int
    ) {
        guard admit(maximum) else { return }
        let offset = bytes.count
        bytes.append(contentsOf: repeatElement(0, count: maximum))
        var count = 0
        do {
            var all = bytes.mutableSpan
            var span = unsafe all.mutableBytes
            var window = span._mutatingExtracting(droppingFirst: offset)
            count = write(&window)
        }
        precondition(count >= 0 && count <= maximum, "not what was written")
        bytes.removeLast(maximum - count)
        note(line, destination, source, offset)
    }

    private func admit(_ count: Int) -> Bool {
        guard byteCount + count <= limit, count <= SendBatch.runBytesMaximum else {
            dropped += 1
            return false
        }
        return true
    }

    private func note(
        _ line: LineNumber, _ destination: Address, _ source: Address, _ offset: Int
    ) {
        let count = bytes.count - offset
        guard count > 0 else { return }
        byteCount += count
        written += count
        entries.append(
            Entry(
                line: line, destination: destination, source: source, offset: offset,
                count: count))
    }

    /// Copies datagrams from the front into an empty batch, as many of one line as fit. They stay
    /// here until `advance` says that they have left.
    ///
    /// - Returns: nil: nothing waits.
    public func fill(_ batch: inout SendBatch) -> Run? {
        guard first < entries.count else { return nil }
        let line = entries[first].line
        var index = first
        while index < entries.count {
            let entry = entries[index]
            guard entry.line == line, batch.fits(entry.count) else { break }
            batch.begin(to: entry.destination, from: entry.source)
            batch.append(bytes.raw.extracting(entry.offset..<entry.offset + entry.count))
            index += 1
        }
        return Run(line: line, count: index - first)
    }

    /// So many at the front have left, or are given up.
    public func advance(_ count: Int) {
        precondition(count >= 0 && count <= entries.count - first, "more than there were")
        for index in first..<first + count { byteCount -= entries[index].count }
        first += count
        guard first < entries.count else {
            bytes.removeAll(keepingCapacity: true)
            entries.removeAll(keepingCapacity: true)
            first = 0
            return
        }
        // A queue that never runs dry would keep all that it ever held.
        if entries[first].offset > limit { compact() }
    }

    private func compact() {
        let gone = entries[first].offset
        bytes.removeSubrange(..<gone)
        entries.removeSubrange(..<first)
        first = 0
        for index in entries.indices { entries[index].offset -= gone }
    }

    public func clear() { advance(count) }
}

/// A range of ports, both ends among them.
public struct PortRange: Hashable, Sendable {
    public var first: UInt16
    public var last: UInt16

    /// nil: it is empty, or names port 0.
    public init?(_ first: UInt16, _ last: UInt16) {
        guard first > 0, first <= last else { return nil }
        self.first = first
        self.last = last
    }

    /// Pairs of an even port and the one behind it.
    public var pairs: Int {
        let even = Int(first) + Int(first & 1)
        return max(0, (Int(last) + 1 - even) / 2)
    }

    /// The even port of a pair.
    public func pair(_ index: Int) -> UInt16 {
        precondition(index >= 0 && index < pairs, "no such pair")
        return first + (first & 1) + UInt16(2 * index)
    }
}
