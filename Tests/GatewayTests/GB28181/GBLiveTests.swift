import GB28181
import Glibc
import Stream
import System
import Testing
import Wire

@testable import Gateway

/// A camera and its viewers, on real sockets and two workers.
struct GBLiveTests {
    private static let stream = "rtp/\(GBCrew.device)_\(GBCrew.channel)"

    /// The call that a viewer's request leads to, agreed to.
    private func answered(_ crew: GBCrew, _ camera: GBCamera) throws -> SIPMessage {
        let invite = try #require(camera.hear("INVITE"))
        #expect(invite.requestUser == GBCrew.channel)
        camera.answer(invite, 200)
        _ = try #require(camera.hear("ACK"))
        return invite
    }

    /// Tags of FLV come: more than the head of the answer.
    private func sees(_ viewer: Line) -> Bool {
        var bytes: [UInt8] = []
        while let piece = viewer.receive() {
            bytes += piece
            let text = String(decoding: bytes.prefix(400), as: UTF8.self)
            if text.contains("200 OK"), text.contains("FLV"), bytes.count > 5000 { return true }
        }
        return false
    }

    /// The media of one call, by either way, for as long as is wanted.
    private struct Sending {
        let packets: [[UInt8]]
        let camera: GBCamera
        let port: UInt16
        let pipe: Line?
        var count = 0

        mutating func send(_ more: Int) {
            for _ in 0..<more {
                let packet = GBCamera.repeated(
                    packets[count % packets.count],
                    after: count / packets.count * packets.count)
                count += 1
                if let pipe {
                    pipe.send([UInt8(packet.count >> 8), UInt8(packet.count & 255)] + packet)
                    usleep(5000)
                } else {
                    camera.send([packet], toPort: port)
                }
            }
        }
    }

    @Test(arguments: [GBSettings.Transport.udp, .tcp], [0, 1])
    func whoOpensACamerasStreamSeesIt(transport: GBSettings.Transport, worker: Int) throws {
        let crew = try GBCrew(transport)
        defer { crew.crew.stop() }
        let camera = try GBCamera(crew)
        camera.register()
        #expect(camera.hear { $0.status == 200 && $0.method == "REGISTER" } != nil)
        var viewers = [try crew.watch(Self.stream, at: worker)]
        let invite = try answered(crew, camera)
        var sending = Sending(
            packets: GBCamera.packets(ssrc: try #require(GBCamera.ssrc(invite))),
            camera: camera, port: crew.mediaPort,
            pipe: transport == .tcp ? try Line(port: crew.mediaPort) : nil)
        // FLV waits for sound in another codec, and then begins without.
        sending.send(7 * 90)
        let isSeen = sees(viewers[0])
        #expect(isSeen)
        let session = try #require(crew.report()?.sessions.first)
        #expect(session.media == "H.264, G.711 A-law")
        #expect(session.figures.lost == 0 && session.damaged == 0)
        #expect(session.transport == transport.rawValue)
        viewers.removeAll()
        // Nobody watches it any more: the camera is told.
        let bye = camera.hear {
            sending.send(1)
        } _: {
            $0.status == nil && $0.method == "BYE"
        }
        #expect(bye?.callID == invite.callID)
        if let bye { camera.answer(bye, 200) }
        #expect(crew.report()?.calls == 0)
    }

    @Test func whoOpensACameraThatIsNotThereIsToldWhy() throws {
        let crew = try GBCrew(.udp)
        defer { crew.crew.stop() }
        let viewer = try crew.watch(Self.stream, at: 1)
        let answer = try #require(viewer.hear())
        #expect(answer.contains("404") || answer.contains("502") || answer.contains("503"))
        var text = ""
        while let line = viewer.hear(), text.utf8.count < 4000 {
            text += line
            if line.contains("gb.offline") { break }
        }
        #expect(text.contains("gb.offline"))
    }

    @Test func aBusyCameraIsNamedSo() throws {
        let crew = try GBCrew(.udp)
        defer { crew.crew.stop() }
        let camera = try GBCamera(crew)
        camera.register()
        #expect(camera.hear { $0.status == 200 && $0.method == "REGISTER" } != nil)
        let viewer = try crew.watch(Self.stream, at: 0)
        let invite = try #require(camera.hear("INVITE"))
        camera.answer(invite, 486)
        _ = try #require(camera.hear("ACK"))
        var text = ""
        while let line = viewer.hear(), text.utf8.count < 4000 {
            text += line
            if line.contains("gb.busy") { break }
        }
        #expect(text.contains("gb.busy"))
    }

    @Test func mediaThatNobodyAskedForIsCountedAndForgotten() throws {
        let crew = try GBCrew(.udp)
        defer { crew.crew.stop() }
        let camera = try GBCamera(crew)
        camera.send(Array(GBCamera.packets(ssrc: 77).prefix(5)), toPort: crew.mediaPort)
        let line = try Line(port: crew.mediaPort)
        let packet = GBCamera.packets(ssrc: 78)[0]
        line.send([UInt8(packet.count >> 8), UInt8(packet.count & 255)] + packet)
        // It is sent away.
        #expect(line.receive() == nil)
        #expect(crew.report()?.unknownPackets == 6)
        #expect(crew.report()?.sessions.isEmpty == true)
    }

    /// The numbers of calls are few: who guesses one is still not the camera.
    @Test func mediaFromAStrangeAddressIsNotTheCameras() throws {
        let crew = try GBCrew(.udp)
        defer { crew.crew.stop() }
        let camera = try GBCamera(crew)
        camera.register()
        #expect(camera.hear { $0.status == 200 && $0.method == "REGISTER" } != nil)
        let viewers = [try crew.watch(Self.stream, at: 0)]
        let invite = try answered(crew, camera)
        let packets = GBCamera.packets(ssrc: try #require(GBCamera.ssrc(invite)))
        let stranger = try UDPSocket(bind: Address(ipv4: 0x7f00_0002, port: 0))
        for packet in packets.prefix(5) {
            stranger.send(packet.raw, to: GBCrew.loopback.with(port: crew.mediaPort))
        }
        camera.send(Array(packets.prefix(5)), toPort: crew.mediaPort)
        let end = Clock.now + .seconds(5)
        while crew.report()?.sessions.first?.peer == nil, Clock.now < end { usleep(1000) }
        let report = try #require(crew.report())
        #expect(report.sessions.first?.peer?.with(port: 0) == GBCrew.loopback)
        #expect(report.unknownPackets == 5)
        #expect(viewers.count == 1)
    }

    @Test func namesInGB18030AreRead() {
        let bytes: [UInt8] = [0xd7, 0xdf, 0xc0, 0xc8, 0x31]
        #expect(GB18030.utf8(bytes) == Array("走廊1".utf8))
        // Four bytes, and what means nothing.
        #expect(GB18030.utf8([0x95, 0x32, 0x82, 0x36]) == Array("𠀀".utf8))
        #expect(GB18030.utf8([0x41, 0xff, 0x42]) == Array("A\u{fffd}B".utf8))
    }
}
