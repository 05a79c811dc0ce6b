package import ICE
package import Stream

/// What workers tell each other of WebRTC sessions.
package enum RTCLetter: Sendable {
    /// To the worker of a session: somebody who knows its name ends it.
    case close(RTCSessionName, EndReason)
    /// To the worker of a session: the credentials of both sides from the next check on.
    case restart(RTCSessionName, local: ICECredentials, remote: ICECredentials)
    /// To all: tickets are signed with this from now on.
    case ticketSecret([UInt8])
}
