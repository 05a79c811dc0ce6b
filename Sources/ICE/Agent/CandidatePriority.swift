/// Priorities of candidates (RFC 8445 §5.1.2, RFC 6544 §4.2).
package enum CandidatePriority {
    static let hostPreference: UInt32 = 126
    static let reflexivePreference: UInt32 = 110
    /// Below every kind of UDP: a browser that sees TCP above UDP sticks to TCP.
    static let tcpPreference: UInt32 = 90
    /// A passive candidate of component 1 (RFC 6544 §4.2: direction preference 4).
    private static let passiveDirection: UInt32 = 4

    /// - Parameter rank: 0 for the best address, 1 for the next …
    package static func udpHost(rank: Int) -> UInt32 {
        hostPreference << 24 | UInt32(65_535 - min(rank, 65_535)) << 8 | 255
    }

    package static func tcpHost(rank: Int) -> UInt32 {
        let local = passiveDirection << 13 | UInt32(8191 - min(rank, 8191))
        return tcpPreference << 24 | local << 8 | 255
    }

    /// What a candidate would have that the peer learns from our check (§7.1.1).
    static let check: UInt32 = reflexivePreference << 24 | 65_535 << 8 | 255
}
