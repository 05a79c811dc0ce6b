import Wire

/// What a viewer's page is told of its stream, as values of one moment.
package struct WHIPFacts: Equatable, Sendable {
    package struct Layer: Equatable, Sendable {
        package var rid: String
        package var width: Int
        package var height: Int
        package var bitsPerSecond: Int

        package init(rid: String, width: Int, height: Int, bitsPerSecond: Int) {
            self.rid = rid
            self.width = width
            self.height = height
            self.bitsPerSecond = bitsPerSecond
        }
    }

    package var isActive: Bool
    package var viewerCount: Int
    /// Those that live; empty unless the publisher sends several.
    package var layers: [Layer]

    package init(isActive: Bool, viewerCount: Int, layers: [Layer] = []) {
        self.isActive = isActive
        self.viewerCount = viewerCount
        self.layers = layers
    }
}

/// What has changed since a page was told last, and nothing else. At the beginning everything has.
package struct WHIPEventFeed: Sendable {
    package enum Framing: Sendable {
        /// The text of an event stream (HTML §9.2, "server-sent events").
        case eventStream
        /// `{"event": …, "data": {…}}`, one in each message of the data channel `control`.
        case message
    }

    package static let contentType = "text/event-stream"
    /// A comment, so that what stands between us and the page does not take it for dead.
    package static let keepAlive = ":\n\n"

    private let framing: Framing
    private let wanted: Set<WHIPEvent>
    /// The m-line of the video, as `mediaId`.
    private let media: String
    private var told: WHIPFacts?

    package init(_ wanted: Set<WHIPEvent>, media: String, as framing: Framing) {
        self.wanted = wanted
        self.media = media
        self.framing = framing
    }

    package mutating func tell(_ facts: WHIPFacts) -> [[UInt8]] {
        var events: [[UInt8]] = []
        if told?.isActive != facts.isActive {
            write(facts.isActive ? .active : .inactive, into: &events) { _ in }
        }
        if told?.viewerCount != facts.viewerCount {
            write(.viewerCount, into: &events) { $0.field("viewercount", facts.viewerCount) }
        }
        if Self.shape(told?.layers ?? []) != Self.shape(facts.layers) {
            write(.layers, into: &events) { layers(facts.layers, into: &$0) }
        }
        told = facts
        return events
    }

    /// The gateway is about to go: the page should come back by itself.
    package func reconnect() -> [[UInt8]] {
        var events: [[UInt8]] = []
        write(.reconnect, into: &events) { _ in }
        return events
    }

    /// Rates change every second; only which layers there are is news.
    private static func shape(_ layers: [WHIPFacts.Layer]) -> [String] {
        layers.map { "\($0.rid) \($0.width) \($0.height)" }
    }

    /// Both names of a layer are in use, so both are said.
    private func layers(_ layers: [WHIPFacts.Layer], into json: inout JSONWriter) {
        json.array(media) { json in
            for layer in layers {
                json.object { json in
                    json.field("rid", LabelText(layer.rid))
                    json.field("encodingId", LabelText(layer.rid))
                    json.field("bitrate", layer.bitsPerSecond)
                    json.field("width", layer.width)
                    json.field("height", layer.height)
                }
            }
        }
    }

    private func write(
        _ event: WHIPEvent, into events: inout [[UInt8]], _ data: (inout JSONWriter) -> Void
    ) {
        guard wanted.contains(event) else { return }
        switch framing {
        case .message: events.append(WHIPCommand.message(event.rawValue, data))
        case .eventStream:
            var json = JSONWriter(
                appendingTo: Array("event: \(event.rawValue)\ndata: ".utf8))
            json.object { data(&$0) }
            events.append(json.bytes + [ASCII.lineFeed, ASCII.lineFeed])
        }
    }
}
