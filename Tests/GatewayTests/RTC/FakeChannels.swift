import Browser
import ICE
import SCTP
import System
import Wire

@testable import Gateway

/// The data channels of a fake browser. Its association is on the same thread as those of the
/// workers: the library is one for the process.
final class FakeChannels {
    struct Message: Equatable {
        var stream: UInt16
        var isText: Bool
        var bytes: [UInt8]
    }

    private(set) var received: [Message] = []
    var said: [String] { received.map { String(decoding: $0.bytes, as: UTF8.self) } }
    private(set) var opened: Set<UInt16> = []
    private(set) var closed: Set<UInt16> = []
    private(set) var hasEnded = false
    private let crew: RTCCrew
    private let browser: SocketBrowser
    private let owner: SCTPOwner
    private var channels: DataChannels
    private var out = DataOutput()
    private var hasBegun = false

    init(_ browser: SocketBrowser, _ crew: RTCCrew, isClient: Bool = true) {
        self.browser = browser
        self.crew = crew
        crew.lastChannels += 1
        owner = SCTPOwner(worker: RTCCrew.browsers, session: crew.lastChannels)
        channels = DataChannels(isDTLSClient: isClient)
        browser.turn = { [weak self] in self?.pump() }
    }

    func open(_ terms: DataChannelTerms) -> UInt16? {
        defer { perform() }
        return channels.open(terms, into: &out)
    }

    @discardableResult
    func send(_ bytes: [UInt8], isText: Bool = false, on stream: UInt16) -> Bool {
        defer { perform() }
        return channels.send(bytes.raw, isText: isText, on: stream, into: &out)
    }

    func close(_ stream: UInt16) {
        channels.close(stream, into: &out)
        perform()
    }

    private func pump() {
        guard browser.isConnected, let office = crew.channels else { return }
        if !hasBegun {
            hasBegun = true
            _ = office.post(.open(owner, port: 5000))
            perform()
        }
        for packet in browser.fake.tunnel { _ = office.post(.packet(owner, packet)) }
        browser.fake.tunnel.removeAll()
        for report in crew.news.withLock({ $0.removeValue(forKey: owner.session) ?? [] }) {
            take(report)
        }
        perform()
    }

    private func take(_ report: SCTPReport) {
        switch report {
        case .packet(let bytes): browser.fake.send(sctp: bytes, at: Clock.now)
        case .message(let stream, let payload, let bytes):
            channels.receive(bytes.raw, payload: payload, on: stream, into: &out)
        case .streamReset(let stream): channels.receiveReset(of: stream, into: &out)
        case .sent(let stream, let count):
            channels.receiveSent(count, on: stream, into: &out)
        case .connected: break
        case .ended: hasEnded = true
        }
    }

    private func perform() {
        guard hasBegun, let office = crew.channels else { return }
        let (entries, bytes) = (out.entries, out.bytes)
        out.clear()
        for entry in entries {
            switch entry {
            case .send(let stream, let payload, let delivery, let range):
                _ = office.post(
                    .send(
                        owner, stream: stream, payload: payload.rawValue,
                        SCTPDelivery(delivery), Array(bytes[range])))
            case .reset(let stream): _ = office.post(.reset(owner, stream: stream))
            case .opened(let stream, _): opened.insert(stream)
            case .message(let stream, let isText, let range):
                received.append(
                    Message(stream: stream, isText: isText, bytes: Array(bytes[range])))
            case .closed(let stream): closed.insert(stream)
            case .writable, .abort: break
            }
        }
    }
}
