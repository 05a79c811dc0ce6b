package import HTTP
package import Wire

/// What a shelf says to a request.
package enum HLSAnswer: Sendable {
    case response(HTTPResponse)
    /// What is asked for will come.
    case wait
    case problem(Problem)

    /// - Parameter readiness: Of what is asked for, on this shelf.
    package init(
        _ route: HLSRoute, _ readiness: HLSReadiness, _ shelf: HLSShelf?, _ request: HTTPRequest
    ) {
        switch readiness {
        case .ready: self = shelf.map { .response(Self.response(route, $0, request)) } ?? .wait
        case .wait: self = .wait
        case .missing: self = Self.missing(route)
        case .wrong(let text): self = .problem(Problem(.badRequest, text))
        }
    }

    /// - Parameter shelf: Nil: nobody cuts the stream yet.
    package static func readiness(of route: HLSRoute, on shelf: HLSShelf?) -> HLSReadiness {
        guard let shelf else { return route.file.isPlaylist ? .wait : .missing }
        switch route.file {
        case .multivariant, .playlist:
            guard shelf.isReady else { return .wait }
            return route.position.map(shelf.readiness) ?? .ready
        case .part(let number, let part, _): return shelf.readiness(ofPart: part, in: number)
        case .segment(let number, _): return shelf.whole(number) == nil ? .missing : .ready
        case .header(let number): return shelf.header(number) == nil ? .missing : .ready
        }
    }

    private static func missing(_ route: HLSRoute) -> HLSAnswer {
        .problem(Problem(.notFound, "\(route.file.name) is not there, or not any more"))
    }

    private static func response(
        _ route: HLSRoute, _ shelf: HLSShelf, _ request: HTTPRequest
    ) -> HTTPResponse {
        switch route.file {
        case .multivariant:
            return playlist(
                HLSPlaylist.multivariant(shelf, folder: route.folder, query: route.access),
                "no-cache")
        case .playlist:
            // A reload for one position has one answer for ever: caches may keep it a while.
            let age = shelf.targetDuration * 6
            let cache = route.position == nil ? "no-cache" : "max-age=\(age)"
            return playlist(
                HLSPlaylist.media(shelf, skips: route.skips, query: route.access), cache)
        case .part(let number, let part, _):
            return media(shelf.part(part, in: number), route, request)
        case .segment(let number, _): return media(shelf.whole(number), route, request)
        case .header(let number): return media(shelf.header(number), route, request)
        }
    }

    private static func playlist(_ text: String, _ cache: String) -> HTTPResponse {
        HTTPResponse(type: "application/vnd.apple.mpegurl", Array(text.utf8))
            .adding("Cache-Control", cache)
    }

    private static func media(
        _ chunk: Chunk?, _ route: HLSRoute, _ request: HTTPRequest
    ) -> HTTPResponse {
        guard let chunk else { return HTTPResponse(Problem(.notFound, route.file.name)) }
        let range = ByteRange(request.headers["Range"], length: chunk.count)
        let type = route.container == .mpegTS ? "video/mp2t" : "video/mp4"
        return .ranged(chunk, type: type, range, request)
            .adding("Cache-Control", "max-age=3600").adding("Accept-Ranges", "bytes")
    }
}

extension HLSFile {
    /// A text that names other files, which somebody must have asked for first.
    package var isPlaylist: Bool {
        switch self {
        case .multivariant, .playlist: true
        case .header, .segment, .part: false
        }
    }
}
