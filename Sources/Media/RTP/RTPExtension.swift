import Wire

/// The header extensions the gateway knows by name. What is not here is never answered.
package enum RTPExtension: UInt8, CaseIterable, Sendable {
    case mid, rid, repairedRID
    case transportSequence, absoluteSendTime, absoluteCaptureTime
    case audioLevel, videoOrientation, playoutDelay
    /// Passed on as opaque bytes.
    case dependencyDescriptor, colorSpace
    /// Read over: it describes what the publisher would send, not what it sends.
    case videoLayersAllocation

    /// As in `a=extmap`.
    package var uri: String {
        switch self {
        case .mid: "urn:ietf:params:rtp-hdrext:sdes:mid"
        case .rid: "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"
        case .repairedRID: "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id"
        case .transportSequence:
            "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
        case .absoluteSendTime: "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
        case .absoluteCaptureTime:
            "http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time"
        case .audioLevel: "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
        case .videoOrientation: "urn:3gpp:video-orientation"
        case .playoutDelay: "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay"
        case .dependencyDescriptor:
            "https://aomediacodec.github.io/av1-rtp-spec/"
                + "#dependency-descriptor-rtp-header-extension"
        case .colorSpace: "http://www.webrtc.org/experiments/rtp-hdrext/color-space"
        case .videoLayersAllocation:
            "http://www.webrtc.org/experiments/rtp-hdrext/video-layers-allocation00"
        }
    }

    package init?(uri: String) {
        guard let found = Self.allCases.first(where: { $0.uri == uri }) else { return nil }
        self = found
    }
}

/// Which number each extension has on one transport: in a BUNDLE a URI has one number throughout.
package struct ExtensionMap: Equatable, Sendable {
    /// By `RTPExtension.rawValue`; 0: not negotiated.
    private var ids = SIMD16<UInt8>(repeating: 0)

    package init() {}

    /// 0 means "not negotiated", both ways.
    package subscript(_ kind: RTPExtension) -> UInt8 {
        get { ids[Int(kind.rawValue)] }
        set { ids[Int(kind.rawValue)] = newValue }
    }

    package func kind(of id: UInt8) -> RTPExtension? {
        guard id > 0 else { return nil }
        // Not over `allCases`: that would make an array for each extension of each packet.
        for index in 0..<ids.scalarCount where ids[index] == id {
            return RTPExtension(rawValue: UInt8(index))
        }
        return nil
    }
}

/// A mid or rid: at most 16 bytes, so that looking one up costs neither memory nor a string.
package struct RTPLabel: Hashable, Sendable, CustomStringConvertible {
    package private(set) var bytes = SIMD16<UInt8>(repeating: 0)
    package private(set) var count = 0

    /// `nil` for what no one-byte extension can hold: browsers send "0", "a", "hi".
    package init?(_ span: RawSpan) {
        guard (1...16).contains(span.byteCount) else { return nil }
        count = span.byteCount
        for index in 0..<count { bytes[index] = span.byte(at: index) }
    }

    package init?(_ text: String) { self.init(Array(text.utf8).raw) }

    package var description: String {
        String(decoding: (0..<count).map { bytes[$0] }, as: UTF8.self)
    }
}
