import Wire

// What no single setting can know: whether they go together.
extension Config {
    func contradictions(at place: Place) -> [ConfigError] {
        var problems: [ConfigError] = []
        if case .files(let chains) = http.tls.certificate, http.tls.keys.count != chains.count {
            let fix =
                chains.count == 1
                ? "http.tls.cert needs it: name the PEM file with the private key"
                : "\(chains.count) certificates need \(chains.count) keys: name the PEM files in "
                    + "the same order"
            problems.append(ConfigError(place, "http.tls.key", fix))
        }
        if http.tls.certificate == .off, !http.tls.keys.isEmpty {
            let fix = "there is a key but no certificate: name the PEM file with the chain"
            problems.append(ConfigError(place, "http.tls.cert", fix))
        }
        if !rtsp.transports.contains(.tcp) {
            let fix = "TCP is always served: write [tcp], or [tcp, udp]"
            problems.append(ConfigError(place, "rtsp.transports", fix))
        }
        for rule in paths where rule.pattern.text.contains("*") {
            let name = "paths.\(rule.pattern.text)"
            if rule.settings.source != nil {
                let fix = "one source cannot be many streams: name the stream instead of a pattern"
                problems.append(ConfigError(place, "\(name).source", fix))
            }
            if let url = rule.settings.forward.first(where: { $0.segments.count > 1 }) {
                let fix = "many streams cannot be one there: leave the stream out of \(url)"
                problems.append(ConfigError(place, "\(name).forward", fix))
            }
        }
        var seen: [(setting: String, address: Address)] = []
        for (setting, address) in tcpListeners where address.port != 0 {
            if let other = seen.first(where: { $0.address.overlaps(address) }) {
                let problem = "port \(address.port) is taken by \(other.setting): choose another"
                problems.append(ConfigError(place, setting, problem))
            }
            seen.append((setting, address))
        }
        return problems
    }

    /// The settings whose addresses must differ.
    private var tcpListeners: [(setting: String, address: Address)] {
        var all: [(String, Address?)] = [
            ("http.listen", http.listen), ("admin.listen", admin.listen),
            ("rtmp.listen", rtmp.listen), ("rtsp.listen", rtsp.listen),
        ]
        if http.tls.certificate != .off {
            all.append(("http.tls.listen", http.tls.listen))
            all.append(("rtmp.tls.listen", rtmp.tlsListen))
            all.append(("rtsp.tls.listen", rtsp.tlsListen))
        }
        if gb28181.enabled {
            all.append(("gb28181.listen", gb28181.listen))
            all.append(("gb28181.media.listen", gb28181.mediaListen))
        }
        return all.compactMap { setting, address in address.map { (setting, $0) } }
    }
}

extension Address {
    /// Whether two listeners would meet: the same port, and an address in common.
    fileprivate func overlaps(_ other: Address) -> Bool {
        port == other.port && (isUnspecified || other.isUnspecified || self == other)
    }
}
