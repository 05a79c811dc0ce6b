package import Media
package import Wire

/// What a session wants to do with a name; one function decides (`Gate.decide`).
package enum Action: String, Equatable, Sendable { case publish, read, change, talk, data, api }

/// A session's own number for one of its publications or subscriptions: one connection may have
/// several (RTMP message streams, RTSP tracks of two streams).
package typealias ChannelID = UInt16

/// A session's own number for a question it has open.
package typealias QuestionID = UInt32

/// What a session cannot decide alone. It goes out as an effect; the answer comes by
/// `answer(_:to:at:into:)`, at once or much later, from here or from another worker, or never:
/// a session has a deadline of its own and then sends its peer away.
package enum Question: Equatable, Sendable {
    /// May this peer do this? For steps that come before there is anything to publish or read.
    case authorise(Action, name: String, Credential, peer: Address)
    /// May this peer publish, and is the name free? Answered `.published`, and the epoch has begun.
    case publish(ChannelID, name: String, Credential, peer: Address, Publication)
    /// May this peer read? Answered `.subscribed`, and what it wants is on its way.
    case subscribe(ChannelID, name: String, Credential, peer: Address, Subscription)
    /// A pair of UDP ports of the session's own, for media and its reports. The first gets this
    /// number, the second the one behind it. Answered `.lines`; only for a `DatagramSession`.
    case lines(LineNumber)
}

/// What a viewer wants to read, and how it reads.
package struct Subscription: Equatable, Sendable {
    /// One slot, in the codec it has if that is one of these, else in the first that can be made.
    package struct Want: Equatable, Sendable {
        package var slot: SlotName
        package var codecs: [Codec]
        package var form: Form

        package init(slot: SlotName, codecs: [Codec], form: Form) {
            self.slot = slot
            self.codecs = codecs
            self.form = form
        }

        /// The rendition that serves this want where the slot is given in `codec`: as it is, if
        /// that is among the codecs, else the first that can be made of it.
        package func key(given codec: Codec) -> RenditionKey? {
            let found =
                codecs.contains(codec)
                ? codec : codecs.first { Carriage.canTranscode(codec, to: $0) }
            return found.map { RenditionKey(slot: slot, codec: $0, form: form) }
        }
    }

    package enum Start: Equatable, Sendable {
        /// With the cached group of pictures.
        case cached
        /// With the first key frame from now on.
        case fresh
    }

    package var wants: [Want]
    package var rule: LagRule
    package var start: Start
    /// How long to wait for a publisher that is not there; zero: refuse at once.
    package var patience: Interval

    package init(
        wants: [Want], rule: LagRule, start: Start = .cached, patience: Interval = .zero
    ) {
        self.wants = wants
        self.rule = rule
        self.start = start
        self.patience = patience
    }
}

package enum Answer: Equatable, Sendable {
    /// Until nil: as long as the session lasts.
    case allowed(Principal, until: Instant?)
    case published(Epoch)
    case subscribed(StreamSnapshot)
    /// The even port of the pair.
    case lines(LineNumber, port: UInt16)
    case refused(Refusal)
}

/// What a worker tells a session unasked.
package enum Notice: Equatable, Sendable {
    /// To a publisher: a viewer needs a key frame of this layer.
    case keyWanted(ChannelID, SlotName, layer: UInt8)
    /// To a publisher: the most that anybody reads, so that it need not send more.
    case demand(ChannelID, SlotName, bits: Int, highestLayer: UInt8)
    /// To a viewer: slots were filled, emptied, or changed their format.
    case changed(ChannelID, StreamSnapshot)
    /// The publication or subscription is over.
    case ended(ChannelID, EndReason)
}
