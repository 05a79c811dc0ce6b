package import Stream

/// How a protocol makes connections of our own.
///
/// A protocol plugs in with one line in `Protocols.links`: its schemes, and how its session is made
/// (`LinkSession`). Everything else is here, the same for all: names are looked up and addresses
/// judged (`System.Connector`), TLS is spoken where the scheme says so, failures are tried again by
/// `RetrySchedule`, states are told in the API and counted in the metrics, on-demand sources start
/// with the first viewer and stop after the last. The scheme must also be among those that the
/// configuration takes (`Kind.link`).
package struct LinkProtocol: Sendable {
    package struct Scheme: Sendable {
        var port: UInt16
        var isEncrypted = false
        /// Not by TCP: the thread of libsrt calls the address.
        var isSRT = false
    }

    /// For logs and figures: `rtmp` becomes `rtmp-pull`.
    let name: String
    let schemes: [String: Scheme]
    let canPush: Bool
    let make: @Sendable (LinkSeed) -> any LinkSession

    package init(
        _ name: String, _ schemes: [String: Scheme], canPush: Bool = false,
        _ make: @escaping @Sendable (LinkSeed) -> any LinkSession
    ) {
        self.name = name
        self.schemes = schemes
        self.canPush = canPush
        self.make = make
    }
}
