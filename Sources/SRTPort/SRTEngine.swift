import CSRTShims
package import Wire

/// libsrt, for the one thread that owns it: its sockets, and descriptors of the system between
/// which and them that thread carries bytes.
///
/// It owns no bytes and decides nothing but what `SRTDoor` says of callers.
package final class SRTEngine {
    package enum Subject: Equatable, Sendable {
        case socket(SRTSocket)
        /// A descriptor of the system, by its number.
        case descriptor(Int32)
    }

    package struct Event: Equatable, Sendable {
        package var subject: Subject
        package var isReadable: Bool
        package var isWritable: Bool
    }

    package enum State: Equatable, Sendable { case connecting, connected, broken }
    package enum Sending: Equatable, Sendable { case taken, full, broken }

    /// As libsrt sends it in live mode: seven packets of a transport stream.
    package static let messageSize = 1316
    /// As it may come: what fits into a datagram.
    package static let messageMaximum = 1456

    private let poller: Int32
    private var events = [gateway_srt_event](repeating: gateway_srt_event(), count: 256)
    private var door: SRTDoor?
    /// What each is watched for.
    private var watched: [SRTSocket: Int32] = [:]
    private var descriptors: [Int32: Int32] = [:]

    package init() throws(SRTError) {
        guard gateway_srt_start() >= 0 else { throw Self.error("start libsrt") }
        poller = gateway_srt_poller()
        guard poller >= 0 else { throw Self.error("open a poller of libsrt") }
    }

    /// Nobody may call anything of it any more.
    package func stop() {
        gateway_srt_poller_close(poller)
        gateway_srt_stop()
    }

    private static func error(_ doing: String) -> SRTError {
        let cause = unsafe gateway_srt_error().map { unsafe String(cString: $0) }
        return SRTError(description: "\(doing): \(cause ?? "no cause is given")")
    }

    // MARK: - Sockets

    /// - Parameter descriptor: A bound UDP socket: the library's from here on.
    package func listen(
        on descriptor: Int32, _ options: SRTOptions, _ door: SRTDoor
    ) throws(SRTError) -> SRTSocket {
        self.door = door
        // For the life of the process: the library may ask until its last thread has ended.
        let context = unsafe Unmanaged.passRetained(door).toOpaque()
        var flat = Self.flat(options)
        let number = unsafe gateway_srt_listen(descriptor, &flat, judgeCaller, context)
        guard number >= 0 else { throw Self.error("listen for SRT") }
        return SRTSocket(number: number)
    }

    package func accept(_ listener: SRTSocket) -> (SRTSocket, Address)? {
        var peer = gateway_srt_address()
        let number = unsafe gateway_srt_accept(listener.number, &peer)
        guard number >= 0 else { return nil }
        return (SRTSocket(number: number), Address(srt: peer))
    }

    /// Begins to call: watch for writing, and ask for its state.
    package func connect(to peer: Address, _ options: SRTOptions) throws(SRTError) -> SRTSocket {
        var address = peer.srt
        var flat = Self.flat(options)
        let number = unsafe gateway_srt_connect(&address, &flat)
        guard number >= 0 else { throw Self.error("call \(peer)") }
        return SRTSocket(number: number)
    }

    package func state(of socket: SRTSocket) -> State {
        switch gateway_srt_state_of(socket.number) {
        case GATEWAY_SRT_CONNECTING: .connecting
        case GATEWAY_SRT_CONNECTED: .connected
        default: .broken
        }
    }

    /// - Returns: nil: the connection is gone. Never taken for an empty one, which may mean a
    ///   stream that the caller was not judged for.
    package func streamID(of socket: SRTSocket) -> String? {
        var text = [CChar](repeating: 0, count: Int(GATEWAY_SRT_ID_MAXIMUM) + 1)
        guard unsafe gateway_srt_stream_id(socket.number, &text) == 0 else { return nil }
        return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    /// Why the other end did not take a call.
    package func rejection(of socket: SRTSocket) -> String {
        let reason = gateway_srt_rejection(socket.number)
        if let ours = SRTRejection(rawValue: reason) {
            return "refused with \(ours.rawValue): \(ours)"
        }
        if reason >= 1000 { return "refused with \(reason)" }
        guard reason > 0, let text = unsafe gateway_srt_rejection_text(reason) else {
            return "no answer"
        }
        return unsafe String(cString: text)
    }

    package func close(_ socket: SRTSocket) { gateway_srt_close(socket.number) }

    // MARK: - Media

    /// One message.
    ///
    /// - Returns: Its bytes; 0: nothing now; nil: the connection is over.
    package func receive(from socket: SRTSocket, into window: inout MutableRawSpan) -> Int? {
        let count = unsafe window.withUnsafeMutableBytes {
            unsafe gateway_srt_receive(socket.number, $0.baseAddress, Int32($0.count))
        }
        return count < 0 ? nil : Int(count)
    }

    /// One message.
    package func send(_ message: RawSpan, to socket: SRTSocket) -> Sending {
        let result = unsafe message.withUnsafeBytes {
            unsafe gateway_srt_send(socket.number, $0.baseAddress, Int32($0.count))
        }
        return result > 0 ? .taken : result == 0 ? .full : .broken
    }

    /// - Parameter isIncoming: Media comes from the peer.
    package func figures(of socket: SRTSocket, isIncoming: Bool) -> SRTFigures? {
        var flat = gateway_srt_figures()
        guard unsafe gateway_srt_figures_of(socket.number, &flat) == 0 else { return nil }
        var figures = SRTFigures()
        figures.roundTrip = .microseconds(Self.whole(flat.round_trip * 1000))
        figures.latency = .milliseconds(Int64(flat.latency))
        figures.buffered = .milliseconds(Int64(flat.waiting))
        let megabits = isIncoming ? flat.megabits_in : flat.megabits_out
        figures.bitsPerSecond = Int(Self.whole(megabits * 1_000_000))
        figures.packets = UInt64(clamping: isIncoming ? flat.packets_in : flat.packets_out)
        figures.lost = UInt64(clamping: isIncoming ? flat.lost_in : flat.lost_out)
        figures.dropped = UInt64(clamping: isIncoming ? flat.dropped_in : flat.dropped_out)
        figures.repeated = UInt64(clamping: flat.repeated_out)
        figures.undecrypted = UInt64(clamping: flat.undecrypted)
        return figures
    }

    /// The library computes with what the peer's clock says.
    private static func whole(_ value: Double) -> Int64 {
        value.isFinite ? Int64(min(max(value, 0), 1e15)) : 0
    }

    // MARK: - Waiting

    /// Neither: not any more. To be called before the socket is closed.
    package func watch(_ socket: SRTSocket, reading: Bool, writing: Bool) {
        let what = Self.what(reading, writing)
        guard what != watched[socket] ?? 0 else { return }
        _ = gateway_srt_watch(poller, socket.number, what)
        watched[socket] = what == 0 ? nil : what
    }

    /// Neither: not any more. To be called before the descriptor is closed.
    package func watch(descriptor: Int32, reading: Bool, writing: Bool) {
        let what = Self.what(reading, writing)
        let was = descriptors[descriptor] ?? 0
        _ = gateway_srt_watch_descriptor(poller, descriptor, what, was)
        descriptors[descriptor] = what == 0 ? nil : what
    }

    private static func what(_ reading: Bool, _ writing: Bool) -> Int32 {
        (reading ? Int32(GATEWAY_SRT_READ) : 0)
            | (writing ? Int32(GATEWAY_SRT_WRITE) : 0)
    }

    /// Waits until something happens or the time is over.
    package func wait(_ timeout: Interval, into found: inout [Event]) {
        found.removeAll(keepingCapacity: true)
        let count = unsafe gateway_srt_wait(
            poller, Int32(clamping: timeout.milliseconds), &events, Int32(events.count))
        for event in events.prefix(max(0, Int(count))) {
            found.append(
                Event(
                    subject: event.is_descriptor != 0
                        ? .descriptor(event.number) : .socket(SRTSocket(number: event.number)),
                    isReadable: event.what & Int32(GATEWAY_SRT_READ) != 0,
                    isWritable: event.what & Int32(GATEWAY_SRT_WRITE) != 0))
        }
    }

    private static func flat(_ options: SRTOptions) -> gateway_srt_options {
        var flat = gateway_srt_options()
        flat.latency = Int32(clamping: options.latency.milliseconds)
        flat.connect_timeout = Int32(clamping: options.patience.milliseconds)
        flat.key_length = Int32(clamping: options.keyLength ?? 0)
        write(options.passphrase, Int(GATEWAY_SRT_PASSPHRASE_MAXIMUM), &flat.passphrase)
        write(options.streamID, Int(GATEWAY_SRT_ID_MAXIMUM), &flat.stream_id)
        return flat
    }

    /// What is longer than the field is left out: the settings and the URL are checked before.
    private static func write<Field>(_ text: String, _ maximum: Int, _ field: inout Field) {
        let bytes = Array(text.utf8)
        guard bytes.count <= maximum else { return }
        unsafe withUnsafeMutableBytes(of: &field) { unsafe $0.copyBytes(from: bytes) }
    }
}

/// On libsrt's receiving thread.
private func judgeCaller(
    _ context: UnsafeMutableRawPointer?, _ peer: UnsafePointer<gateway_srt_address>?,
    _ streamID: UnsafePointer<CChar>?, _ passphrase: UnsafeMutablePointer<CChar>?
) -> Int32 {
    guard let context = unsafe context, let peer = unsafe peer, let streamID = unsafe streamID,
        let passphrase = unsafe passphrase
    else { return SRTRejection.badRequest.rawValue }
    let door = unsafe Unmanaged<SRTDoor>.fromOpaque(context).takeUnretainedValue()
    let text = unsafe String(cString: streamID)
    switch door.judge(text, unsafe Address(srt: peer.pointee)) {
    case .reject(let reason): return reason.rawValue
    case .accept(let words):
        let bytes = Array(words.utf8.prefix(Int(GATEWAY_SRT_PASSPHRASE_MAXIMUM)))
        for (index, byte) in bytes.enumerated() {
            unsafe passphrase[index] = CChar(bitPattern: byte)
        }
        return 0
    }
}

extension Address {
    fileprivate init(srt address: gateway_srt_address) {
        var high: UInt64 = 0
        var low: UInt64 = 0
        unsafe withUnsafeBytes(of: address.bytes) { bytes in
            for index in 0..<8 {
                high = unsafe high << 8 | UInt64(bytes[index])
                low = unsafe low << 8 | UInt64(bytes[index + 8])
            }
        }
        self.init(high: high, low: low, port: address.port)
    }

    fileprivate var srt: gateway_srt_address {
        var address = gateway_srt_address()
        address.port = port
        unsafe withUnsafeMutableBytes(of: &address.bytes) { bytes in
            for index in 0..<8 {
                let shift = UInt64(56 - 8 * index)
                unsafe bytes[index] = UInt8(truncatingIfNeeded: high >> shift)
                unsafe bytes[index + 8] = UInt8(truncatingIfNeeded: low >> shift)
            }
        }
        return address
    }
}
