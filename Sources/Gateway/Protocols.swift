import Live
import RTMP
import RTSP
import SRT
import Stream

/// What is served, and on which socket: the list to read first, and the one line that a new
/// protocol adds.
package enum Protocols {
    struct Entry {
        /// The socket's name in `ListenerSpec`.
        var listener: String
        var served: ServedProtocol
        var isEncrypted = false
    }

    static let all: [Entry] = [
        Entry(
            listener: ListenerSpec.admin,
            served: ServedProtocol("admin") { HTTPSession(.admin, at: $0.now) }),
        Entry(
            listener: ListenerSpec.http,
            served: ServedProtocol("http") { HTTPSession(.front, at: $0.now) }),
        Entry(
            listener: ListenerSpec.https,
            served: ServedProtocol("https") { HTTPSession(.front, at: $0.now) },
            isEncrypted: true),
        Entry(
            listener: ListenerSpec.webrtcTCP,
            served: ServedProtocol("ice-tcp") { _ in FramedSession() }),
        Entry(listener: ListenerSpec.rtmp, served: rtmp("rtmp")),
        Entry(listener: ListenerSpec.rtmps, served: rtmp("rtmps"), isEncrypted: true),
        Entry(listener: ListenerSpec.rtsp, served: rtsp("rtsp")),
        Entry(listener: ListenerSpec.rtsps, served: rtsp("rtsps"), isEncrypted: true),
        Entry(
            listener: ListenerSpec.gbTCP,
            served: ServedProtocol("gb28181") { _ in GBWire(.signalling) }),
        Entry(
            listener: ListenerSpec.gbMediaTCP,
            served: ServedProtocol("gb28181-media") { _ in GBWire(.media) }),
    ]

    struct LineEntry {
        /// The socket's name in `ListenerSpec`.
        var listener: String
        var served: ServedLine
    }

    /// What is served by datagrams, beside WebRTC.
    static let lines: [LineEntry] = [
        LineEntry(
            listener: ListenerSpec.gbUDP,
            served: ServedLine("gb28181") { GBLines.make(.signalling, at: $0) }),
        LineEntry(
            listener: ListenerSpec.gbMediaUDP,
            served: ServedLine("gb28181-media") { GBLines.make(.media, at: $0) }),
    ]

    /// Connections that we make: to fetch streams and to bring them.
    package static let links: [LinkProtocol] = [
        LinkProtocol(
            "rtmp",
            ["rtmp": .init(port: 1935), "rtmps": .init(port: 443, isEncrypted: true)],
            canPush: true
        ) { RTMPClient($0) },
        LinkProtocol(
            "flv", ["http": .init(port: 80), "https": .init(port: 443, isEncrypted: true)]
        ) { FLVClient($0) },
        LinkProtocol(
            "rtsp", ["rtsp": .init(port: 554), "rtsps": .init(port: 322, isEncrypted: true)],
            canPush: true
        ) { RTSPClient($0) },
        LinkProtocol("srt", ["srt": .init(port: 8890, isSRT: true)], canPush: true) {
            SRTCaller($0)
        },
    ]

    static func rtmp(_ name: String) -> ServedProtocol {
        ServedProtocol(name) { RTMPSession(peer: $0.peer, seed: $0.random, at: $0.now) }
    }

    static func rtsp(_ name: String) -> ServedProtocol {
        ServedProtocol(name) {
            RTSPSession(
                peer: $0.peer, local: $0.local, takesUDP: !$0.isEncrypted, seed: $0.random,
                secret: $0.secret, wall: $0.wall, at: $0.now)
        }
    }
}
