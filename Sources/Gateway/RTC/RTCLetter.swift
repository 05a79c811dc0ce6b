package import ICE
package import Stream
package import System
package import Wire

/// What workers tell each other of WebRTC sessions.
package enum RTCLetter: Sendable {
    /// To the worker of a session: somebody who knows its name ends it.
    case close(RTCSessionName, EndReason)
    /// To the worker of a session: the credentials of both sides from the next check on.
    case restart(RTCSessionName, local: ICECredentials, remote: ICECredentials)
    /// To the worker of a session: an ICE-TCP connection of its peer, and what that has said.
    case pipe(Parcel<TCPSocket>, peer: Address, said: [UInt8])
    /// To the worker of a session: change what its viewer sees; and the answer.
    case change(RTCSessionName, RTCChange, from: Int, UInt32)
    case changed(UInt32, Refusal?)
    /// To the worker that got a packet from an unknown route: its session is at this one.
    case strayed(Route, slot: UInt32, to: Int)
    /// To the worker that keeps the addresses: what became of a name.
    case resolved(String, Resolver.Answer)
    /// To all: these servers are being asked, and these are the addresses from now on.
    case asking([Address])
    case addresses(AdvertisedAddresses)
    /// To all: tickets are signed with this from now on.
    case ticketSecret([UInt8])
}
