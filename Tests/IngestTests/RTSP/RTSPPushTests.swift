import Media
import RTSP
import SDP
import Stream
import Testing
import Wire

/// Bringing a stream to another RTSP server.
struct RTSPPushTests {
    typealias Habits = FakeCamera.Habits
    private static let url = "rtsp://192.0.2.1/live/there"

    private static func server(_ change: (inout Habits) -> Void = { _ in }) -> FakeCamera {
        var habits = Habits()
        change(&habits)
        return FakeCamera(habits, url, purpose: .push)
    }

    private static func recording(_ change: (inout Habits) -> Void = { _ in }) -> FakeCamera {
        let server = server(change)
        #expect(!server.begin(RTSPSessionTests.present))
        return server
    }

    @Test func aStreamIsAnnouncedSetUpAndRecorded() throws {
        let server = Self.recording()
        #expect(
            server.requests == [
                "OPTIONS \(Self.url)", "ANNOUNCE \(Self.url)", "SETUP \(Self.url)/trackID=0",
                "SETUP \(Self.url)/trackID=1", "RECORD \(Self.url)",
            ])
        let announced = server.messages[1]
        #expect(announced["Content-Type"] == "application/sdp")
        let description = try SDPDescription(announced.body.raw)
        #expect(description.medias.map(\.control) == ["trackID=0", "trackID=1"])
        #expect(
            server.messages[3]["Transport"]
                == "RTP/AVP/TCP;unicast;interleaved=2-3;mode=record")
        #expect(server.messages[4]["Session"] == "77")
    }

    @Test func mediaGoesWithAReportBeforeIt() {
        let server = Self.recording()
        #expect(server.begin(RTSPSessionTests.present))
        server.give([0x65, 1], RTSPSessionTests.h264, ticks: 0, slot: .video)
        server.give([1, 2, 3], RTSPSessionTests.pcma, ticks: 0, slot: .audio)
        #expect(server.frames.map(\.channel) == [1, 3, 0, 2])
        #expect(server.frames[0].bytes[1] == 200, "a sender report")
        #expect(server.frames[2].bytes.suffix(2) == [0x65, 1])
        #expect(server.client.isRunning)
        server.pass(.seconds(30))
        #expect(server.client.ending == nil, "\(RTSPClientTests.words(server))")
        #expect(server.frames.count >= 4 + 2 * 5, "reports every five seconds")
        #expect(server.methods.last == "GET_PARAMETER")
    }

    @Test func aPasswordIsProvedForTheAnnouncement() {
        var habits = Habits()
        (habits.user, habits.password) = ("a", "b")
        let server = FakeCamera(habits, "rtsp://a:b@192.0.2.1/live/there", purpose: .push)
        #expect(!server.begin(RTSPSessionTests.present))
        #expect(server.methods == ["OPTIONS", "ANNOUNCE", "ANNOUNCE", "SETUP", "SETUP", "RECORD"])
        #expect(server.messages[2].body == server.messages[1].body, "the description again")
        habits.password = "other"
        let refused = FakeCamera(habits, "rtsp://a:b@192.0.2.1/live/there", purpose: .push)
        #expect(!refused.begin(RTSPSessionTests.present))
        #expect(RTSPClientTests.words(refused) == "denied: user or password is wrong")
    }

    @Test func whatHasNotComeInTimeIsAnnouncedAsItWasNamed() {
        let server = Self.server()
        server.pass(.seconds(3))
        #expect(server.methods.last == "RECORD")
    }

    @Test func anAnswerOfUDPIsSaid() {
        let server = Self.recording {
            $0.transport = { _ in "RTP/AVP;unicast;client_port=0-1;server_port=3-4" }
        }
        #expect(RTSPClientTests.words(server).contains("media goes over TCP only"))
    }

    @Test func whenItEndsHereGoodbyeIsSaid() {
        let server = Self.recording()
        server.tell(.ended(1, .publisherGone))
        #expect(server.methods.last == "TEARDOWN")
        #expect(RTSPClientTests.words(server) == "failed: ended here: publisherGone")
    }

    @Test func otherCodecsAreAnnouncedAnew() {
        let server = Self.recording()
        var snapshot = RTSPSessionTests.snapshot
        snapshot.slots[0].format?.codec = .h265
        server.tell(.changed(1, snapshot))
        #expect(RTSPClientTests.words(server).contains("announced anew"))
    }
}
