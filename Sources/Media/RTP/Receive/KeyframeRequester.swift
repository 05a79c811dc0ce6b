package import Wire

/// Asks the publisher of one encoding for key frames: whoever needs one says so, requests are
/// bundled, and repeated with growing pauses until a key frame comes.
///
/// Some publishers never answer (OBS and FFmpeg ignore both kinds of request); for them the pauses
/// grow until asking costs nothing.
package struct KeyframeRequester: Sendable {
    package enum Request: Equatable, Sendable {
        /// PLI.
        case pictureLoss
        /// FIR, for who does not answer PLI; repetitions have the same number.
        case fullIntra(sequence: UInt8)
    }

    /// Key frames are large: more of them would hurt those for whom the stream is fine.
    static let pauseMinimum = Interval.milliseconds(500)
    static let pauseMaximum = Interval.seconds(4)
    /// After so many loss reports without an answer every other request is a FIR.
    static let plainAttempts = 2

    private let mayFullIntra: Bool
    /// Somebody reads this encoding; what nobody reads need not be fresh.
    package var isDemanded = true
    package private(set) var isWanted = false
    private var attempts = 0
    private var sequence: UInt8 = 0
    private var pause = Self.pauseMinimum
    private var nextAt = Instant.start

    /// - Parameter mayFullIntra: `ccm fir` was negotiated.
    package init(mayFullIntra: Bool) { self.mayFullIntra = mayFullIntra }

    package mutating func want() {
        guard !isWanted else { return }
        isWanted = true
        attempts = 0
        sequence &+= 1
        pause = Self.pauseMinimum
    }

    package mutating func receivedKeyframe() { isWanted = false }

    /// The request to send now, at most one each time.
    package mutating func poll(at now: Instant) -> Request? {
        guard isWanted, isDemanded, now >= nextAt else { return nil }
        attempts += 1
        nextAt = now + pause
        // The answer may be on its way for a while: the second request is no later than the
        // throttle allows, the others are.
        if attempts > 1 { pause = min(pause * 2, Self.pauseMaximum) }
        let isFullIntra = mayFullIntra && attempts > Self.plainAttempts && attempts % 2 == 1
        return isFullIntra ? .fullIntra(sequence: sequence) : .pictureLoss
    }

    package var deadline: Instant { isWanted && isDemanded ? nextAt : .distantFuture }
}
