import CSCTPShims
package import Wire

/// All SCTP associations of the process.
///
/// usrsctp keeps its state in the process and runs every association's timers at once, so one
/// thread owns this object and everything else talks to it by messages. Made once: the library
/// cannot be started twice, and the engine lives until the process ends.
///
/// usrsctp 0.9.5 is told the time by `tick`, but also asks the wall clock itself (how old a packet
/// is when it may be sent again; how old a cookie is). The two must advance together: a test that
/// ticks without moving the clock loses its associations, and so does a wall clock that is set
/// back by a minute while packets are being lost.
package final class SCTPEngine {
    /// DTLS adds up to 37 bytes (header, nonce, tag), and a datagram of ours has at most 1,200.
    package static let packetSize = 1160
    /// Messages above this end the association: the answer in SDP said so. Twice that is what a
    /// peer may have us keep in either direction before it is told to wait.
    package static let messageMaximum = 256 * 1024
    /// What waits for room in one association; the channels above stop earlier.
    private static let waitingMaximum = 4 * 1024 * 1024
    package static let associationsMaximum = 10_000

    private var associations: [UInt32: Association] = [:]
    private var nextID: UInt32 = 1
    private var sink = SCTPEvents()
    /// Associations the library had no room for, asked again at each tick.
    private var stalled: Set<UInt32> = []
    /// Associations to be closed as soon as the library has returned.
    private var over: [Association] = []

    package init() {
        let context = unsafe Unmanaged.passRetained(self).toOpaque()
        let isFirst = unsafe gateway_sctp_start(context, Self.callbacks)
        precondition(isFirst, "usrsctp has one owner")
    }

    package var count: Int { associations.count }

    /// Begins an association; both ends do so at once (RFC 8831 §6.1 leaves it open).
    /// - Returns: Its number; `nil`: too many.
    package func open(port: UInt16, into events: inout SCTPEvents) -> UInt32? {
        guard associations.count < Self.associationsMaximum else { return nil }
        let id = freeID()
        return collecting(into: &events) {
            let handle = unsafe gateway_sctp_open(
                id, port, UInt32(Self.packetSize), UInt32(Self.messageMaximum))
            guard let handle = unsafe handle else { return nil }
            associations[id] = unsafe Association(id: id, handle: handle)
            return id
        }
    }

    /// A packet came out of DTLS. One that is not well formed is dropped.
    package func receive(_ packet: RawSpan, for id: UInt32, into events: inout SCTPEvents) {
        guard associations[id] != nil, PacketCheck.isSound(packet) else { return }
        collecting(into: &events) {
            unsafe packet.withUnsafeBytes {
                unsafe gateway_sctp_input(id, $0.baseAddress, $0.count)
            }
        }
    }

    /// - Returns: Whether it was taken; `false`: no such association, nothing in it (SCTP cannot
    ///   carry that), too large, or too much waits.
    package func send(
        _ bytes: RawSpan, payload: UInt32, stream: UInt16, delivery: SCTPDelivery, for id: UInt32,
        into events: inout SCTPEvents
    ) -> Bool {
        guard let association = associations[id], 1...Self.messageMaximum ~= bytes.byteCount,
            association.waitingBytes + bytes.byteCount <= Self.waitingMaximum
        else { return false }
        let copy = [UInt8](copying: bytes)
        association.append(
            .message(.init(stream: stream, payload: payload, delivery: delivery, bytes: copy)))
        collecting(into: &events) { drain(association) }
        return true
    }

    /// Resets our side of a stream, after everything that was sent on it.
    /// - Returns: Whether it was taken; `false`: no such association, or too much waits.
    package func resetStream(
        _ stream: UInt16, for id: UInt32, into events: inout SCTPEvents
    ) -> Bool {
        guard let association = associations[id],
            association.waitingBytes + Association.stepOverhead <= Self.waitingMaximum
        else { return false }
        association.append(.reset(stream: stream))
        collecting(into: &events) { drain(association) }
        return true
    }

    /// Ends it at once and tells the peer.
    package func close(_ id: UInt32, into events: inout SCTPEvents) {
        guard let association = associations[id] else { return }
        association.hasEnded = true
        over.append(association)
        collecting(into: &events) {}
    }

    /// Lets the timers of all associations run, and those that waited go on: about every 10 ms.
    package func tick(_ elapsed: Interval, into events: inout SCTPEvents) {
        collecting(into: &events) {
            gateway_sctp_tick(UInt32(clamping: elapsed.milliseconds))
            for id in stalled {
                if let association = associations[id], !association.hasEnded {
                    drain(association)
                }
            }
        }
    }

    /// After four billion associations the first numbers come again.
    private func freeID() -> UInt32 {
        while nextID == 0 || associations[nextID] != nil { nextID &+= 1 }
        defer { nextID &+= 1 }
        return nextID
    }

    /// The library calls back while it is called; what it says goes to the caller's sink. It is
    /// never called from inside such a callback: it holds locks then, and would wait for itself.
    private func collecting<Result>(
        into events: inout SCTPEvents, _ body: () -> Result
    ) -> Result {
        swap(&sink, &events)
        defer { swap(&sink, &events) }
        let result = body()
        while let association = over.popLast() {
            associations[association.id] = nil
            stalled.remove(association.id)
            unsafe gateway_sctp_close(association.pointer, association.id)
        }
        return result
    }

    /// Hands over what waits, in order, until the library has no room.
    private func drain(_ association: Association) {
        while let step = association.first {
            guard perform(step, on: association) else {
                stalled.insert(association.id)
                return
            }
            association.removeFirst()
        }
        stalled.remove(association.id)
    }

    /// - Returns: Whether it is done; `false`: come again.
    private func perform(_ step: Association.Step, on association: Association) -> Bool {
        switch step {
        case .reset(let stream):
            guard association.isConnected else { return false }
            return unsafe gateway_sctp_reset(association.pointer, stream)
        case .message(let message):
            let (id, stream, count) = (association.id, message.stream, message.bytes.count)
            switch Int(Self.hand(message, to: association)) {
            case GATEWAY_SCTP_AGAIN: return false
            case GATEWAY_SCTP_TAKEN:
                sink.append(.sent(association: id, stream: stream, bytes: count))
            default:
                sink.append(.refused(association: id, stream: stream, bytes: count))
            }
            return true
        }
    }

    private static func hand(_ message: Association.Message, to association: Association) -> CInt {
        let (kind, value): (Int, UInt32) =
            switch message.delivery.reliability {
            case .reliable: (GATEWAY_SCTP_RELIABLE, 0)
            case .retransmits(let count): (GATEWAY_SCTP_RETRANSMITS, count)
            case .lifetime(let milliseconds): (GATEWAY_SCTP_LIFETIME, milliseconds)
            }
        return unsafe message.bytes.withUnsafeBytes {
            unsafe gateway_sctp_send(
                association.pointer, message.stream, message.payload, !message.delivery.ordered,
                CInt(kind), value, $0.baseAddress, $0.count)
        }
    }
}

// What the library says, on the thread that called it.
extension SCTPEngine {
    @safe private static var callbacks: gateway_sctp_events {
        unsafe gateway_sctp_events(
            packet: { unsafe SCTPEngine.from($0)?.onPacket($1, $2, $3) },
            message: { unsafe SCTPEngine.from($0)?.onMessage($1, $2, $3, $4, $5, $6) },
            connected: { unsafe SCTPEngine.from($0)?.onConnected($1) },
            ended: { unsafe SCTPEngine.from($0)?.onEnded($1) },
            reset: {
                unsafe SCTPEngine.from($0)?.sink.append(
                    .streamReset(association: $1, stream: $2))
            })
    }

    @unsafe private static func from(_ context: UnsafeMutableRawPointer?) -> SCTPEngine? {
        guard let context = unsafe context else { return nil }
        return unsafe Unmanaged<SCTPEngine>.fromOpaque(context).takeUnretainedValue()
    }

    @unsafe private func onPacket(_ id: UInt32, _ start: UnsafeRawPointer?, _ count: Int) {
        let bytes = unsafe UnsafeRawBufferPointer(start: start, count: count)
        let range = unsafe sink.store(bytes.bytes)
        sink.append(.packet(association: id, range))
    }

    @unsafe private func onMessage(
        _ id: UInt32, _ stream: UInt16, _ payload: UInt32, _ start: UnsafeRawPointer?,
        _ count: Int, _ isWhole: Bool
    ) {
        guard let association = associations[id], !association.hasEnded else { return }
        guard isWhole, count <= Self.messageMaximum else { return onEnded(id) }
        let bytes = unsafe UnsafeRawBufferPointer(start: start, count: count)
        let range = unsafe sink.store(bytes.bytes)
        sink.append(.message(association: id, stream: stream, payload: payload, range))
    }

    private func onConnected(_ id: UInt32) {
        guard let association = associations[id], !association.isConnected else { return }
        association.isConnected = true
        sink.append(.connected(association: id))
    }

    private func onEnded(_ id: UInt32) {
        guard let association = associations[id], !association.hasEnded else { return }
        association.hasEnded = true
        over.append(association)
        sink.append(.ended(association: id))
    }
}
