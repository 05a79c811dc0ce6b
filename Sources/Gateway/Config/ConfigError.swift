/// Where a value was written: a line of a file, an environment variable, an option.
package struct Place: Equatable, Sendable, CustomStringConvertible {
    package var name: String
    /// From 1; zero for a place that has no lines.
    package var line = 0
    package var column = 0

    package init(_ name: String, line: Int = 0, column: Int = 0) {
        self.name = name
        self.line = line
        self.column = column
    }

    package var description: String { line == 0 ? name : "\(name):\(line):\(column)" }
}

/// One thing that is wrong in the configuration: where, which setting, and what would be right.
///
/// `gateway.yml:3:5: http.listen: "99999" is not an address: write HOST:PORT, :PORT or off`
package struct ConfigError: Error, Equatable, Sendable, CustomStringConvertible {
    package var place: Place
    /// The setting; empty when the file as a whole is wrong.
    package var setting: String
    package var problem: String

    package init(_ place: Place, _ setting: String, _ problem: String) {
        self.place = place
        self.setting = setting
        self.problem = problem
    }

    package init(_ place: Place, _ problem: String) { self.init(place, "", problem) }

    package var description: String {
        setting.isEmpty ? "\(place): \(problem)" : "\(place): \(setting): \(problem)"
    }
}

/// Everything that is wrong in the configuration, so that it can be corrected in one go.
package struct ConfigErrors: Error, Equatable, Sendable, CustomStringConvertible {
    package var all: [ConfigError]

    package init(_ all: [ConfigError]) { self.all = all }

    package var description: String { all.map(\.description).joined(separator: "\n") }
}
