import HTTP
import Wire

// Bodies that are JSON, and lists of events.
extension WHIPRoute {
    static func json(_ body: [UInt8]) throws(Problem) -> JSONValue {
        do throws(ParseError) { return try JSONReader.read(body.raw, .api) } catch {
            throw Problem(.badJSON, error.description)
        }
    }

    /// SRS: `{"api": …, "streamurl": "webrtc://host/live/cam1?token=…", "sdp": …}`.
    static func offerOfSRS(_ role: WHIPRole, _ body: [UInt8]) throws(Problem) -> WHIPOffer {
        let json = try json(body)
        guard let url = json["streamurl"]?.string, let sdp = json["sdp"]?.string else {
            throw Problem(.badJSON, "streamurl and sdp are expected")
        }
        guard let scheme = url.firstRange(of: "://"),
            let slash = url[scheme.upperBound...].firstIndex(of: "/")
        else { throw Problem(.badPath, "streamurl: webrtc://host/app/stream is expected") }
        let target: HTTPTarget
        do throws(ParseError) { target = try HTTPTarget(url[slash...]) } catch {
            throw Problem(.badPath, "streamurl: \(error)")
        }
        let name = try name(target.segments.joined(separator: "/"))
        return WHIPOffer(
            role: role, name: name, sdp: Array(sdp.utf8), target: target, dialect: .srs)
    }

    /// `{}`: automatic. Players call the encoding `rid` or `encodingId`.
    static func layer(_ json: JSONValue) throws(Problem) -> WHIPLayer {
        guard json.object != nil else { throw Problem(.badJSON, "an object is expected") }
        guard let value = json["rid"] ?? json["encodingId"], value != .null else {
            return .automatic
        }
        // RFC 8851 §10: a rid has letters and digits, and - and _ in the field.
        guard let rid = value.string, !rid.isEmpty, rid.utf8.count <= 16,
            rid.utf8.allSatisfy({
                ASCII.isLetter($0) || ASCII.isDigit($0) || $0 == 0x2d || $0 == 0x5f
            })
        else { throw Problem(.badJSON, "rid: 1 to 16 letters and digits are expected") }
        return .encoding(rid)
    }

    /// `{"name": "live/cam1"}`.
    static func source(_ json: JSONValue) throws(Problem) -> StreamName {
        guard let text = json["name"]?.string else {
            throw Problem(.badJSON, "{\"name\": \"live/cam1\"} is expected")
        }
        return try name(text)
    }

    /// The list of a POST. Names that we do not know are left out: the draft grows.
    static func eventNames(_ json: JSONValue) throws(Problem) -> Set<WHIPEvent> {
        guard let items = json.array else {
            throw Problem(.badJSON, "a list like [\"active\", \"inactive\"] is expected")
        }
        return Set(items.compactMap { $0.string.flatMap(WHIPEvent.init) })
    }

    /// The list of a URL; without one, all.
    static func events(_ list: String?) -> Set<WHIPEvent> {
        guard let list else { return Set(WHIPEvent.allCases) }
        return Set(list.split(separator: ",").compactMap { WHIPEvent(rawValue: String($0)) })
    }
}
