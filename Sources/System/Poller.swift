internal import CLinux
package import Wire

/// Waits for many descriptors at once (epoll).
///
/// Level-triggered: the bounds per turn (accepts, batches of datagrams, bytes of one connection)
/// leave input in the kernel on purpose, and only level-triggered waiting says so again. The price
/// is one rule: ask for `.write` only while something waits to be written, or the poller spins.
///
/// An event names the registration it was made for. The kernel gives the number of a closed
/// descriptor to the next one at once, and an event of the old one may still be in hand: the id
/// beside the number tells them apart, and such an event is skipped.
package struct Poller: ~Copyable {
    /// One descriptor in the poller: its number and which user of that number this is.
    package struct Registration: Hashable, Sendable {
        let number: CInt
        let id: UInt32
    }

    package struct Interest: OptionSet, Sendable {
        package let rawValue: UInt32
        package init(rawValue: UInt32) { self.rawValue = rawValue }
        package static let read = Interest(rawValue: UInt32(LINUX_READABLE))
        package static let write = Interest(rawValue: UInt32(LINUX_WRITABLE))
    }

    package struct Event: Sendable {
        package let registration: Registration
        /// What the owner gave with `add`: an index into its own table.
        package let tag: Int
        package let isReadable: Bool
        package let isWritable: Bool
        /// Error or hang-up: a read or `TCPSocket.error` says which.
        package let isBroken: Bool
    }

    private struct Entry {
        var id: UInt32 = 0
        var tag = 0
        var interest: Interest = []
    }

    /// What one wait can return; more come with the next.
    private static let eventsMaximum = 128

    private let descriptor: Descriptor
    /// By descriptor number; the id is zero where nothing is registered.
    private var entries: [Entry] = []
    private var lastID: UInt32 = 0
    private var events: [linux_event]
    private var eventCount = 0
    private var nextEvent = 0
    package private(set) var registered = 0

    package init() throws(SystemError) {
        descriptor = try Descriptor(linux_epoll(), "open a poller")
        events = Array(repeating: linux_event(), count: Self.eventsMaximum)
    }

    package mutating func add(
        _ watched: borrowing Descriptor, _ interest: Interest, tag: Int
    ) throws(SystemError) -> Registration {
        let number = watched.number
        lastID = lastID == .max ? 1 : lastID + 1
        let registration = Registration(number: number, id: lastID)
        try SystemError.check(
            linux_epoll_add(
                descriptor.number, number, interest.rawValue, Self.data(registration)),
            "watch a descriptor")
        while entries.count <= Int(number) { entries.append(Entry()) }
        entries[Int(number)] = Entry(id: lastID, tag: tag, interest: interest)
        registered += 1
        return registration
    }

    package mutating func add(_ bell: Bell, tag: Int) throws(SystemError) -> Registration {
        try add(bell.descriptor, .read, tag: tag)
    }

    package mutating func add(
        _ socket: borrowing UDPSocket, _ interest: Interest = .read, tag: Int
    ) throws(SystemError) -> Registration {
        try add(socket.descriptor, interest, tag: tag)
    }

    package mutating func add(
        _ socket: borrowing TCPSocket, _ interest: Interest = .read, tag: Int
    ) throws(SystemError) -> Registration {
        try add(socket.descriptor, interest, tag: tag)
    }

    package mutating func add(
        _ listener: borrowing TCPListener, tag: Int
    ) throws(SystemError) -> Registration {
        try add(listener.descriptor, .read, tag: tag)
    }

    /// Changes what is waited for; free of charge if it is that already.
    package mutating func modify(
        _ registration: Registration, _ interest: Interest
    ) throws(SystemError) {
        precondition(isCurrent(registration), "not registered")
        let index = Int(registration.number)
        guard entries[index].interest != interest else { return }
        try SystemError.check(
            linux_epoll_modify(
                descriptor.number, registration.number, interest.rawValue,
                Self.data(registration)),
            "watch a descriptor")
        entries[index].interest = interest
    }

    /// Call before the descriptor is closed or given away. Its events in hand are skipped.
    package mutating func remove(_ registration: Registration) {
        guard isCurrent(registration) else { return }
        _ = linux_epoll_remove(descriptor.number, registration.number)
        entries[Int(registration.number)] = Entry()
        registered -= 1
    }

    /// Waits until something happens or the time is over; then `next` gives the events.
    ///
    /// - Parameter timeout: `nil` for ever, zero for a look without waiting.
    package mutating func wait(_ timeout: Interval?) throws(SystemError) {
        nextEvent = 0
        eventCount = 0
        let nanoseconds = timeout.map { max(0, $0.nanoseconds) } ?? -1
        let result = unsafe events.withUnsafeMutableBufferPointer {
            unsafe linux_epoll_wait(
                descriptor.number, $0.baseAddress, CUnsignedInt($0.count), nanoseconds)
        }
        eventCount = try SystemError.check(Int(result), "wait for events")
    }

    /// The next event that is still meant for somebody.
    package mutating func next() -> Event? {
        while nextEvent < eventCount {
            let event = events[nextEvent]
            nextEvent += 1
            let registration = Registration(
                number: CInt(truncatingIfNeeded: event.data),
                id: UInt32(truncatingIfNeeded: event.data >> 32))
            guard isCurrent(registration) else { continue }
            return Event(
                registration: registration, tag: entries[Int(registration.number)].tag,
                isReadable: event.what & UInt32(LINUX_READABLE) != 0,
                isWritable: event.what & UInt32(LINUX_WRITABLE) != 0,
                isBroken: event.what & UInt32(LINUX_BROKEN) != 0)
        }
        return nil
    }

    private func isCurrent(_ registration: Registration) -> Bool {
        let index = Int(registration.number)
        return index < entries.count && entries[index].id == registration.id
    }

    private static func data(_ registration: Registration) -> UInt64 {
        UInt64(registration.id) << 32 | UInt64(UInt32(bitPattern: registration.number))
    }
}
