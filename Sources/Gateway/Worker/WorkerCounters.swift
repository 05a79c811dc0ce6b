import ICE

/// What one worker has done so far: plain numbers, added up over all workers when somebody asks.
package struct WorkerCounters: Equatable, Sendable {
    package var turns: Int64 = 0
    package var datagramsIn: Int64 = 0
    package var datagramBytesIn: Int64 = 0
    /// Datagrams that belong to nobody: garbage, strangers, sessions that have ended.
    package var datagramsUnknown: Int64 = 0
    package var datagramsOut: Int64 = 0
    package var datagramBytesOut: Int64 = 0
    /// Messages the datagrams left in: their ratio is the mean length of a run.
    package var messagesOut: Int64 = 0
    /// From the turn in which a packet came to the kernel's having taken it for a viewer.
    package var forwardDelay = DelayHistogram()
    /// Datagrams the kernel refused for good.
    package var datagramsRefused: Int64 = 0
    /// UDP ports beside that of WebRTC, those that could not be had, and datagrams for which their
    /// queue had no room.
    package var linesOpened: Int64 = 0
    package var linesClosed: Int64 = 0
    package var linesRefused: Int64 = 0
    package var lineDatagramsDropped: Int64 = 0
    package var connectionsAccepted: Int64 = 0
    package var connectionsClosed: Int64 = 0
    /// Connections refused before they said a word: a bound of the table of limits.
    package var connectionsRefused: Int64 = 0
    package var connectionBytesIn: Int64 = 0
    package var connectionBytesOut: Int64 = 0
    package var lettersIn: Int64 = 0
    package var relayRecordsIn: Int64 = 0
    package var relayBytesIn: Int64 = 0
    /// Records that named a stream or epoch which is no more.
    package var relayRecordsStale: Int64 = 0
    package var questions: Int64 = 0
    package var refusals: Int64 = 0
    /// Viewers sent away because there was enough to do.
    package var overloads: Int64 = 0
    /// Items handed to viewers on connections.
    package var itemsSent: Int64 = 0

    /// WebRTC offers that were answered, and those whose peer never came.
    package var rtcOffers: Int64 = 0
    package var rtcNeverCame: Int64 = 0
    package var rtcJoins: Int64 = 0
    package var rtcConnected: Int64 = 0
    package var rtcLeft: Int64 = 0
    /// Datagrams that came to another worker than the one that has their session.
    package var rtcForwarded: Int64 = 0
    /// Peers that were found behind another port by what they sent under their keys.
    package var rtcStrays: Int64 = 0
    /// ICE-TCP connections that were handed to another worker.
    package var rtcPipesMoved: Int64 = 0
    /// Steps of handshakes that waited for the next turn, and datagrams that found no room.
    package var rtcPostponed: Int64 = 0
    package var rtcDropped: Int64 = 0
    /// Of sessions that are over: packets that were not authentic, or came twice.
    package var rtcForged: Int64 = 0
    package var rtcReplayed: Int64 = 0
    /// What viewers of WebRTC asked for.
    package var rtcKeyWishes: Int64 = 0
    package var rtcNACKs: Int64 = 0
    /// Data channels: associations that came up, messages, messages that a bound refused, and
    /// packets and messages for which the thread of SCTP, or its tunnel, had no room.
    package var channelAssociations: Int64 = 0
    package var channelMessagesIn: Int64 = 0
    package var channelMessagesOut: Int64 = 0
    package var channelDropped: Int64 = 0
    package var channelLost: Int64 = 0
    /// Key frames that publishers of any protocol were asked for.
    package var keyRequests: Int64 = 0

    /// Sound that was converted: CPU time of all bridges, and what became of frames and gaps.
    package var transcodeNanoseconds: Int64 = 0
    package var transcodeFramesIn: Int64 = 0
    package var transcodeFramesOut: Int64 = 0
    package var transcodeDamaged: Int64 = 0
    package var transcodeConcealed: Int64 = 0
    package var transcodeFilled: Int64 = 0
    package var transcodeSkipped: Int64 = 0

    package init() {}

    mutating func note(_ figures: RTCSession.Figures) {
        rtcForged += Int64(figures.forged + figures.unknown + figures.offPath)
        rtcReplayed += Int64(figures.replayed)
    }

    package static func += (a: inout WorkerCounters, b: WorkerCounters) {
        for path in all { a[keyPath: path] += b[keyPath: path] }
        a.forwardDelay += b.forwardDelay
    }

    private static var all: [WritableKeyPath<WorkerCounters, Int64>] {
        [
            \.turns, \.datagramsIn, \.datagramBytesIn, \.datagramsUnknown, \.datagramsOut,
            \.datagramBytesOut, \.messagesOut, \.datagramsRefused, \.connectionsAccepted,
            \.connectionsClosed, \.connectionsRefused, \.connectionBytesIn, \.connectionBytesOut,
            \.lettersIn, \.relayRecordsIn, \.relayBytesIn, \.relayRecordsStale, \.questions,
            \.refusals, \.overloads, \.itemsSent, \.rtcOffers, \.rtcNeverCame, \.rtcJoins,
            \.rtcConnected, \.rtcLeft, \.rtcForwarded, \.rtcStrays, \.rtcPipesMoved, \.rtcPostponed,
            \.rtcDropped, \.rtcForged, \.rtcReplayed, \.rtcKeyWishes, \.rtcNACKs, \.keyRequests,
            \.linesOpened, \.linesClosed, \.linesRefused, \.lineDatagramsDropped,
            \.channelAssociations, \.channelMessagesIn, \.channelMessagesOut, \.channelDropped,
            \.channelLost, \.transcodeNanoseconds, \.transcodeFramesIn, \.transcodeFramesOut,
            \.transcodeDamaged, \.transcodeConcealed, \.transcodeFilled, \.transcodeSkipped,
        ]
    }
}
