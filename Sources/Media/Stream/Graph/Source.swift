package import Media
package import RTP
import Wire

/// Who acts: the subject of a key, a user, a token, a device. Never an address: those are shared,
/// forged, and change while a phone walks.
package enum Principal: Hashable, Sendable {
    /// Let in without a credential, from loopback or a Unix socket. Nobody in particular, so equal
    /// to nobody when a name is to be taken over.
    case local
    case key(String)
    case user(String)
    case token(subject: String)
    case device(String)
    /// The configuration: sources that we start ourselves.
    case configured

    package func isSamePerson(as other: Principal) -> Bool {
        self != .local && self == other
    }
}

/// What a publisher says it will send in one slot.
package struct AnnouncedSlot: Equatable, Sendable {
    package var slot: SlotName
    package var format: Format
    package var form: Form
    /// Simulcast: the rids in the order of their numbers. Empty: there is one layer.
    package var rids: [String]
    /// As the publisher says it, for players that offer a choice.
    package var language: String
    /// Packets: what the SDP says of the payload format beyond its name.
    package var facts = PayloadFacts()

    package init(
        slot: SlotName, format: Format, form: Form, rids: [String] = [], language: String = ""
    ) {
        self.slot = slot
        self.format = format
        self.form = form
        self.rids = rids
        self.language = language
    }
}

/// A publisher's claim to a name: who it is, what it sends, and how it can be asked.
package struct Publication: Equatable, Sendable {
    package var principal: Principal
    /// `whip`, `rtmp`, `rtsp` …: for people; nothing decides by it.
    package var protocolName: String
    package var slots: [AnnouncedSlot]
    /// It repairs what is lost: its sequence numbers are kept as indexes and holes stay open.
    package var answersNACK = false
    /// It sends a key frame when asked.
    package var answersPLI = false
    /// It has named all its slots; a viewer need not keep a place for others.
    package var tracksComplete = false

    package init(principal: Principal, protocolName: String, slots: [AnnouncedSlot]) {
        self.principal = principal
        self.protocolName = protocolName
        self.slots = slots
    }
}

/// One incarnation of a publisher, as the stream sees it.
struct Source {
    var epoch: Epoch
    var publication: Publication
    /// Nothing comes of it; perhaps it is gone.
    var isSilent = false
    /// When the first item came, in any slot; readiness counts from it.
    var firstMedia: Instant?
    /// Its clock, as its sender reports show it.
    var clock = SenderClock()
    /// As it says itself; repairs take that long.
    var roundTrip: Interval?
}
