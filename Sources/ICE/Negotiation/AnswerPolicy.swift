package import Crypto
package import Media
package import SDP

/// What the gateway brings to an answer: its side of the transport and its wishes.
package struct AnswerPolicy: Sendable {
    package var local: ICECredentials
    package var fingerprint: Fingerprint
    /// In the order of `AdvertisedAddresses`: UDP first.
    package var candidates: [SDPCandidate]
    /// `webrtc.prefer`: what a publisher should send, best first.
    package var prefer: [Codec] = []
    /// For clients known to take the first codec of an answer for the only one.
    package var onlyOneCodec = false
    package var acceptsChannels = true

    package init(local: ICECredentials, fingerprint: Fingerprint, candidates: [SDPCandidate]) {
        self.local = local
        self.fingerprint = fingerprint
        self.candidates = candidates
    }
}

/// What a player may expect of a stream, for as long as the stream's name lives.
package struct StreamFacts: Sendable {
    package enum Slot: Sendable {
        /// Nothing yet, but it may come: the m-line is reserved.
        case open
        /// It is there, in this format.
        case filled(Format)
        /// The source is complete without it and nothing else can take its place.
        case absent
    }

    package var audio: Slot
    package var video: Slot

    package init(audio: Slot, video: Slot) {
        self.audio = audio
        self.video = video
    }
}
