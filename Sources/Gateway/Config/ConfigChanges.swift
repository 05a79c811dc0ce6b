/// What a reload does: the settings that hold from now on, and those that wait for a restart.
package struct ConfigChanges: Equatable, Sendable {
    package var reloaded: [String] = []
    package var needRestart: [String] = []

    package var isEmpty: Bool { reloaded.isEmpty && needRestart.isEmpty }
}

extension Config {
    /// The configuration after a reload to `wanted`: what needs a restart stays as it is.
    package func reloaded(to wanted: Config) -> (config: Config, changes: ConfigChanges) {
        var next = wanted
        var changes = ConfigChanges()
        for setting in Config.settings where !setting.isSame(self, wanted) {
            switch setting.change {
            case .reload: changes.reloaded.append(setting.name)
            case .restart:
                setting.copy(self, &next)
                changes.needRestart.append(setting.name)
            }
        }
        if paths != wanted.paths { changes.reloaded.append("paths") }
        return (next, changes)
    }
}
