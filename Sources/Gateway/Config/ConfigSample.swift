/// The commented file with every default, and the table of the documentation: both are written
/// from the table of settings, so they cannot tell another story than the program.
package enum ConfigSample {
    package static var file: String {
        var out = """
            # Every setting with its default. All of them are optional: delete what you do not need.
            # docs/config.md says what each may hold; `gateway check-config FILE` checks a file.

            """
        var section: [Substring] = []
        let config = Config()
        for setting in Config.settings {
            let parts = setting.name.split(separator: ".")
            open(Array(parts.dropLast()), from: &section, into: &out)
            let indent = String(repeating: "  ", count: section.count)
            line(setting, in: config, name: parts[parts.count - 1], indent, into: &out)
        }
        out += "\n# For streams whose names fit a pattern; the first that fits holds.\npaths:\n"
        out += "  \"live/*\":\n"
        for setting in PathConfig.settings {
            line(setting, in: PathConfig(), name: setting.name[...], "    ", into: &out)
        }
        return out
    }

    /// Opens the sections down to `wanted`; siblings are written next to each other in the table.
    private static func open(
        _ wanted: [Substring], from section: inout [Substring], into out: inout String
    ) {
        var common = 0
        while common < min(section.count, wanted.count), section[common] == wanted[common] {
            common += 1
        }
        for (depth, name) in wanted.enumerated().dropFirst(common) {
            if depth == 0 { out += "\n" }
            out += String(repeating: "  ", count: depth) + "\(name):\n"
        }
        if wanted.isEmpty && !section.isEmpty { out += "\n" }
        section = wanted
    }

    private static func line<Root>(
        _ setting: Setting<Root>, in root: Root, name: Substring, _ indent: String,
        into out: inout String
    ) {
        let later = setting.awaits == nil ? "" : " (Not built into this version yet.)"
        out += "\(indent)# \(setting.summary)\(later)\n"
        out += "\(indent)\(name): \(setting.write(root))\n"
    }

    /// The part of docs/config.md between its two marks.
    package static var table: String {
        var out = rows(Config.settings, in: Config())
        out += "\nThose of a path:\n\n"
        out += rows(PathConfig.settings, in: PathConfig())
        return out
    }

    private static func rows<Root>(_ settings: [Setting<Root>], in root: Root) -> String {
        var out = "| Setting | Default | May be | Reload | What it does |\n|---|---|---|---|---|\n"
        for setting in settings {
            let change = setting.change == .reload ? "yes" : "restart"
            let cells = [
                "`\(setting.name)`", "`\(setting.write(root))`",
                setting.kind, setting.awaits == nil ? change : "", setting.summary,
            ]
            out += "| \(cells.joined(separator: " | ")) |\n"
        }
        return out
    }
}
