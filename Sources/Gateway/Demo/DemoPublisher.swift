package import Demo
import Stream
import System
import Wire

/// A stream of the demo, as a worker is to publish it.
package struct DemoPlan: Sendable {
    package var name: String
    package var source: DemoSource

    package init(name: String, _ source: DemoSource) {
        self.name = name
        self.source = source
    }
}

/// Publishes a loop under a name as long as nobody else does.
final class DemoPublisher: Participant {
    /// Somebody publishes under the name of the demo: it stands back, and looks again.
    private static let patience = Interval.seconds(5)

    private let name: String
    private var source: DemoSource
    private var isPublishing = false
    private var askAt: Instant
    private var question: QuestionID = 0

    init(_ plan: DemoPlan, at now: Instant) {
        name = plan.name
        source = plan.source
        askAt = now
        super.init(service: "demo", peer: .any(port: 0))
    }

    var deadline: Instant { isPublishing ? source.deadline : askAt }

    func expire(at worker: Worker) {
        guard deadline <= worker.now else { return }
        if isPublishing {
            source.advance(to: worker.now, channel: 0, into: &worker.effects)
        } else {
            askAt = worker.now + Self.patience
            question &+= 1
            // The configuration wants it: no key is asked for.
            let publication = Publication(
                principal: .configured, protocolName: service, slots: source.slots)
            worker.publish(publication, as: name, 0, question, self)
        }
        worker.runEffects(of: self)
    }

    override func isHere(at worker: Worker) -> Bool { true }

    override func take(_ answer: Answer, to id: QuestionID, at worker: Worker) {
        guard case .published = answer, id == question else { return }
        isPublishing = true
        source.advance(to: worker.now, channel: 0, into: &worker.effects)
    }

    override func take(_ notice: Notice, at worker: Worker) {
        if case .ended = notice { rest(at: worker) }
    }

    override func end(at worker: Worker) { rest(at: worker) }

    private func rest(at worker: Worker) {
        isPublishing = false
        askAt = worker.now + Self.patience
    }
}

extension Worker {
    var nextDemo: Instant { demos.map(\.deadline).min() ?? .distantFuture }

    func serveDemos() {
        for demo in demos { demo.expire(at: self) }
    }
}
