import SRT
import SRTPort
import Stream
import System
import Wire

// SRT: whoever was let in comes by letter and is a connection like any other; calls are made by the
// thread of libsrt.
extension Worker {
    func admit(_ arrival: SRTArrival) {
        guard let socket = arrival.socket.take() else { return }
        guard stopping == nil, connections.count < plan.limits.connections else {
            counters.connectionsRefused += 1
            return
        }
        let request = arrival.request
        let session = SRTSession(
            request, peer: arrival.peer,
            feed: request.mode == .read ? feed(of: request.name) : nil, at: now)
        let connection = Connection(
            socket: socket, tls: nil, peer: arrival.peer, service: "srt", session: session,
            at: now)
        connection.srt = arrival.id
        open(connection)
        guard connections[connection.identity] != nil else { return }
        session.start(at: now, into: &effects)
        runEffects(of: connection)
        setDeadline(of: connection)
        wantFlush(connection)
    }

    /// The host of a link is known: libsrt calls it.
    func call(_ link: OutgoingLink, _ address: Address) {
        let options: SRTOptions
        do throws(SRTCallURL.Fault) {
            options = SRTOptions(try SRTCallURL(link.url, link.purpose))
        } catch {
            return fail(link, error.words, lasted: .zero)
        }
        let made = plan.srt?.call(address, options, isIncoming: link.purpose == .pull)
        guard let made, let socket = made.socket.take() else {
            let cause =
                "\(SRTOffice.connectionsMaximum) SRT connections are open, or SRT did not start "
                + "(the log says why)"
            return fail(link, cause, lasted: .zero)
        }
        open(link, socket, address, srt: made.id)
    }
}

extension SRTOptions {
    init(_ url: SRTCallURL) {
        self.init()
        streamID = url.streamID
        passphrase = url.passphrase
        keyLength = url.keyLength
        if let latency = url.latency { self.latency = latency }
    }
}
