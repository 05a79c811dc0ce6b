package import Crypto
package import ICE
package import Media
package import System

/// What the workers share for WebRTC, beside their sockets.
package struct RTCPlan: Sendable {
    package let directory: RTCDirectory
    /// Who we are in DTLS: one certificate for the process, its fingerprint in every answer.
    package let certificate: Certificate
    /// The first secret of tickets; new ones come by letter.
    package let ticketSecret: [UInt8]
    /// nil: the fastest that this machine has.
    package var engine: CryptoEngine.Kind?
    package var settings: RTCSettings
    /// Looks up names for whichever worker keeps the addresses.
    package var resolver: Resolver?
    /// nil: no answer has data channels.
    package var channels: SCTPOffice?

    package init(
        directory: RTCDirectory, certificate: Certificate, ticketSecret: [UInt8],
        settings: RTCSettings
    ) {
        self.directory = directory
        self.certificate = certificate
        self.ticketSecret = ticketSecret
        self.settings = settings
    }
}

/// What a reload may change.
package struct RTCSettings: Sendable {
    package var addresses: AdvertisedAddresses
    /// What they are kept right by; nil: they stay.
    package var sources: AddressSources?
    /// Codecs for publishers, best first.
    package var prefer: [Codec] = [.h264]
    /// Tracks that a stream may get later are answered, too.
    package var reserves = true

    package init(addresses: AdvertisedAddresses) { self.addresses = addresses }
}
