import System
import Wire

/// Answers on the admin port while no child serves, so that a load balancer learns at once that we
/// are not ready: 503 to whatever is asked.
struct StandIn: ~Copyable {
    /// Answered and kept open for a while: closing at once would reset the connection before the
    /// other side has read.
    private static let kept = 16

    private var listener: TCPListener?
    private var registration: Poller.Registration?
    private var answered: [Parcel<TCPSocket>] = []

    init(_ listener: consuming TCPListener?) { self.listener = listener }

    /// The child gets the same socket.
    mutating func bequeath(_ bequest: inout ChildProcess.Bequest) {
        guard let inside = listener.take() else { return }
        bequest.add(ListenerSpec.admin, inside)
        listener = consume inside
    }

    mutating func start(_ poller: inout Poller, tag: Int) {
        guard let inside = listener.take() else { return }
        // Without it nobody is answered, which says nearly the same.
        registration = try? poller.add(inside, tag: tag)
        listener = consume inside
    }

    mutating func stop(_ poller: inout Poller) {
        if let registration { poller.remove(registration) }
        registration = nil
        answered = []
    }

    mutating func answer(_ restarts: Int) {
        guard var inside = listener.take() else { return }
        while let accepted = try? inside.accept() {
            let socket = accepted.takeSocket()
            let body = "not serving: the server died \(restarts) times and starts again soon\n"
            var outbox = Outbox()
            outbox.append(
                "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\n"
                    + "Retry-After: 10\r\nConnection: close\r\n"
                    + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)")
            _ = try? socket.write(&outbox)
            socket.finishSending()
            if answered.count == Self.kept { answered.removeFirst() }
            answered.append(Parcel(socket))
        }
        listener = consume inside
    }
}
