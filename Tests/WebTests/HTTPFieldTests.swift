import HTTP
import Testing
import Wire

/// Single headers: ranges, tags, encodings, credentials, dates, types.
struct HTTPFieldTests {
    @Test(
        arguments: [
            (nil, .whole), ("bytes=0-4", .part(0..<5)), ("bytes=5-", .part(5..<10)),
            ("bytes=-3", .part(7..<10)), ("bytes=-30", .part(0..<10)), ("BYTES=0-0", .part(0..<1)),
            ("bytes=0-18446744073709551615", .part(0..<10)), ("bytes=9-9", .part(9..<10)),
            ("bytes=10-", .unsatisfiable), ("bytes=18446744073709551615-", .unsatisfiable),
            ("bytes=-0", .unsatisfiable), ("bytes=4-2", .whole), ("bytes=", .whole),
            ("bytes=x-", .whole),
            ("items=0-1", .whole), ("bytes=--1", .whole), ("bytes=0-1,5-6", .part(0..<2)),
        ] as [(String?, ByteRange)])
    func readsARange(header: String?, range: ByteRange) {
        #expect(ByteRange(header, length: 10) == range)
    }

    @Test func takesTheFirstOfManyRanges() {
        let many = "bytes=" + String(repeating: "0-0,", count: 3000)
        #expect(ByteRange(many, length: 10) == .part(0..<1))
        #expect(ByteRange.contentRange(0..<1, of: 10) == "bytes 0-0/10")
    }

    @Test(arguments: [
        ("\"a\"", true), ("W/\"a\"", true), ("*", true), ("\"b\", \"a\"", true), ("\"A\"", false),
        ("a", false), ("", false), ("\"b\"", false),
    ])
    func comparesTagsWeakly(header: String, matches: Bool) {
        #expect(EntityTag("a").satisfies(ifNoneMatch: header) == matches)
    }

    @Test(arguments: [
        (nil, true), ("*", true), ("\"a\"", true), ("W/\"a\"", false), ("\"b\"", false),
    ])
    func comparesTagsStrongly(header: String?, matches: Bool) {
        #expect(EntityTag("a").satisfies(ifMatch: header) == matches)
    }

    @Test(arguments: [
        (nil, false), ("gzip, deflate, br", true), ("br", false), ("GZIP;q=0.5", true),
        ("gzip;q=0", false), ("gzip; q=0.000", false), ("*", true), ("*, gzip;q=0", false),
        ("identity", false),
    ])
    func understandsAcceptEncoding(header: String?, allows: Bool) {
        #expect(AcceptEncoding.allowsGzip(header) == allows)
    }

    @Test(
        arguments: [
            ("Bearer abc", .bearer("abc")), ("bearer   abc", .bearer("abc")),
            ("Bearer Bearer abc", .bearer("abc")),
            ("Bearer u:p:q", .password(user: "u", password: "p:q")),
            ("Basic dTpw", .password(user: "u", password: "p")),
            ("basic dTo=", .password(user: "u", password: "")),
            ("Basic QTpB", .password(user: "A", password: "A")), ("Basic dTpw=", .unknown),
            ("Basic !!", .unknown), ("Basic dXA=", .unknown), ("Bearer", .unknown),
            ("Bearer ", .unknown),
            ("Bearer a b", .unknown), ("abc", .bearer("abc")), ("Digest x", .unknown),
            ("Bearer " + String(repeating: "a", count: 60_000), .unknown),
        ] as [(String, AuthHeader)])
    func readsCredentials(header: String, credentials: AuthHeader) {
        #expect(AuthHeader(header) == credentials)
    }

    @Test func noCredentialsAreNone() {
        #expect(AuthHeader(nil) == nil)
        #expect(AuthHeader("") == nil)
    }

    @Test(arguments: [
        (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"), (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
        (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
        (4_102_444_799, "Thu, 31 Dec 2099 23:59:59 GMT"),
        (-1, "Wed, 31 Dec 1969 23:59:59 GMT"),
    ])
    func writesDates(seconds: Int64, text: String) {
        #expect(HTTPDate.text(seconds: seconds) == text)
    }

    @Test func comparesMediaTypesAlone() {
        #expect(MediaType.essence(of: "Application/SDP ; charset=utf-8") == "application/sdp")
        #expect(MediaType.ofFile("index.HTML") == "text/html; charset=utf-8")
        #expect(MediaType.ofFile("part.m4s") == "video/mp4")
        #expect(MediaType.ofFile("noext") == "application/octet-stream")
    }

    @Test func writesMetrics() {
        var metrics = MetricsText()
        metrics.family("gateway_viewers", .gauge, "Viewers now.")
        metrics.sample(3, ["protocol": "whep"])
        metrics.sample(0, ["protocol": "a\"\n\\"])
        metrics.family("gateway_first_frame_seconds", .histogram, "Join to first frame.")
        metrics.histogram(bounds: [0.1, 0.5], counts: [2, 1, 1], sum: 1.5, ["app": "live"])
        let expected = """
            # HELP gateway_viewers Viewers now.
            # TYPE gateway_viewers gauge
            gateway_viewers{protocol="whep"} 3
            gateway_viewers{protocol="a\\"\\n\\\\"} 0
            # HELP gateway_first_frame_seconds Join to first frame.
            # TYPE gateway_first_frame_seconds histogram
            gateway_first_frame_seconds_bucket{app="live",le="0.1"} 2
            gateway_first_frame_seconds_bucket{app="live",le="0.5"} 3
            gateway_first_frame_seconds_bucket{app="live",le="+Inf"} 4
            gateway_first_frame_seconds_sum{app="live"} 1.5
            gateway_first_frame_seconds_count{app="live"} 4

            """
        #expect(String(decoding: metrics.bytes, as: UTF8.self) == expected)
    }

    @Test func boundsTheSeriesOfAFamily() {
        var metrics = MetricsText()
        metrics.family("gateway_x", .counter, "X.")
        for index in 0..<10_002 { metrics.sample(index, ["name": "\(index)"]) }
        #expect(metrics.droppedCount == 2)
    }

    @Test(arguments: ProblemCode.allCases)
    func everyCodeHasAnEntry(code: ProblemCode) {
        #expect((400...599).contains(code.status))
        #expect(!code.title.isEmpty)
        #expect(code.status != 500 || code == .internalError, "falls through the table")
        #expect(code.rawValue.allSatisfy { $0.isLowercase || $0 == "-" })
    }
}
