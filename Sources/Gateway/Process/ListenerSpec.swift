import Glibc
package import Settings
package import Wire

/// A socket that the program wants, before it is opened. `name` is also its name in systemd's
/// `FileDescriptorName=`.
package struct ListenerSpec: Equatable, Sendable {
    package enum Transport: Equatable, Sendable { case tcp, udp }

    package var name: String
    /// The setting to blame when it cannot be opened.
    package var setting: String
    package var transport: Transport
    package var address: Address
    /// Sockets on this address: the kernel spreads peers over the workers.
    package var count: Int

    package static let http = "http"
    package static let https = "https"
    package static let admin = "admin"
    package static let rtmp = "rtmp"
    package static let rtmps = "rtmps"
    package static let rtsp = "rtsp"
    package static let rtsps = "rtsps"
    package static let srt = "srt"
    package static let webrtcUDP = "webrtc-udp"
    package static let webrtcTCP = "webrtc-tcp"
    package static let gbUDP = "gb28181-udp"
    package static let gbTCP = "gb28181-tcp"
    package static let gbMediaUDP = "gb28181-media-udp"
    package static let gbMediaTCP = "gb28181-media-tcp"

    package static func all(_ config: Config, workers: Int) -> [ListenerSpec] {
        let hasTLS = config.http.tls.certificate != .off
        let tls = hasTLS ? config.http.tls.listen : nil
        let framed = config.webrtc.tcp ? config.webrtc.listen : nil
        let rtmpTLS = hasTLS ? config.rtmp.tlsListen : nil
        let rtspTLS = hasTLS ? config.rtsp.tlsListen : nil
        let gb = config.gb28181.enabled ? config.gb28181.listen : nil
        let gbMedia = config.gb28181.enabled ? config.gb28181.mediaListen : nil
        let wanted: [(String, String, Transport, Address?, Int)] = [
            (http, "http.listen", .tcp, config.http.listen, workers),
            (https, "http.tls.listen", .tcp, tls, workers),
            (admin, "admin.listen", .tcp, config.admin.listen, 1),
            (rtmp, "rtmp.listen", .tcp, config.rtmp.listen, workers),
            (rtmps, "rtmp.tls.listen", .tcp, rtmpTLS, workers),
            (rtsp, "rtsp.listen", .tcp, config.rtsp.listen, workers),
            (rtsps, "rtsp.tls.listen", .tcp, rtspTLS, workers),
            (srt, "srt.listen", .udp, config.srt.listen, 1),
            (webrtcUDP, "webrtc.listen", .udp, config.webrtc.listen, workers),
            (webrtcTCP, "webrtc.listen", .tcp, framed, workers),
            // Devices and their media belong to one worker.
            (gbUDP, "gb28181.listen", .udp, gb, 1),
            (gbTCP, "gb28181.listen", .tcp, gb, 1),
            (gbMediaUDP, "gb28181.media.listen", .udp, gbMedia, 1),
            (gbMediaTCP, "gb28181.media.listen", .tcp, gbMedia, 1),
        ]
        return wanted.compactMap { name, setting, transport, address, count in
            address.map {
                ListenerSpec(
                    name: name, setting: setting, transport: transport, address: $0, count: count)
            }
        }
    }
}

extension Config {
    /// One for each core that we may use, unless the user says otherwise.
    package var workerCount: Int {
        workers > 0 ? workers : max(1, sysconf(CInt(_SC_NPROCESSORS_ONLN)))
    }
}
