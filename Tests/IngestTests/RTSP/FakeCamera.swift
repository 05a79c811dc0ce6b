import Media
import RTSP
import Stream
import Testing
import Wire

/// A camera with the habits of real ones, and our client on a held clock.
final class FakeCamera {
    /// What it does otherwise than the standard says.
    struct Habits {
        var user = ""
        var password = ""
        var challenge = "Digest realm=\"cam\", nonce=\"NONCE\""
        /// Every request after so many needs a new nonce.
        var nonceLasts = Int.max
        var methods = "OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN, GET_PARAMETER"
        var optionsStatus: Int? = 200
        var contentBase: String?
        var tracks = ["m=video 0 RTP/AVP 26\r\na=control:track0\r\n"]
        /// nil: it echoes what was asked for.
        var transport: ((Int) -> String)?
        var setUpStatus: [Int: Int] = [:]
        var refusesRange = false
        var session = "77;timeout=60"
        var keepAliveStatus: Int? = 200
        var needsAgent = false
        var beginsOnlyWithEveryTrack = false
        var leavesOutCSeq = false
        var redirect: String?
        /// What it answers to a SETUP over TCP.
        var tcpStatus = 200
    }

    static let address = Address(ipv4: 0xc000_0201, port: 554)

    let habits: Habits
    private let transport: LinkTransport
    private let hasPorts: Bool
    private let purpose: LinkPurpose
    private(set) var client: RTSPClient
    var now = Instant.start
    var effects = Effects()
    private var out = Outbox(limit: 1 << 20)
    private var reader = RTSPReader()
    private var heard: [UInt8] = []
    private var pending: [UInt8] = []
    /// `METHOD url` as they came.
    private(set) var requests: [String] = []
    private(set) var messages: [RTSPMessage] = []
    private(set) var reports = 0
    private(set) var frames: [(channel: UInt8, bytes: [UInt8])] = []
    private var nonce = 0
    private var served = 0
    private(set) var setUps = 0
    private(set) var plays = false

    /// - Parameter hasPorts: False: all of ours for UDP are taken.
    init(
        _ habits: Habits = Habits(),
        _ url: String = "rtsp://192.0.2.1/cam?channel=1&subtype=0",
        transport: LinkTransport = .auto, hasPorts: Bool = true, purpose: LinkPurpose = .pull
    ) {
        self.habits = habits
        self.purpose = purpose
        self.transport = transport
        self.hasPorts = hasPorts
        client = Self.make(url, 0, transport, purpose)
        start()
    }

    /// It sends this to one of our ports.
    func datagram(
        _ bytes: [UInt8], on line: LineNumber, from source: Address = address.with(port: 9000)
    ) {
        client.receive(
            datagram: bytes.raw, from: source, on: line, at: now, into: &effects, out: &out)
        hear()
    }

    /// What we have sent by UDP since somebody last asked.
    var datagrams: [SentDatagram] { SentDatagram.all(of: client.datagrams) }

    private static func make(
        _ url: String, _ lesson: UInt8, _ transport: LinkTransport, _ purpose: LinkPurpose
    ) -> RTSPClient {
        guard let place = try? LinkURL(url) else { preconditionFailure("not an address") }
        var seed = LinkSeed(
            purpose, place, name: "live/cam", peer: address, random: 1)
        seed.lesson = lesson
        seed.transport = transport
        return RTSPClient(seed)
    }

    private func start() {
        client.start(at: now, into: &effects, out: &out)
        hear()
    }

    /// A new connection, with what the last one learned.
    func again(_ url: String) {
        let lesson = client.lesson
        (effects, heard, pending, requests) = (Effects(), [], [], [])
        (setUps, plays, reader) = (0, false, RTSPReader())
        out.clear()
        client = Self.make(url, lesson, transport, purpose)
        start()
    }

    func send(_ bytes: [UInt8]) {
        pending += bytes
        pump()
        hear()
    }

    /// The client parks while the gateway thinks; what is left is shown again.
    private func pump() {
        client.take(&pending, at: now, into: &effects, out: &out)
        for case .ask(let question, let id) in effects.list {
            var answer = Answer.published(1)
            if case .lines(let line) = question {
                let none = Refusal(.tooMany, "all pairs are taken")
                answer = hasPorts ? .lines(line, port: 30_500 + UInt16(line)) : .refused(none)
            }
            if case .subscribe = question { answer = .subscribed(RTSPSessionTests.snapshot) }
            client.answer(answer, to: id, at: now, into: &effects, out: &out)
        }
    }

    private func hear() {
        heard += bytes(of: &out)
        var start = 0
        while let element = try? reader.next(heard.raw, from: &start) {
            switch element {
            case .frame(let channel, let range):
                reports += 1
                frames.append((channel, Array(heard[range])))
            case .message(let message):
                heard.removeFirst(start)
                start = 0
                answer(message)
            }
        }
        heard.removeFirst(min(start, heard.count))
    }

    private func answer(_ message: RTSPMessage) {
        guard case .request(let method, let url) = message.start else { return }
        requests.append("\(method) \(url)")
        messages.append(message)
        let isKeepAlive = plays && (method == "OPTIONS" || method == "GET_PARAMETER")
        var status = 200
        if method == "OPTIONS", !isKeepAlive {
            guard let said = habits.optionsStatus else { return }
            status = said
        }
        if isKeepAlive {
            guard let said = habits.keepAliveStatus else { return }
            status = said
        }
        if habits.needsAgent, message["User-Agent"] == nil { status = 403 }
        if !isAllowed(message, method, url) { status = 401 }
        var response = RTSPMessage(.response(status: status))
        if !habits.leavesOutCSeq { response.add("CSeq", message["CSeq"]) }
        if status == 401 {
            response.add("WWW-Authenticate", challenge)
        } else {
            fill(&response, method, message)
        }
        if method != "TEARDOWN" { send(response.bytes) }
    }

    private var challenge: String {
        habits.challenge.replacing("NONCE", with: "n\(nonce)")
    }

    private func isAllowed(_ message: RTSPMessage, _ method: String, _ url: String) -> Bool {
        guard !habits.user.isEmpty, method != "OPTIONS" else { return true }
        served += 1
        if served > habits.nonceLasts {
            served = 0
            nonce += 1
        }
        guard let asked = RTSPChallenge([challenge]) else { return false }
        var dice = SplitMix64(seed: 1)
        let right = asked.authorization(
            user: habits.user, password: habits.password, method: method, uri: url, dice: &dice)
        let said = message["Authorization"]
        // With a client nonce the answer differs every time: compared where there is none.
        return said == right
    }

    private func fill(_ response: inout RTSPMessage, _ method: String, _ request: RTSPMessage) {
        switch method {
        case "OPTIONS": response.add("Public", habits.methods)
        case "DESCRIBE":
            if let place = habits.redirect {
                response.start = .response(status: 302)
                response.add("Location", place)
            }
            response.add("Content-Base", habits.contentBase)
            response.body = Array(("v=0\r\ns=x\r\n" + habits.tracks.joined()).utf8)
        case "SETUP":
            if let status = habits.setUpStatus[setUps] {
                response.start = .response(status: status)
            }
            if habits.tcpStatus != 200, request["Transport"]?.contains("/TCP") == true {
                response.start = .response(status: habits.tcpStatus)
            }
            response.add("Transport", habits.transport?(setUps) ?? request["Transport"])
            response.add("Session", habits.session)
            setUps += 1
        case "PLAY":
            if habits.refusesRange, request["Range"] != nil {
                response.start = .response(status: 457)
            } else {
                plays = true
            }
        default: break
        }
    }

    /// A packet on a channel; nothing comes before it has begun.
    func packet(_ channel: UInt8, type: UInt8 = 26, _ sequence: UInt16 = 1) {
        if habits.beginsOnlyWithEveryTrack, setUps < habits.tracks.count { return }
        send(RTSPReaderTests.frame(channel, RTSPSessionTests.packet(type, sequence, 0)))
    }

    func pass(_ interval: Interval) {
        let end = now + interval
        while client.ending == nil, client.deadline <= end {
            now = max(now, client.deadline)
            client.expire(at: now, into: &effects, out: &out)
            hear()
        }
        now = end
    }

    /// What the gateway does with a stream that is brought to it.
    func begin(_ present: [PresentSlot]) -> Bool {
        defer { hear() }
        return client.begin(present, channel: 1, at: now, out: &out)
    }

    func give(_ payload: [UInt8], _ format: Format, ticks: Int64, slot: SlotName) {
        let meta = ItemMeta(
            ticks: ticks, arrival: now, length: payload.count, flags: [.frameEnd, .marker])
        client.send(
            ReadItem(
                payload.raw, meta, Encoding.FormatEra(format), at: 0,
                of: EncodingID(epoch: 1, layer: 0), slot: slot, channel: 1, jump: nil,
                capture: now), out: &out)
        hear()
    }

    func tell(_ notice: Notice) {
        client.notice(notice, at: now, into: &effects, out: &out)
        hear()
    }

    var media: Int { effects.media.count }
    var methods: [String] { requests.map { String($0.prefix { $0 != " " }) } }
}
