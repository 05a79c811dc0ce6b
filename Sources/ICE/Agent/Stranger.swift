import Crypto
import Wire

/// A sender that no session knows, and that showed one of our tickets: it has read our answer.
///
/// Any worker may answer it, without a lock, a lookup or a session: the ticket tells the password.
package struct Stranger: Sendable {
    package let ticket: Ticket
    /// It wants this path for media.
    package let nominates: Bool
    private let ours: [UInt8]
    private let generation: ICEGeneration

    /// - Returns: nil for all but an authentic request that names a ticket of ours. Costs no
    ///   more than two HMACs.
    package init?(_ datagram: RawSpan, keys: TicketKeys) {
        guard Demux(datagram) == .stun, let message = try? STUNMessage(datagram),
            let ticket = keys.admit(message, datagram), let username = message.username
        else { return nil }
        self.ticket = ticket
        nominates = message.usesCandidate
        let end = username.lowerBound + TicketKeys.ufragSize
        let name = [UInt8](copying: datagram.extracting(username.lowerBound..<end))
        guard let opened = keys.open(name.raw) else { return nil }
        ours = name
        let key = opened.password
        let password = key.indices.map { key[$0] }
        let local = ICECredentials(
            ufrag: String(decoding: name, as: UTF8.self),
            password: String(decoding: password, as: UTF8.self))
        generation = ICEGeneration(
            0, local: local, remote: ICECredentials(ufrag: "", password: ""))
    }

    /// Whether it named the session that has this user fragment: slots are used again.
    package func names(_ ufrag: String) -> Bool { ufrag.utf8.elementsEqual(ours) }

    /// Answers its request as the session would. What it learned of the path is kept by nobody: the
    /// session is shown the request again when it is built.
    package func answer(_ datagram: RawSpan, on route: Route, into out: inout RTCOutput) {
        guard let message = try? STUNMessage(datagram) else { return }
        let size = datagram.byteCount
        if message.unknownCount > 0 {
            generation.refuse(420, message, size, on: route, into: &out.ice)
        } else if message.controlled != nil {
            generation.refuse(487, message, size, on: route, into: &out.ice)
        } else {
            generation.answer(message, size, on: route, into: &out.ice)
        }
        out.takeAnswers()
    }
}

extension TicketKeys {
    /// Which session a binding request speaks of, authentic or not; nil if it is none, or does not
    /// show a ticket of ours.
    package func slot(namedIn datagram: RawSpan) -> UInt32? {
        guard let message = try? STUNMessage(datagram), message.kind == .request,
            let username = message.username, username.count > Self.ufragSize
        else { return nil }
        let end = username.lowerBound + Self.ufragSize
        return open(datagram.extracting(username.lowerBound..<end))?.ticket.slot
    }
}
