import System

/// The time before SRT is needed. libsrt wakes its threads two hundred times a second from the
/// moment it listens, and keeps memory for it: it begins with the first datagram or the first call.
struct SRTSleep: ~Copyable {
    private static let (bell, caller) = (0, 1)

    private let shared: SRTShared
    private let listener: Parcel<Descriptor>?
    /// What was asked for when it woke up.
    private(set) var orders: [SRTOffice.Order] = []

    init(_ shared: SRTShared, _ listener: Parcel<Descriptor>?) {
        self.shared = shared
        self.listener = listener
    }

    /// - Returns: False: it is over before it began.
    mutating func waitsForWork() -> Bool {
        do throws(SystemError) {
            var poller = try Poller()
            _ = try poller.add(shared.mailbox.bell, tag: Self.bell)
            try watchListener(&poller)
            while true {
                try poller.wait(nil)
                var hasCaller = false
                while let event = poller.next() {
                    hasCaller = hasCaller || event.tag == Self.caller
                }
                shared.mailbox.bell.awake()
                shared.mailbox.collect(into: &orders)
                guard let isNeeded = isNeeded(hasCaller) else { return false }
                if isNeeded { return true }
            }
        } catch {
            // Then it does not sleep.
            shared.log.warning("srt: \(error)")
            return true
        }
    }

    private func watchListener(_ poller: inout Poller) throws(SystemError) {
        let failure = listener?.peek { descriptor -> SystemError? in
            do throws(SystemError) {
                _ = try poller.add(descriptor, .read, tag: Self.caller)
                return nil
            } catch { return error }
        }
        if let error = failure ?? nil { throw error }
    }

    /// - Returns: nil: it is to end.
    private func isNeeded(_ hasCaller: Bool) -> Bool? {
        var isNeeded = hasCaller
        for order in orders {
            switch order {
            case .call: isNeeded = true
            // Closed with this: nobody is heard any more.
            case .stopListening: _ = listener?.take()
            case .end: return nil
            }
        }
        return isNeeded
    }
}
