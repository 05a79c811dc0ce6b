import Settings

/// Loads a configuration from texts; the helpers of the tests beside it.
enum ConfigTexts {
    static func load(
        _ file: String? = nil, environment: [String: String] = [:], options: [String] = [],
        files: [String: String] = [:]
    ) throws(ConfigErrors) -> LoadedConfig {
        var sources = ConfigSources()
        sources.file = file.map { ("gateway.yml", Array($0.utf8)) }
        sources.environment = environment
        sources.options = options
        sources.read = { path in
            files[path].map { .text(Array($0.utf8)) } ?? .failed("No such file or directory")
        }
        return try sources.load()
    }

    /// What the user is told, one line for each mistake; empty when all is well.
    static func mistakes(
        _ file: String? = nil, environment: [String: String] = [:], options: [String] = [],
        files: [String: String] = [:]
    ) -> String {
        do throws(ConfigErrors) {
            _ = try load(file, environment: environment, options: options, files: files)
            return ""
        } catch {
            return error.description
        }
    }
}
