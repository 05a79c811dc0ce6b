import SDP
import Wire

/// A dialog in which a camera sends a stream (section J of the standard).
struct GBCall: Sendable {
    enum State: Equatable, Sendable {
        case inviting
        /// It has agreed; nothing has come yet.
        case waiting(until: Instant)
        case playing
    }

    /// From the answer to the first packet.
    static let mediaPatience = Interval.seconds(10)

    let id: GBChannelID
    var ssrc: UInt32
    let serial: Int
    let callID: String
    let localTag: String
    var remoteTag: String?
    var sequence: UInt32
    var branch: String
    var state = State.inviting
    var route: GBRoute
    var transport: GBSettings.Transport
    /// The other transport has been tried.
    var hasFallenBack = false
    /// What answers each 200, however often it comes.
    var ack: [UInt8]?
    var startedAt: Instant
}

/// Numbers of streams: `D1` live or history, `D2`–`D6` of the domain, four digits of our own.
struct GBSerials: Sendable {
    /// A camera that did not hear the end goes on sending.
    static let rest = Interval.seconds(30)
    static let count = 9_999

    private var used: Set<Int> = []
    private var freed: [(serial: Int, at: Instant)] = []
    private var last: Int

    init(random: inout SplitMix64) { last = Int(random.next() % UInt64(Self.count)) }

    /// nil: all are in use.
    mutating func take(at now: Instant) -> Int? {
        freed.removeAll { now - $0.at >= Self.rest }
        let resting = Set(freed.map(\.serial))
        for _ in 0..<Self.count {
            last = last % Self.count + 1
            if !used.contains(last), !resting.contains(last) {
                used.insert(last)
                return last
            }
        }
        return nil
    }

    mutating func free(_ serial: Int, at now: Instant) {
        guard used.remove(serial) != nil else { return }
        freed.append((serial, now))
    }

    var usedCount: Int { used.count }

    static func text(_ serial: Int, domain: String) -> String {
        let middle = String(domain.dropFirst(3).prefix(5))
        let digits = String(serial)
        let zeros = String(repeating: "0", count: max(0, 4 - digits.count))
        return "0" + (middle.utf8.count == 5 ? middle : "20000") + zeros + digits
    }
}

/// The description that we offer, and what a camera answers.
enum GBDescription {
    static func offer(
        _ call: GBCall, host: String, port: UInt16, ssrc: String
    ) -> [UInt8] {
        var description = SDPDescription()
        description.origin.username = call.id.channel
        description.origin.address = host
        description.name = "Play"
        description.connection = host
        let isTCP = call.transport == .tcp
        var media = SDPMedia(
            kind: .video, port: port, proto: isTCP ? "TCP/RTP/AVP" : "RTP/AVP")
        media.direction = .recvonly
        media.formats = [SDPFormat(payloadType: 96, encoding: "PS", clockRate: 90_000)]
        if isTCP {
            media.attributes = [
                SDPAttribute("setup", "passive"), SDPAttribute("connection", "new"),
            ]
        }
        description.medias = [media]
        description.gbSSRC = ssrc
        return SDPWriter.write(description)
    }

    /// The SSRC that the camera has chosen itself, if it has, and where it says that its media
    /// comes from; many send no description at all.
    static func answer(_ body: [UInt8]) -> (ssrc: UInt32?, source: Address?) {
        guard !body.isEmpty, let answer = try? SDPDescription(repairing: body.raw) else {
            return (nil, nil)
        }
        var ssrc: UInt32?
        if let text = answer.gbSSRC, text.utf8.allSatisfy({ ASCII.isDigit($0) }) {
            ssrc = UInt32(text)
        }
        let host = answer.medias.first?.connection ?? answer.connection
        return (ssrc, host.flatMap { Address(ip: $0) })
    }
}
