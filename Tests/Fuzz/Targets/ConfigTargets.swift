import Settings
import Wire

/// Not from the network today, but a part of it will be when settings can be changed by the API.
func fuzzYAMLConfig(_ bytes: RawSpan) {
    var sources = ConfigSources()
    sources.file = ("fuzz.yml", (0..<bytes.byteCount).map { bytes.byte(at: $0) })
    sources.environment = ["HOME": "here"]
    guard let loaded = try? sources.load() else { return }
    precondition(loaded.config.workers <= 256, "a limit was not checked")
}
