import Wire

// The kinds of values that settings have. Each says in its name what would have been right.

extension Kind where Value == Bool {
    static var yesOrNo: Kind {
        Kind("'true' or 'false'") { text in
            switch text.lowercased() {
            case "true", "yes", "on": true
            case "false", "no", "off": false
            default: nil
            }
        } write: {
            $0 ? "true" : "false"
        }
    }
}

extension Kind where Value == Int {
    static func number(_ limits: ClosedRange<Int>) -> Kind {
        Kind("a number from \(limits.lowerBound) to \(limits.upperBound)") { text in
            Int(text).flatMap { limits.contains($0) ? $0 : nil }
        } write: {
            String($0)
        }
    }

    static func size(_ limits: ClosedRange<Int>) -> Kind {
        let from = Quantity.size(limits.lowerBound)
        return Kind("a size like 64MiB, from \(from) to \(Quantity.size(limits.upperBound))") {
            Quantity.bytes($0).flatMap { limits.contains($0) ? $0 : nil }
        } write: {
            Quantity.size($0)
        }
    }
}

extension Kind where Value == Interval {
    static func duration(_ limits: ClosedRange<Interval>) -> Kind {
        let from = Quantity.duration(limits.lowerBound)
        let to = Quantity.duration(limits.upperBound)
        return Kind("a duration like 500ms, 5s or 2m, from \(from) to \(to)") {
            Quantity.interval($0).flatMap { limits.contains($0) ? $0 : nil }
        } write: {
            Quantity.duration($0)
        }
    }
}

extension Kind where Value == String {
    static var path: Kind { Kind("a path", read: { $0 }, write: yaml) }

    static func digits(_ count: Int) -> Kind {
        Kind("\(count) digits") { text in
            text.utf8.count == count && text.utf8.allSatisfy(ASCII.isDigit) ? text : nil
        } write: {
            yaml($0)
        }
    }

    static var streamName: Kind {
        Kind("the name of a stream like live/cam1, or empty") { text in
            text.isEmpty ? text : (try? StreamName(text))?.description
        } write: {
            yaml($0)
        }
    }

    /// Where browsers find us: scheme and host, no path.
    static var origin: Kind {
        Kind("an origin like https://video.example.org (no path)") { text in
            if text.isEmpty { return text }
            let schemes = ["https://", "http://"].filter { text.hasPrefix($0) }
            guard let scheme = schemes.first else { return nil }
            let host = text.dropFirst(scheme.count)
            let allowed = host.allSatisfy {
                $0.isASCII && ($0.isLetter || $0.isNumber || ".-:[]".contains($0))
            }
            return host.isEmpty || !allowed ? nil : text
        } write: {
            yaml($0)
        }
    }
}

extension Kind where Value == PortRange? {
    static var ports: Kind {
        Kind("ports like 30500-31499, with a pair among them, or off") { text in
            if text == "off" { return .some(nil) }
            let ends = text.split(separator: "-", omittingEmptySubsequences: false)
            guard ends.count == 2, let first = UInt16(ends[0]), let last = UInt16(ends[1]),
                let range = PortRange(first, last), range.pairs > 0
            else { return nil }
            return .some(range)
        } write: {
            $0.map { "\($0.first)-\($0.last)" } ?? "off"
        }
    }
}

extension Kind where Value == Address? {
    static var listen: Kind {
        Kind("an address to listen on: :PORT, IP:PORT, or off") { text in
            if text.isEmpty || text == "off" { return .some(nil) }
            return Quantity.address(text, port: .required).map(Optional.some)
        } write: { address in
            guard let address else { return "off" }
            return yaml(address.high == 0 && address.low == 0 ? ":\(address.port)" : "\(address)")
        }
    }
}

extension Kind where Value == Address? {
    /// Port 0 means: the one we listen on.
    static var ownAddress: Kind {
        Kind("an IP address, with or without a port, or nothing") { text in
            if text.isEmpty { return .some(nil) }
            return Quantity.address(text, port: .optional).map(Optional.some)
        } write: { address in
            guard let address else { return yaml("") }
            return yaml(address.port == 0 ? address.ip : "\(address)")
        }
    }
}

extension Kind where Value == HostPort {
    /// Port 0 means: the one we listen on.
    static var advertised: Kind {
        Kind("an IP address or host name that viewers can reach, with or without a port") {
            HostPort($0)
        } write: {
            yaml("\($0)")
        }
    }

    static var stunServer: Kind {
        Kind("a STUN server as HOST or HOST:PORT") {
            HostPort($0)
        } write: {
            yaml("\($0)")
        }
    }
}

extension Kind where Value == AddressRange {
    static var range: Kind {
        Kind("an address or range like 10.0.0.0/8", read: { AddressRange($0) }) {
            yaml("\($0)")
        }
    }
}

extension Kind where Value == LinkURL? {
    /// The schemes that `Protocols.links` can fetch from.
    static var source: Kind {
        let schemes = ["rtsp", "rtsps", "rtmp", "rtmps", "srt", "http", "https"]
        return Kind(
            "a URL like rtsp://USER:PASSWORD@HOST/PATH or rtmp://HOST/APP/STREAM (or rtsps, "
                + "rtmps, srt, http, https with FLV)"
        ) { text in
            if text.isEmpty { return .some(nil) }
            guard let url = try? LinkURL(text), schemes.contains(url.scheme) else { return nil }
            return .some(url)
        } write: {
            yaml($0.map { "\($0)" } ?? "")
        }
    }
}

extension Kind where Value == LinkURL {
    /// The schemes that `Protocols.links` can bring streams to.
    static var destination: Kind {
        let schemes = ["rtmp", "rtmps", "rtsp", "rtsps", "srt"]
        return Kind(
            "a URL like rtmp://HOST/APP or rtmp://HOST/APP/STREAM (or rtmps, rtsp, rtsps), or "
                + "srt://HOST:PORT?streamid=ID"
        ) { text in
            guard let url = try? LinkURL(text), schemes.contains(url.scheme),
                !url.segments.isEmpty || url.scheme == "srt" && !url.path.isEmpty
            else { return nil }
            return url
        } write: {
            yaml("\($0)")
        }
    }
}

extension Kind where Value == ICEServerURL {
    static var iceServer: Kind {
        Kind("a server like stun:HOST:PORT or turn:USER:PASSWORD@HOST:PORT") {
            ICEServerURL($0)
        } write: {
            yaml($0.url)
        }
    }
}

extension Kind where Value == Key {
    static var key: Kind {
        Kind("a key of 8 to 256 visible characters, or 'generated'") { (node) throws(Refusal) in
            // The text itself must not appear in the message.
            guard let text = node.text else { throw Refusal("expected a key, not \(node.shape)") }
            if text == "generated" { return .generated }
            let isVisible = text.utf8.allSatisfy { (0x21...0x7e).contains($0) }
            guard isVisible, (8...256).contains(text.utf8.count) else {
                throw Refusal("a key needs 8 to 256 visible ASCII characters, or 'generated'")
            }
            return .chosen(Secret(text))
        } write: { key in
            switch key {
            case .generated: "generated"
            case .chosen: yaml("(secret)")
            }
        }
    }
}

extension Kind where Value == Secret {
    /// As SRT has it.
    static var passphrase: Kind {
        Kind("a passphrase of 10 to 79 visible characters, or empty") { (node) throws(Refusal) in
            // The text itself must not appear in the message.
            guard let text = node.text else {
                throw Refusal("expected a passphrase, not \(node.shape)")
            }
            let isVisible = text.utf8.allSatisfy { (0x21...0x7e).contains($0) }
            guard text.isEmpty || isVisible && (10...79).contains(text.utf8.count) else {
                throw Refusal("a passphrase needs 10 to 79 visible ASCII characters")
            }
            return Secret(text)
        } write: {
            yaml($0.isEmpty ? "" : "(secret)")
        }
    }
}

extension Kind where Value == CertificateSource {
    static var certificate: Kind {
        let paths = Kind<[String]>.list(of: .path)
        return Kind("a PEM file or a list of them, 'auto' or empty") { (node) throws(Refusal) in
            let names = try paths.read(node)
            switch names {
            case [], [""], ["off"]: return .off
            case ["auto"]: return .automatic
            default: break
            }
            guard names.allSatisfy({ !["", "off", "auto"].contains($0) }) else {
                throw Refusal("a list holds PEM files only: 'auto' and 'off' stand alone")
            }
            return .files(names)
        } write: { source in
            switch source {
            case .off: yaml("")
            case .automatic: "auto"
            case .files(let names): names.count == 1 ? yaml(names[0]) : paths.write(names)
            }
        }
    }
}

extension Kind where Value == PlayoutDelay {
    static var playoutDelay: Kind {
        let limits = Interval.zero...Interval.seconds(10)
        return Kind("'auto', 'off' or a duration from 0ms to 10s") { text in
            if text == "auto" { return .auto }
            if text == "off" { return .off }
            return Quantity.interval(text).flatMap { limits.contains($0) ? .upTo($0) : nil }
        } write: { delay in
            switch delay {
            case .auto: "auto"
            case .off: "off"
            case .upTo(let interval): Quantity.duration(interval)
            }
        }
    }
}

extension Kind where Value == MemoryBound {
    static var memory: Kind {
        Kind("a share like 25% (1 to 90) or a size like 512MiB (from 16MiB)") { text in
            if text.hasSuffix("%") {
                return Int(text.dropLast()).flatMap { (1...90).contains($0) ? .percent($0) : nil }
            }
            return Quantity.bytes(text).flatMap { $0 >= 16 << 20 ? .bytes($0) : nil }
        } write: { bound in
            switch bound {
            case .percent(let share): "\(share)%"
            case .bytes(let count): Quantity.size(count)
            }
        }
    }
}

extension Kind where Value == LogDestination {
    static var logOutput: Kind {
        Kind("'stdout', 'stderr' or a file with a directory, like /var/log/gateway.log") { text in
            switch text {
            case "stdout": .stdout
            case "stderr": .stderr
            // A bare word is more often a misspelt stream than a file's name.
            default: text.contains("/") ? .file(text) : nil
            }
        } write: { output in
            switch output {
            case .stdout: "stdout"
            case .stderr: "stderr"
            case .file(let path): yaml(path)
            }
        }
    }
}
