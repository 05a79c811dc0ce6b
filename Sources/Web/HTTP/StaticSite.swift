import Wire

/// The files of the page, by path. A request can only name what was read at start: there is no path
/// that leads to a file system.
package struct StaticSite: Sendable {
    private let files: [String: StaticFile]

    /// What a browser is allowed to do with what it gets from us: everything comes from here, and
    /// no script stands in a page. No other page may show ours in a frame: a click meant for that
    /// page could start a camera here.
    static let policy =
        "default-src 'self'; media-src 'self' blob:; connect-src 'self' blob:; "
        + "img-src 'self' data: blob:; base-uri 'none'; form-action 'self'; "
        + "frame-ancestors 'self'"

    /// - Parameter files: By path, beginning with a slash: `/index.html`.
    package init(_ files: [String: StaticFile] = [:]) { self.files = files }

    package var count: Int { files.count }
    package var isEmpty: Bool { files.isEmpty }

    /// - Returns: Nil: there is no such file.
    package func response(to request: HTTPRequest) -> HTTPResponse? {
        guard let file = file(request.target) else { return nil }
        guard request.method == .get || request.method == .head else {
            let problem = Problem(
                .methodNotAllowed, "\(request.method.rawValue) \(request.target.path)")
            return Self.guarded(HTTPResponse(problem).adding("Allow", "GET, HEAD"))
        }
        return Self.guarded(file.response(to: request))
    }

    package static func guarded(_ response: HTTPResponse) -> HTTPResponse {
        response
            .adding("Content-Security-Policy", policy)
            .adding("X-Content-Type-Options", "nosniff")
            // A key may stand in the query of the page's own URL.
            .adding("Referrer-Policy", "no-referrer")
    }

    /// Folders have no listing. The pages of streams are one file each, whatever the stream.
    private func file(_ target: HTTPTarget) -> StaticFile? {
        switch (target.segments.first, target.segments.count) {
        case (nil, _): files["/index.html"]
        case ("play", 2...): files["/play.html"]
        case ("publish", 2...): files["/publish.html"]
        case ("favicon.ico", 1): files["/assets/icon.svg"]
        default: target.hasTrailingSlash ? nil : files[target.path]
        }
    }
}
