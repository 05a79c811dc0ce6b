import GB28181
import Stream
import Wire

/// A connection of a camera in pieces, and the packets in it.
func fuzzGBFraming(_ bytes: RawSpan) {
    var framing = GBFraming()
    var receiver = GBReceiver(channel: 1, isOrdered: true, at: .start)
    var effects = Effects()
    var pending: [UInt8] = []
    var now = Instant.start
    for start in stride(from: 0, to: bytes.byteCount, by: 97) {
        pending.append(copying: bytes.extracting(start..<min(bytes.byteCount, start + 97)))
        now = now + .milliseconds(9)
        var at = 0
        do throws(ParseError) {
            while let range = try framing.next(pending.raw, from: &at) {
                receiver.receive(pending.raw.extracting(range), at: now, into: &effects)
                effects.clear()
            }
        } catch {
            return
        }
        pending.removeFirst(at)
        if receiver.deadline <= now { receiver.expire(at: now, into: &effects) }
    }
}

/// The XML of a device.
func fuzzGBMessage(_ bytes: RawSpan) {
    let body = [UInt8](copying: bytes)
    guard let said = try? DeviceMessage(body, .plain) else { return }
    _ = said.content["DeviceList"]?.all("Item").map { $0.value("Name") }
}

/// A platform that anybody may register to hears datagrams, one after the other; two line ends of
/// their own part them.
func fuzzGBPlatform(_ bytes: RawSpan) {
    var settings = GBSettings(
        id: "34020000002000000001", domain: "3402000000", password: "", mediaPort: 10_000)
    settings.transport = .udp
    var platform = GBPlatform(settings, seed: 1)
    let route = GBRoute(
        peer: Address(ipv4: 0x0a00_0001, port: 5060),
        local: Address(ipv4: 0x0a00_0002, port: 5060))
    var effects: [GBEffect] = []
    var now = Instant.start + .seconds(1)
    var start = 0
    while start < bytes.byteCount {
        let end = bytes.firstIndex(of: 0x1e, in: start..<bytes.byteCount) ?? bytes.byteCount
        platform.receive(datagram: bytes.extracting(start..<end), route, at: now, into: &effects)
        start = end + 1
        now = now + .milliseconds(700)
        platform.expire(at: now, into: &effects)
        if let id = platform.devices.keys.first {
            _ = try? platform.play(
                GBChannelID(device: id, channel: id), at: now, into: &effects)
        }
        effects.removeAll(keepingCapacity: true)
    }
}
