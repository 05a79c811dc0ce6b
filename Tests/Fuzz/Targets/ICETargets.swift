import Crypto
import ICE
import Wire

/// The STUN parser: ranges lie inside, and what it accepts can be asked for its integrity.
func fuzzSTUN(_ bytes: RawSpan) {
    guard let message = try? STUNMessage(bytes) else { return }
    let count = bytes.byteCount
    if let username = message.username {
        precondition(username.lowerBound >= STUNMessage.headerSize)
        precondition(username.upperBound <= count)
    }
    let password = [UInt8](repeating: 0x61, count: 24)
    _ = message.isAuthentic(bytes, key: HMACSHA1(key: password.raw))
    _ = TicketKeys(secret: [UInt8](repeating: 1, count: 32).raw).admit(message, bytes)
}

/// First bytes on the UDP and on the TCP port.
func fuzzDemux(_ bytes: RawSpan) {
    let kind = Demux(bytes)
    if kind == .stun { precondition(bytes.byteCount >= STUNMessage.headerSize) }
    if kind == .rtp { precondition(bytes.byteCount >= 12) }
    _ = FirstBytes(bytes)
}

/// A whole ICE-TCP connection: frames lie inside, none is larger than the bound, and the reader
/// always comes to an end.
func fuzzRFC4571(_ bytes: RawSpan) {
    var framing = Framing()
    var start = 0
    while let frame = try? framing.next(in: bytes.extracting(start..<bytes.byteCount)) {
        precondition(start + frame.upperBound <= bytes.byteCount)
        precondition(frame.count <= Framing.sizeLimit)
        start += frame.upperBound
        framing.isAuthenticated = true
    }
}

/// Datagrams of two-byte length into both agents: whatever comes, they send nothing unasked that
/// is larger than what came.
func fuzzICEAgent(_ bytes: RawSpan) {
    let secret = [UInt8](repeating: 7, count: 32)
    let a = ICECredentials(ufrag: "aaaa", password: "aaaaaaaaaaaaaaaaaaaaaa")
    let b = ICECredentials(ufrag: "bbbb", password: "bbbbbbbbbbbbbbbbbbbbbb")
    var lite = LiteAgent(local: a, remote: b, secret: secret.raw, at: .start)
    let route = Route(remote: .any(port: 1), local: .any(port: 2))
    var out = ICEOutput()
    var reader = ByteReader(bytes)
    while let length = try? reader.read(UInt16.self),
        let datagram = try? reader.read(count: Int(length))
    {
        out.clear()
        lite.receive(datagram, on: route, at: .start, into: &out)
        precondition(out.bytes.count <= datagram.byteCount)
    }
}
