import Crypto
import Foundation
import Gateway
import HTTP
import ICE
import Settings
import Testing
import Wire

/// WHIP and WHEP over real sockets: what clients send, and what they get.
struct SignallingTests {
    static let sdp = ["Content-Type": "application/sdp"]
    static let fragment = ["Content-Type": "application/trickle-ice-sdpfrag"]

    static func rtc(_ limits: RTCLimits = RTCLimits()) throws -> RTCPlan {
        var inputs = AdvertisedAddresses.Inputs(udpPort: 8000, tcpPort: 0)
        inputs.configured = [Address(ipv4: 0xc000_0201, port: 0)]
        return RTCPlan(
            directory: RTCDirectory(limits),
            certificate: try Certificate.selfSigned(
                commonName: "gateway", names: ["localhost"], from: 1_700_000_000, days: 365),
            ticketSecret: Array(0..<32),
            settings: RTCSettings(addresses: AdvertisedAddresses(inputs)))
    }

    static func offer(_ name: String) throws -> String {
        let folder = URL(filePath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Vectors/offers")
        return try String(contentsOf: folder.appending(path: name), encoding: .utf8)
    }

    static let publisher = "chromium-whip-h264.sdp"

    @Test func aPublisherIsAnswered() throws {
        let crew = try FrontTests.crew(rtc: Self.rtc())
        let answer = try crew.fetch(
            "POST", "/whip/live/cam1", Self.sdp, try Self.offer(Self.publisher))
        #expect(answer.status == 201)
        #expect(answer["Content-Type"] == "application/sdp")
        #expect(answer.body.hasPrefix("v=0"))
        #expect(answer["Location"]?.hasPrefix("/whip/session/") == true)
        #expect(answer["Location"]?.contains("?") == false)
        #expect(answer["ETag"]?.hasPrefix("\"") == true)
        #expect(
            answer.values("Link") == ["<stun:stun.example.org:3478>; rel=\"ice-server\""])
        // 120 random bits and a slot.
        #expect(answer["Location"]?.split(separator: "/").last?.utf8.count == 24)
    }

    /// Section 4: OBS, FFmpeg, GStreamer, aiortc and browsers, as they really ask.
    @Test func everyClientsOfferIsAnswered() throws {
        let crew = try FrontTests.crew(rtc: Self.rtc())
        let folder = URL(filePath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Vectors/offers")
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
            .filter { $0.contains("-whip") && !$0.contains("answer") }
        #expect(names.count > 5)
        for name in names {
            let answer = try crew.fetch("POST", "/whip/live/a", Self.sdp, try Self.offer(name))
            #expect(answer.status == 201, "\(name): \(answer.body)")
            // FFmpeg reads the first candidate only.
            let first = answer.body.split(separator: "\r\n").first { $0.hasPrefix("a=candidate") }
            #expect(first?.lowercased().contains(" udp ") == true)
            #expect(answer.body.utf8.count < 8192)
        }
    }

    /// Sections 1 and 6: by any worker, with whatever `If-Match` the client likes.
    @Test func aSessionIsPatchedAndEndedAtAnyWorker() throws {
        let crew = try FrontTests.crew(workers: 2, rtc: Self.rtc())
        let answer = try crew.fetch(
            "POST", "/live/cam1/whip", Self.sdp, try Self.offer(Self.publisher))
        let place = try #require(answer["Location"])
        let etag = try #require(answer["ETag"])
        let end = "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\na=end-of-candidates\r\n"
        for tag in [nil, "*", etag] {
            var headers = Self.fragment
            headers["If-Match"] = tag
            let patched = try crew.fetch("PATCH", place, headers, end, worker: 1)
            #expect(patched.status == 204)
            #expect(patched["ETag"] == nil)
        }
        let stale = Self.fragment.merging(["If-Match": "\"old\""]) { $1 }
        #expect(try crew.fetch("PATCH", place, stale, end).status == 412)
        #expect(try crew.fetch("PATCH", place, Self.fragment, "{}").status == 400)
        let restart =
            "a=ice-ufrag:NEWU\r\na=ice-pwd:newpasswordnewpasswordnew\r\n" + end
        let restarted = try crew.fetch("PATCH", place, Self.fragment, restart, worker: 1)
        #expect(restarted.status == 200)
        #expect(restarted["ETag"] != etag)
        #expect(restarted["Content-Type"] == "application/trickle-ice-sdpfrag")
        #expect(restarted.body.contains("a=ice-ufrag:"))
        #expect(try crew.fetch("DELETE", place, worker: 1).status == 200)
        #expect(try crew.fetch("DELETE", place).status == 404)
        #expect(try crew.fetch("PATCH", place, Self.fragment, end).status == 404)
    }

    @Test func aStrangersNameFindsNothing() throws {
        let crew = try FrontTests.crew(rtc: Self.rtc())
        for id in [
            "x", "*", "AAAAAAAAAAAAAAAAAAAAAAAA", "a%2Fb", String(repeating: "A", count: 900),
        ] {
            for (method, body) in [("DELETE", nil), ("PATCH", "a=end-of-candidates\r\n")] {
                let answer = try crew.fetch(method, "/whip/session/\(id)", Self.fragment, body)
                #expect(answer.status == 404, "\(method) \(id)")
            }
        }
    }

    /// Section 5: 409 and a time, which players take for "not yet".
    @Test func aViewerOfNobodyIsToldWhenToComeBack() throws {
        let crew = try FrontTests.crew(rtc: Self.rtc())
        let offer = try Self.offer("chromium-whep.sdp")
        let answer = try crew.fetch("POST", "/whep/live/none", Self.sdp, offer)
        #expect(answer.status == 409)
        #expect(answer.code == "stream-not-live")
        #expect(answer["Retry-After"] == "2")
    }

    @Test func credentialsInEveryForm() throws {
        let gate = Gate(publishKey: Secret("sesame"), loopback: .key)
        let crew = try FrontTests.crew(gate, rtc: Self.rtc())
        let offer = try Self.offer(Self.publisher)
        let forms: [(String, String?)] = [
            ("", "Bearer sesame"), ("", "Bearer Bearer sesame"), ("", "sesame"),
            ("", "Bearer me:sesame"), ("", "Basic bWU6c2VzYW1l"), ("?token=sesame", nil),
            ("?key=sesame", nil), ("?user=me&pass=sesame", nil),
        ]
        for (query, header) in forms {
            var headers = Self.sdp
            headers["Authorization"] = header
            let answer = try crew.fetch("POST", "/whip/live/a\(query)", headers, offer)
            #expect(answer.status == 201, "\(query) \(header ?? "")")
        }
        let none = try crew.fetch("POST", "/whip/live/a", Self.sdp, offer)
        #expect(none.status == 401)
        #expect(none["WWW-Authenticate"] == "Bearer realm=\"gateway\"")
        #expect(none["Access-Control-Allow-Origin"] == "*")
        #expect(try crew.fetch("POST", "/whip/live/a?token=x", Self.sdp, offer).status == 401)
        // Section 3: the session's URL is enough for what follows.
        let answer = try crew.fetch("POST", "/whip/live/b?token=sesame", Self.sdp, offer)
        #expect(try crew.fetch("DELETE", answer["Location"] ?? "").status == 200)
    }

    @Test func whatIsWrongWithAnOfferIsSaid() throws {
        let crew = try FrontTests.crew(rtc: Self.rtc())
        let good = try Self.offer(Self.publisher)
        let cases: [(String, Int, String)] = [
            ("v=0\r\n", 400, "sdp-no-media"), ("hello", 400, "sdp-malformed"),
            (good.replacing("a=sendonly", with: "a=recvonly"), 400, "sdp-wrong-direction"),
            (good.replacing("UDP/TLS/RTP/SAVPF", with: "RTP/AVP"), 400, "sdp-not-secure"),
            (String(repeating: "a", count: 65_537), 413, "body-too-large"),
        ]
        for (body, status, code) in cases {
            let answer = try crew.fetch("POST", "/whip/live/a", Self.sdp, body)
            #expect(answer.status == status)
            #expect(answer.code == code)
        }
    }

    @Test func olderSignallingIsAnsweredInItsOwnWords() throws {
        let crew = try FrontTests.crew(rtc: Self.rtc())
        let offer = try Self.offer(Self.publisher)
        let zlm = try crew.fetch(
            "POST", "/index/api/webrtc?app=live&stream=z&type=push",
            ["Content-Type": "text/plain;charset=utf-8"], offer)
        #expect(zlm.status == 200)
        #expect(zlm.json("code") as? Int == 0)
        #expect((zlm.json("sdp") as? String)?.hasPrefix("v=0") == true)
        let body = try JSONSerialization.data(withJSONObject: [
            "streamurl": "webrtc://localhost/live/s", "sdp": offer, "api": "x",
        ])
        let srs = try crew.fetch(
            "POST", "/rtc/v1/publish/", [:], String(decoding: body, as: UTF8.self))
        #expect(srs.json("code") as? Int == 0)
        #expect(srs.json("sessionid") is String)
    }

    @Test func placesForWaitingSessionsAreBounded() throws {
        var limits = RTCLimits()
        limits.waitingPerSource = 3
        let crew = try FrontTests.crew(rtc: Self.rtc(limits))
        let offer = try Self.offer(Self.publisher)
        let statuses = try (0..<5).map { number in
            try crew.fetch("POST", "/whip/live/n\(number)", Self.sdp, offer).status
        }
        #expect(statuses == [201, 201, 201, 429, 429])
    }

    /// Players listen with `EventSource`; the first is said at once.
    @Test func aPageHearsOfItsStream() throws {
        let crew = try FrontTests.crew(workers: 2, rtc: Self.rtc())
        let offer = try Self.offer(Self.publisher)
        let answer = try crew.fetch("POST", "/whip/live/a", Self.sdp, offer)
        let place = try #require(answer["Location"])
        let line = try crew.connect(to: 1)
        line.say("GET \(place)/sse HTTP/1.1\r\nHost: localhost\r\n\r")
        var heard: [String] = []
        while let text = line.hear() {
            heard.append(text)
            if text.hasPrefix("data: {\"viewercount") { break }
        }
        #expect(heard.contains { $0.hasPrefix("Content-Type: text/event-stream") })
        #expect(heard.contains("event: inactive"))
        #expect(heard.last == "data: {\"viewercount\":0}")
        // The session ends, and so does the stream of its events.
        #expect(try crew.fetch("DELETE", place).status == 200)
        while let text = line.hear() { heard.append(text) }
        #expect(heard.contains("0\r"))
        #expect(try crew.fetch("GET", "\(place)/sse").status == 404)
    }
}
