package import Settings
package import Stream
package import Wire

/// What the configuration says about streams that we fetch from elsewhere or bring there.
package struct LinkPlan: Sendable {
    package struct Source: Equatable, Sendable {
        package var url: LinkURL
        package var isOnDemand: Bool
        package var transport: LinkTransport

        package init(
            _ url: LinkURL, isOnDemand: Bool, transport: LinkTransport = .auto
        ) {
            self.url = url
            self.isOnDemand = isOnDemand
            self.transport = transport
        }
    }

    /// Where the stream of a name is fetched.
    package var source: @Sendable (String) -> Source?
    /// Names that are fetched from the start on, watched or not.
    package var always: [String]
    /// Where the stream of a name is brought, as long as it is live.
    package var pushes: @Sendable (String) -> [LinkURL]

    package init(
        source: @escaping @Sendable (String) -> Source? = { _ in nil }, always: [String] = [],
        pushes: @escaping @Sendable (String) -> [LinkURL] = { _ in [] }
    ) {
        self.source = source
        self.always = always
        self.pushes = pushes
    }
}

extension LinkPlan {
    package init(_ config: Config) {
        self.init(
            source: { name in
                let path = config.path(name)
                return path.source.map {
                    Source(
                        $0, isOnDemand: path.onDemand,
                        transport: LinkTransport(path.sourceTransport))
                }
            },
            always: config.paths.filter { $0.settings.source != nil && !$0.settings.onDemand }
                .map(\.pattern.text),
            pushes: { name in
                config.path(name).forward.map { Self.destination($0, of: name) }
            })
    }

    /// A destination that is an application gets the name of the stream behind it.
    private static func destination(_ url: LinkURL, of name: String) -> LinkURL {
        // The stream id of SRT says all.
        let hasID = url.scheme == "srt" && url.path.contains("streamid=")
        guard url.segments.count < 2, !hasID else { return url }
        let parts = url.path.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let app = parts[0].split(separator: "/").joined()
        let stream = name.drop { $0 != "/" }.drop { $0 == "/" }
        let query = parts.count > 1 ? "?\(parts[1])" : ""
        return url.with(path: (app.isEmpty ? "" : "\(app)/") + stream + query)
    }
}

extension LinkTransport {
    init(_ choice: SourceTransport) {
        switch choice {
        case .auto: self = .auto
        case .tcp: self = .tcp
        case .udp: self = .udp
        }
    }
}
