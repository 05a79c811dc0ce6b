import HTTP
package import Stream
package import Wire

/// What a link does, for the API and the metrics.
package struct LinkReport: Sendable {
    package enum State: String, CaseIterable, Sendable { case waiting, connecting, running }

    package var purpose: LinkPurpose
    package var stream: String
    /// Without what may be secret.
    package var url: String
    package var state: State
    /// In a row.
    package var failures: Int
    /// Of the last failure; empty: there was none.
    package var cause: String
    /// Until the next try, or since the connection stands.
    package var time = Interval.zero

    func write(into json: inout JSONWriter) {
        json.object { json in
            json.field("purpose", purpose.rawValue)
            json.field("stream", LabelText(stream))
            json.field("url", LabelText(url))
            json.field("state", state.rawValue)
            json.field("failures", failures)
            if !cause.isEmpty { json.field("cause", LabelText(cause)) }
            json.field(state == .waiting ? "retryIn" : "uptime", Overview.seconds(time))
        }
    }
}

extension Metrics {
    /// Streams that are fetched and brought.
    func writeLinks(_ text: inout MetricsText) {
        text.family("gateway_links", .gauge, "Streams that are fetched from and brought elsewhere.")
        for purpose in [LinkPurpose.pull, .push] {
            for state in LinkReport.State.allCases {
                let count = links.count { $0.purpose == purpose && $0.state == state }
                text.sample(count, ["purpose": purpose.rawValue, "state": state.rawValue])
            }
        }
    }
}
