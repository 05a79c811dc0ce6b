import SDP
package import Stream
package import Wire

/// Our end towards a camera or another server: it fetches a stream from there, or brings one there.
///
///     OPTIONS ──▶ DESCRIBE ──▶ SETUP … ──▶ PLAY ────▶ media, keep-alives, reports ──▶ TEARDOWN
///          └────▶ ANNOUNCE ──▶ SETUP … ──▶ RECORD ──▶ the same the other way (RTSPClient+Push)
///
/// One connection, one try. What a camera does not like is asked for in another way where that
/// can be done on the same connection; what needs a new one is left as a `lesson` for the next
/// try. The steps are in `RTSPClient+Steps`, what keeps it alive in `+Running`.
package final class RTSPClient: LinkSession, DatagramSession {
    /// For each step.
    static let patience = Interval.seconds(10)
    /// Nothing has come since PLAY, or for so long.
    static let stall = Interval.seconds(8)
    /// The same before the first packet over UDP, which a firewall may keep from us.
    static let stallOverUDP = Interval.seconds(4)
    static let channel: ChannelID = 1
    static let agent = "gateway"

    /// What one try has learned for the next one.
    struct Lesson: OptionSet, Sendable, Equatable {
        var rawValue: UInt8
        init(rawValue: UInt8) { self.rawValue = rawValue }

        /// Some cameras begin only when every track has been set up, wanted or not.
        package static let everyTrack = Lesson(rawValue: 1)
        /// It does not send media over TCP.
        package static let udp = Lesson(rawValue: 2)
    }

    /// A request that waits for its answer.
    struct Step {
        enum Kind: Equatable { case options, describe, announce, setUp(Int), play, record }

        var kind: Kind
        var method: String
        var url: RTSPURL
        var headers: [RTSPMessage.Header]
        var body: [UInt8] = []
        var sequence: Int
        /// The challenge it was signed for; nil: it went out unsigned.
        var signedFor: RTSPChallenge?
        var tries = 1
        var deadline: Instant
    }

    let purpose: LinkPurpose
    let name: String
    let peer: Address
    /// UTC less the monotonic clock.
    let wall: Interval
    /// What is brought there.
    var push = RTSPPush()
    let transport: LinkTransport
    /// What leaves by UDP, and the even ports that it has, by their lines.
    package let datagrams = DatagramQueue()
    var ports: [LineNumber: UInt16] = [:]
    /// The track for which ports are being opened.
    var waitsForPorts: (question: QuestionID, track: Int)?
    /// It has gone over to the other transport on this connection: once is enough.
    var hasSwitched = false
    /// Datagrams of others than the camera.
    package internal(set) var strangers = 0
    let user: String
    let password: String
    /// Without user and password.
    var url: RTSPURL
    var dice: SplitMix64
    var step: Step?
    var sequence = 0
    var challenge: RTSPChallenge?
    /// As `Public` named them; empty: not known.
    var methods: Set<String> = []
    var base: RTSPBase?
    var inlet: RTSPInlet?
    /// Tracks that are still to be set up.
    var toSetUp: [Int] = []
    var session: RTSPSessionHeader?
    /// PLAY went out without Range once it was refused with one.
    var playsPlain = false
    var questions = OpenQuestions()
    var isPublished = false
    var playedAt: Instant?
    var keepAliveAt = Instant.distantFuture
    var reportAt = Instant.distantFuture
    /// GET_PARAMETER turned out not to be known there.
    var avoidsParameter = false
    private var reader = RTSPReader()
    var learned: Lesson
    package var lesson: UInt8 { learned.rawValue }
    package private(set) var isEstablished = false
    package private(set) var ending: LinkEnding?

    package init(_ seed: LinkSeed) {
        (user, password) = (seed.url.user, seed.url.password)
        url = RTSPURL(seed.url)
        purpose = seed.purpose
        name = seed.name
        peer = seed.peer
        wall = seed.wall
        learned = Lesson(rawValue: seed.lesson)
        // Media in the clear is not what the configuration wants of `rtsps`.
        transport = seed.url.scheme == "rtsps" ? .tcp : seed.transport
        switch transport {
        case .auto: break
        case .tcp: learned.remove(.udp)
        case .udp: learned.insert(.udp)
        }
        dice = SplitMix64(seed: seed.random)
    }

    /// It does what it is for.
    package var isRunning: Bool {
        purpose == .push ? push.phase == .sending : inlet?.lastMedia != nil && isPublished
    }
    package var wantsBytes: Bool { questions.count == 0 }

    /// The connection stands.
    package func start(at now: Instant, into effects: inout Effects, out: inout Outbox) {
        request(.options, "OPTIONS", url, at: now, &out)
    }

    // MARK: - Bytes

    package func receive(
        _ bytes: RawSpan, at now: Instant, into effects: inout Effects, out: inout Outbox
    ) -> Int {
        var reader = RTSPReader()
        swap(&reader, &self.reader)
        defer { swap(&reader, &self.reader) }
        var start = 0
        do throws(ParseError) {
            while wantsBytes, ending == nil, let element = try reader.next(bytes, from: &start) {
                switch element {
                case .frame(let channel, let range):
                    guard isPublished else { continue }
                    inlet?.receive(
                        bytes.extracting(range), on: .channel(channel), at: now, &effects)
                case .message(let message): take(message, at: now, &effects, &out)
                }
            }
        } catch {
            end(.failed("what it sends is not RTSP: \(error)"), &effects, &out)
        }
        return ending == nil ? start : bytes.byteCount
    }

    private func take(
        _ message: RTSPMessage, at now: Instant, _ effects: inout Effects, _ out: inout Outbox
    ) {
        isEstablished = true
        switch message.start {
        case .request(let method, _):
            // Recorders ask OPTIONS or SET_PARAMETER of their clients, to see whether they live.
            var response = RTSPMessage(.response(status: 200))
            response.add("CSeq", message["CSeq"])
            response.add("Session", session?.id)
            out.append(response.bytes)
            guard method == "REDIRECT" else { return }
            follow(message, &effects, &out)
        case .response(let status):
            guard let step, isAnswer(message, to: step) else {
                return kept(status, message)
            }
            self.step = nil
            answered(step, status, message, at: now, &effects, &out)
        }
    }

    /// Some leave CSeq out; an answer with another number is a keep-alive's.
    private func isAnswer(_ message: RTSPMessage, to step: Step) -> Bool {
        guard let text = message["CSeq"], let number = Int(RTSPTransport.trimmed(text)) else {
            return true
        }
        return number == step.sequence
    }

    // MARK: - Requests

    func request(
        _ kind: Step.Kind, _ method: String, _ url: RTSPURL,
        _ headers: [RTSPMessage.Header] = [], body: [UInt8] = [], at now: Instant,
        _ out: inout Outbox
    ) {
        var step = Step(
            kind: kind, method: method, url: url, headers: headers, body: body, sequence: 0,
            deadline: now + Self.patience)
        send(&step, &out)
        self.step = step
    }

    /// Again, with the challenge as it is now.
    func repeatRequest(_ step: Step, at now: Instant, _ out: inout Outbox) {
        var step = step
        step.tries += 1
        step.deadline = now + Self.patience
        send(&step, &out)
        self.step = step
    }

    private func send(_ step: inout Step, _ out: inout Outbox) {
        var message = message(step.method, step.url, step.headers)
        message.body = step.body
        step.sequence = sequence
        step.signedFor = challenge
        out.append(message.bytes)
    }

    /// The next request, signed if the camera has asked for that.
    func message(
        _ method: String, _ url: RTSPURL, _ headers: [RTSPMessage.Header] = []
    ) -> RTSPMessage {
        sequence += 1
        let text = url.text
        var message = RTSPMessage(.request(method: method, url: text))
        message.add("CSeq", String(sequence))
        // Some answer 401 or 403 to who does not say its name (go2rtc #235).
        message.add("User-Agent", Self.agent)
        if let challenge {
            message.add(
                "Authorization",
                challenge.authorization(
                    user: user, password: password, method: method, uri: text, dice: &dice))
        }
        message.add("Session", session?.id)
        message.headers += headers
        return message
    }

    // MARK: - The end

    func end(_ why: LinkEnding, _ effects: inout Effects, _ out: inout Outbox) {
        guard ending == nil else { return }
        ending = why
        // Else the camera keeps the session for a minute, and has only a few.
        if session != nil { out.append(message("TEARDOWN", base?.url ?? url).bytes) }
        effects.append(.close(.done))
    }

    func follow(
        _ message: RTSPMessage, _ effects: inout Effects, _ out: inout Outbox
    ) {
        guard let place = message["Location"].flatMap({ RTSPURL($0) }),
            let link = try? LinkURL(signed(place))
        else { return end(.failed("it sends us on, but does not say where"), &effects, &out) }
        end(.redirected(link), &effects, &out)
    }

    /// With our user and password, unless the camera names others.
    private func signed(_ place: RTSPURL) -> String {
        let (user, password) =
            place.user.isEmpty ? (self.user, self.password) : (place.user, place.password)
        let text = place.text
        guard !user.isEmpty, let mark = text.firstRange(of: "://") else { return text }
        let login = PercentCoding.encode(user) + ":" + PercentCoding.encode(password)
        return text[..<mark.upperBound] + login + "@" + text[mark.upperBound...]
    }

    package func receiveEnd(
        at now: Instant, into effects: inout Effects, out: inout Outbox
    ) {
        let place = step.map { "after \($0.method)" } ?? "while media flowed"
        end(.failed("it closed the connection \(place)"), &effects, &out)
    }

    package func drain(at now: Instant, into effects: inout Effects, out: inout Outbox) {
        end(.failed("the gateway is shutting down"), &effects, &out)
    }
}
