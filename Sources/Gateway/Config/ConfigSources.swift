/// What a configuration is made of, in the order of precedence: each overrules the ones before.
///
/// Defaults, then the file, then the environment, then `--set`. Nothing here reads a file or the
/// environment by itself: who calls hands both in.
package struct ConfigSources {
    package enum FileText: Sendable {
        case text([UInt8])
        case failed(String)
    }

    package var file: (name: String, text: [UInt8])?
    package var environment: [String: String] = [:]
    /// `name=value`
    package var options: [String] = []
    /// Reads what a variable that ends in `_FILE` names.
    package var read: (String) -> FileText = { _ in .failed("no files here") }

    package init() {}
}

package struct LoadedConfig: Sendable {
    package var config: Config
    /// What the user should know, once: shortcuts that were taken.
    package var notes: [String]
    /// The file it was made of, as it was; empty when there is none, which means the same.
    package var text: [UInt8]
}

extension ConfigSources {
    /// Variables that begin like ours but are not settings.
    private static let foreign: Set<String> = [
        "GATEWAY_CONFIG",  // The path of the file.
        "GATEWAY_NO_IPSEC_MB", "GATEWAY_TESTS",  // Read by Package.swift.
        "GATEWAY_RESTARTS",  // From the supervisor to its child.
        "GATEWAY_BEAT_MS",  // The same.
        "GATEWAY_SUCCESSION",  // From a supervisor to the one that takes its place.
    ]

    /// Names of other programs for what is `webrtc.advertise` here.
    package static let shortcuts = [
        "CANDIDATE", "MTX_WEBRTCADDITIONALHOSTS", "EXTERN_IP", "NAT_1_TO_1_IP",
    ]

    package func load() throws(ConfigErrors) -> LoadedConfig {
        var decoder = ConfigDecoder()
        var notes: [String] = []
        if let file { read(file.name, file.text, into: &decoder) }
        readEnvironment(into: &decoder)
        for option in options { read(option: option, into: &decoder) }
        readShortcuts(into: &decoder, &notes)
        if decoder.problems.isEmpty {
            for problem in decoder.config.contradictions(at: Place(file?.name ?? "configuration")) {
                decoder.report(problem)
            }
        }
        guard decoder.problems.isEmpty else { throw ConfigErrors(decoder.problems) }
        return LoadedConfig(config: decoder.config, notes: notes, text: file?.text ?? [])
    }

    private func read(_ name: String, _ text: [UInt8], into decoder: inout ConfigDecoder) {
        do throws(ConfigError) {
            var interpolation = Interpolation(environment: environment)
            let root = interpolation.replace(try YAMLFile.parse(text, file: name))
            for problem in interpolation.problems { decoder.report(problem) }
            if interpolation.problems.isEmpty { decoder.read(file: root) }
        } catch {
            decoder.report(error)
        }
    }

    private func read(option: String, into decoder: inout ConfigDecoder) {
        guard let equals = option.firstIndex(of: "=") else {
            let place = Place("--set \(quoted(option))")
            return decoder.report(ConfigError(place, "write --set NAME=VALUE"))
        }
        let name = String(option[..<equals])
        // The value may be a key: it has no place in a message.
        decoder.set(
            name, text: String(option[option.index(after: equals)...]), at: Place("--set"))
    }

    private func readEnvironment(into decoder: inout ConfigDecoder) {
        let known = Dictionary(uniqueKeysWithValues: Config.settings.map { ($0.variable, $0) })
        for (variable, value) in environment.sorted(by: { $0.key < $1.key }) {
            guard variable.hasPrefix("GATEWAY_"), !Self.isForeign(variable) else { continue }
            let place = Place(variable)
            if let setting = known[variable] {
                decoder.set(setting.name, text: value, at: place)
            } else if variable.hasSuffix("_FILE"), let setting = known[String(variable.dropLast(5))]
            {
                readFile(value, of: setting, at: place, into: &decoder)
            } else {
                let near = NearestName.find(variable, in: Array(known.keys).sorted())
                let hint = near.map { ": did you mean \($0)?" } ?? ""
                decoder.report(ConfigError(place, "no setting has this variable\(hint)"))
            }
        }
    }

    private func readFile(
        _ path: String, of setting: Setting<Config>, at place: Place,
        into decoder: inout ConfigDecoder
    ) {
        guard setting.isSecret else {
            let fix = "only keys and tokens come from files: use \(setting.variable)"
            return decoder.report(ConfigError(place, fix))
        }
        switch read(path) {
        case .text(let bytes):
            let text = trimmed(String(decoding: bytes, as: UTF8.self))
            decoder.set(setting.name, text: text, at: place)
        case .failed(let cause):
            decoder.report(ConfigError(place, "cannot read \(quoted(path)): \(cause)"))
        }
    }

    /// Kubernetes gives every container variables for each service of its name space, and a service
    /// in front of us is likely to be called "gateway".
    private static func isForeign(_ variable: String) -> Bool {
        foreign.contains(variable) || variable == "GATEWAY_PORT"
            || variable.hasPrefix("GATEWAY_PORT_") || variable.hasPrefix("GATEWAY_SERVICE_")
    }

    private func readShortcuts(into decoder: inout ConfigDecoder, _ notes: inout [String]) {
        guard !decoder.given.contains("webrtc.advertise") else { return }
        for name in Self.shortcuts {
            // SRS users write CANDIDATE="*" for "find out yourself", which is what we do anyway.
            guard let value = environment[name], !value.isEmpty, value != "*" else { continue }
            decoder.set("webrtc.advertise", text: value, at: Place(name))
            notes.append("\(name)=\(quoted(value)) is taken as webrtc.advertise")
            return
        }
    }
}
