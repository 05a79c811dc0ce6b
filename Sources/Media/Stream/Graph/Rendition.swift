package import Media
package import Wire

/// What viewers read: one slot in one codec and one form, given by the publisher or derived.
///
/// It outlives publishers: a reader keeps it while the next one fills it again, be it by another
/// protocol and in another way.
package final class Rendition {
    /// numbers.md: derived renditions are dropped 20 s after the last reader.
    static let linger = Interval.seconds(20)

    package let key: RenditionKey
    private var layers: [Encoding] = []
    private var readers = 0
    private var unreadSince: Instant?
    private var givenNow = false
    private var tally = ReaderFigures()
    private var captureFloor = Instant.start
    private var said: [UInt64: Demand] = [:]
    private var givenUp = false

    init(_ key: RenditionKey) { self.key = key }

    /// The encodings of the present epoch; those before are with the readers still in them.
    package var encodings: [Encoding] { layers }
    package var readerCount: Int { readers }
    package var isGiven: Bool { givenNow }
    /// What its former readers lost and why; the present ones know themselves.
    package var figures: ReaderFigures { tally }

    package func encoding(_ id: EncodingID) -> Encoding? { layers.first { $0.id == id } }

    /// The format viewers will get: of the highest layer.
    package func format(at now: Instant) -> Format? { best(at: now)?.format }

    /// The highest layer that is alive; if none is, the highest that has anything: a viewer of a
    /// silent stream can still be shown its last picture.
    package func best(at now: Instant) -> Encoding? {
        guard layers.count > 1 else { return layers.first }
        var best: Encoding?
        for layer in layers where !layer.history.isEmpty {
            guard let present = best else {
                best = layer
                continue
            }
            let wins =
                layer.isAlive(at: now) == present.isAlive(at: now)
                ? layer.isHigher(than: present) : layer.isAlive(at: now)
            if wins { best = layer }
        }
        return best ?? layers.first
    }

    /// A new epoch, or none yet: readers in the old encodings read them to their end.
    func replaceEncodings(_ encodings: [Encoding], isGiven: Bool) {
        for old in layers {
            old.end()
            captureFloor = max(captureFloor, old.nextCapture ?? .start)
        }
        for encoding in encodings { encoding.holdCapture(above: captureFloor) }
        if !encodings.isEmpty { givenUp = false }
        layers = encodings
        givenNow = isGiven
    }

    /// One more layer of the same epoch.
    func add(_ encoding: Encoding) {
        encoding.holdCapture(above: captureFloor)
        layers.append(encoding)
    }

    func endEncodings() { for layer in layers { layer.end() } }

    /// Nothing will come into it any more unless it is filled anew: relays of it are closed.
    func giveUp() {
        endEncodings()
        givenUp = true
    }

    package var isGivenUp: Bool { givenUp }

    /// What one reader can use; nil: it has gone, or takes what there is.
    func setDemand(_ demand: Demand?, by reader: UInt64) { said[reader] = demand }

    /// The most that its readers use.
    ///
    /// - Parameter others: Readers that are counted elsewhere: what is made of it.
    func demand(without others: Int) -> Demand {
        let most = said.values.reduce(Demand.nothing) { $0.union($1) }
        return readers - others > said.count ? .everything : most
    }

    func attachReader() {
        readers += 1
        unreadSince = nil
    }

    func detachReader(_ figures: ReaderFigures, at now: Instant) {
        precondition(readers > 0, "more readers left than came")
        tally.add(figures)
        readers -= 1
        if readers == 0 { unreadSince = now }
    }

    /// When a derived rendition that nobody reads is dropped.
    var dropAt: Instant? { unreadSince.map { $0 + Self.linger } }
}
