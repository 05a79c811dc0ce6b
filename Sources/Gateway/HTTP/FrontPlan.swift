package import HLS
package import HTTP
package import WHIP

/// What the origin for people and players shows, as far as the configuration decides it. Never
/// changes: a reload makes a new one and hands it to the workers.
package struct FrontPlan: Sendable {
    package var site: StaticSite
    package var links: WHIPLinks
    /// Ports of the listeners that are on, by protocol: for the lines that people copy.
    package var ports: [(name: String, port: UInt16)] = []
    package var hls = HLSRules()
    /// The streams of `demo`.
    package var demo: [String] = []

    package init(site: StaticSite = StaticSite(), links: WHIPLinks = WHIPLinks()) {
        self.site = site
        self.links = links
    }
}
