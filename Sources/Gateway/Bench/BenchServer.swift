import Crypto
import Glibc
import HTTP
import ICE
import System
import Wire

/// The server that is measured, before anything is asked of it.
enum BenchServer {
    private static let patience = Interval.seconds(5)

    /// Connects once, so that a wrong address is told at once, and to learn from which address of
    /// ours it is reached.
    static func find(_ url: BenchURL) throws(SystemError) -> (server: Address, host: Address) {
        var addresses: [Address] = []
        if let address = Address(ip: url.host) {
            addresses = [address]
        } else if case .addresses(let found) = Resolver.askSystem(url.host) {
            addresses = found.filter(\.isIPv4) + found.filter { !$0.isIPv4 }
        }
        var failure = SystemError(doing: "look up \(url.host)", code: ENOENT)
        for address in addresses {
            do throws(SystemError) {
                let server = address.with(port: url.port)
                return (server, try reach(server))
            } catch { failure = error }
        }
        throw failure
    }

    private static func reach(_ server: Address) throws(SystemError) -> Address {
        let doing = "connect to \(server)"
        var poller = try Poller()
        let socket = try TCPSocket(connectingTo: server)
        _ = try poller.add(socket, .write, tag: 0)
        try poller.wait(patience)
        guard poller.next() != nil else { throw SystemError(doing: doing, code: ETIMEDOUT) }
        if let error = socket.error(doing) { throw error }
        return socket.localAddress ?? .any(port: 0)
    }
}

/// A server's refusal in one line, with what lifts it.
struct BenchRefusal: CustomStringConvertible {
    let description: String

    init(_ answer: HTTPAnswer) {
        let said = Self.sentence(answer)
        var text = "HTTP \(answer.status)"
        if let said { text += ": \(said)" }
        if let fix = Self.fix(answer, said ?? "") { text += " (\(fix))" }
        description = text
    }

    /// Of a problem document its code and detail; of other servers the beginning of what they say.
    private static func sentence(_ answer: HTTPAnswer) -> String? {
        do throws(ParseError) {
            let json = try JSONReader.read(answer.body.raw, .hook)
            let words = [json["code"]?.string, json["detail"]?.string].compactMap { $0 }
            if !words.isEmpty { return words.joined(separator: ": ") }
        } catch {}
        let plain = answer.text.prefix { $0 != "\n" }.prefix(120)
        return plain.isEmpty ? nil : String(plain)
    }

    /// - Parameter said: Names the setting of ours that refused, if one did: `see limits.sessions`.
    private static func fix(_ answer: HTTPAnswer, _ said: String) -> String? {
        if let word = said.split(separator: " ").last(where: { $0.hasPrefix("limits.") }) {
            return "fix: start the gateway with --set \(word)=NUMBER, or lower --ramp"
        }
        switch answer.status {
        case 300..<400:
            return "fix: give the URL it leads to: \(answer.headers["location"] ?? "it names none")"
        case 401, 403: return "fix: --token TOKEN of somebody who may watch"
        case 404, 409: return "fix: publish to this stream first, and look at --url"
        case 429, 503: return "fix: lower --ramp or --viewers, or raise the server's limits"
        default: return nil
        }
    }
}

extension RTCViewer.Cause {
    /// What it means to whoever reads the table.
    var sentence: String {
        switch self {
        case .left: "left"
        case .ice(.neverConnected), .ice(.noPath):
            "ICE: no answer on the candidates of the answer "
                + "(fix: a UDP port is blocked, or the server advertises a wrong address)"
        case .ice(.silent): "ICE: the server has stopped answering"
        case .dtls(.timeout): "DTLS: the handshake took longer than 10 s (fix: lower --ramp)"
        case .dtls(.fingerprint): "DTLS: another certificate than the answer says"
        case .dtls(.profile): "DTLS: no protection profile in common"
        case .dtls(.closeNotify): "the server has ended the session"
        case .dtls(.failed(let reason)): "DTLS: \(reason)"
        }
    }
}
