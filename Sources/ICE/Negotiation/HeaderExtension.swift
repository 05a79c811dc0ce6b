import SDP

/// The RTP header extensions that we use, and their ids in one m-section; 0: not negotiated.
package struct HeaderExtensions: Equatable, Sendable {
    package var mid: UInt8 = 0
    package var rid: UInt8 = 0
    package var repairedRID: UInt8 = 0
    package var transportCC: UInt8 = 0
    package var absSendTime: UInt8 = 0
    package var absCaptureTime: UInt8 = 0
    package var playoutDelay: UInt8 = 0

    package init() {}
}

enum HeaderExtension: String, CaseIterable {
    case mid = "urn:ietf:params:rtp-hdrext:sdes:mid"
    case rid = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"
    case repairedRID = "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id"
    case transportCC =
        "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
    case absSendTime = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
    case absCaptureTime = "http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time"
    case playoutDelay = "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay"

    var field: WritableKeyPath<HeaderExtensions, UInt8> {
        switch self {
        case .mid: \.mid
        case .rid: \.rid
        case .repairedRID: \.repairedRID
        case .transportCC: \.transportCC
        case .absSendTime: \.absSendTime
        case .absCaptureTime: \.absCaptureTime
        case .playoutDelay: \.playoutDelay
        }
    }

    /// What is worth a byte in each packet. Orientation is left out on purpose: Chrome then turns
    /// the picture itself, and every output sees it upright.
    func isWanted(of media: OfferedMedia, in offer: Offer) -> Bool {
        switch self {
        case .mid, .transportCC, .absCaptureTime: true
        case .rid, .repairedRID: offer.role == .publish && media.kind == .video
        // The older way to estimate bandwidth: only where the newer one is not offered.
        case .absSendTime:
            !media.extensions.contains { $0.uri == HeaderExtension.transportCC.rawValue }
        // Firefox loses lip-sync by it.
        case .playoutDelay:
            offer.role == .play && media.kind == .video && !offer.isFirefox
        }
    }
}

extension OfferedMedia {
    /// The lines to answer, with the ids of the offer, and the ids by name.
    func extensions(in offer: Offer) -> (lines: [SDPExtension], ids: HeaderExtensions) {
        var lines: [SDPExtension] = []
        var ids = HeaderExtensions()
        for line in extensions {
            // One-byte headers hold ids 1 to 14 (RFC 8285 §4.2); we send no two-byte ones.
            guard (1...14).contains(line.id), let known = HeaderExtension(rawValue: line.uri),
                known.isWanted(of: self, in: offer), ids[keyPath: known.field] == 0,
                let direction = Self.answer(line.direction, publishes: offer.role == .publish)
            else { continue }
            ids[keyPath: known.field] = UInt8(line.id)
            lines.append(SDPExtension(id: line.id, direction: direction, uri: line.uri))
        }
        return (lines, ids)
    }

    /// Turned around as RFC 8285 §5 wants; the outer `nil`: the peer does not use it our way.
    private static func answer(_ offered: SDPDirection?, publishes: Bool) -> SDPDirection?? {
        switch offered {
        case nil, .sendrecv: .some(nil)
        case .sendonly: publishes ? .some(.recvonly) : nil
        case .recvonly: publishes ? nil : .some(.sendonly)
        case .inactive: nil
        }
    }
}
