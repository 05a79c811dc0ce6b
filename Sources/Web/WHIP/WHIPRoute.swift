package import HTTP
package import Wire

/// Which way the media of a session goes: WHIP brings, WHEP fetches.
package enum WHIPRole: String, Equatable, Sendable {
    case publish, play

    /// The first segment of our own URLs.
    package var segment: String { self == .publish ? "whip" : "whep" }
}

/// How an answer is dressed.
package enum WHIPDialect: Equatable, Sendable {
    /// RFC 9725 and draft-ietf-wish-whep.
    case standard
    /// SRS before WHIP: `{"streamurl", "sdp"}` in, `{"code", "sdp", "sessionid"}` out.
    case srs
    /// ZLMediaKit before WHIP: SDP in, `{"code", "sdp", "id"}` out. Players of control planes for
    /// cameras need it.
    case zlm
}

/// What a URL of WHIP and WHEP names, in whichever style it is written.
///
/// | Style | Endpoint |
/// |---|---|
/// | ours | `/whip/live/cam1` |
/// | SRS | `/rtc/v1/whip/?app=live&stream=cam1` |
/// | ZLMediaKit | `/index/api/whip?app=live&stream=cam1` |
/// | MediaMTX | `/live/cam1/whip` |
///
/// Sessions are `/whip/session/ID` in every style: clients follow `Location`, whatever it says.
package enum WHIPRoute: Equatable, Sendable {
    case endpoint(WHIPRole, StreamName, WHIPDialect)
    /// SRS: the stream's name is in the body.
    case namedByBody(WHIPRole)
    case session(WHIPRole, String, Part)

    /// A session, or one of the things that can be done with a viewer's.
    package enum Part: String, Sendable {
        case itself = ""
        case source, layer
        case events = "sse"
    }

    /// - Returns: Nil when the URL is none of WHIP's.
    /// - Throws: When it is, and cannot be served: a refused name, for instance.
    package init?(_ target: HTTPTarget) throws(Problem) {
        let path = target.segments
        switch (path.first, path.count) {
        case ("whip", 2...): try self.init(.publish, path, target)
        case ("whep", 2...): try self.init(.play, path, target)
        case ("rtc", 3) where path[1] == "v1": try self.init(ofSRS: path[2], target)
        case ("index", 3) where path[1] == "api": try self.init(ofZLM: path[2], target)
        default: try self.init(ofMediaMTX: path)
        }
    }

    private init(_ role: WHIPRole, _ path: [String], _ target: HTTPTarget) throws(Problem) {
        if path[1] == "session" {
            let name = path.count > 3 ? path[3] : ""
            guard (3...4).contains(path.count), let part = Part(rawValue: name) else {
                throw Problem(.sessionNotFound, target.path)
            }
            self = .session(role, path[2], part)
        } else {
            let name = try Self.name(path.dropFirst().joined(separator: "/"))
            self = .endpoint(role, name, .standard)
        }
    }

    private init?(ofSRS verb: String, _ target: HTTPTarget) throws(Problem) {
        switch verb {
        case "whip": self = .endpoint(.publish, try Self.name(in: target), .standard)
        case "whep", "whip-play": self = .endpoint(.play, try Self.name(in: target), .standard)
        case "publish": self = .namedByBody(.publish)
        case "play": self = .namedByBody(.play)
        default: return nil
        }
    }

    private init?(ofZLM verb: String, _ target: HTTPTarget) throws(Problem) {
        switch (verb, target.query("type")) {
        case ("whip", _): self = .endpoint(.publish, try Self.name(in: target), .standard)
        case ("whep", _): self = .endpoint(.play, try Self.name(in: target), .standard)
        case ("webrtc", "push"): self = .endpoint(.publish, try Self.name(in: target), .zlm)
        case ("webrtc", "play"), ("webrtc", nil):
            self = .endpoint(.play, try Self.name(in: target), .zlm)
        case ("webrtc", let type?): throw Problem(.notFound, "type=\(type): push or play")
        default: return nil
        }
    }

    private init?(ofMediaMTX path: [String]) throws(Problem) {
        guard let first = path.first, !StreamName.reservedApps.contains(first) else { return nil }
        if path.count >= 2, let role = Self.role(path[path.count - 1]) {
            let name = try Self.name(path.dropLast().joined(separator: "/"))
            self = .endpoint(role, name, .standard)
        } else if path.count >= 3, let role = Self.role(path[path.count - 2]) {
            self = .session(role, path[path.count - 1], .itself)
        } else {
            return nil
        }
    }

    private static func role(_ segment: String) -> WHIPRole? {
        switch segment {
        case "whip": .publish
        case "whep": .play
        default: nil
        }
    }

    /// `?app=live&stream=cam1`; ZLMediaKit's `vhost` has one value here and is ignored.
    private static func name(in target: HTTPTarget) throws(Problem) -> StreamName {
        guard let stream = target.query("stream"), !stream.isEmpty else {
            throw Problem(.badName, "?stream= is missing")
        }
        return try name("\(target.query("app") ?? StreamName.defaultApp)/\(stream)")
    }

    static func name(_ text: some StringProtocol) throws(Problem) -> StreamName {
        do throws(ParseError) { return try StreamName(text) } catch {
            throw Problem(.badName, "\(LabelText(text)): \(error)")
        }
    }
}
