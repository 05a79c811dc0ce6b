import SRT
import Settings
import Stream
import Synchronization
import System
import Wire

extension Workers {
    /// Callers go to the worker at which their stream is at home; who comes first, to the next one.
    static func openSRT(
        _ surroundings: Surroundings, _ neighbours: Neighbours, _ hub: Hub
    ) throws(SystemError) -> SRTOffice {
        let next = NextWorker(neighbours.count)
        let descriptor = surroundings.sockets.takeUDP(ListenerSpec.srt, worker: 0)?
            .takeDescriptor()
        return try SRTOffice(descriptor, SRTSettings(surroundings.settings), surroundings.log) {
            let home = hub.entry($0.request.name)?.home
            neighbours.post(.srt($0), to: home ?? next.take())
        }
    }
}

private final class NextWorker: Sendable {
    private let count: Int
    private let number = Atomic<Int>(0)

    init(_ count: Int) { self.count = count }

    func take() -> Int { number.wrappingAdd(1, ordering: .relaxed).oldValue % count }
}

extension SRTSettings {
    init(_ settings: LiveSettings) {
        let config = settings.config
        self.init(gate: Gate(settings)) { name in
            let own = config.path(name).srtPassphrase
            return own.isEmpty ? config.srt.passphrase : own
        }
        defaults.mode = config.srt.mode == .publish ? .publish : .read
        defaults.stream = config.srt.stream
        latency = config.srt.latency
    }
}
