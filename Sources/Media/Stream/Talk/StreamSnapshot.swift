package import Media

/// What a stream consists of at one moment, as values: for answers, the Hub, the API.
package struct StreamSnapshot: Equatable, Sendable {
    package struct SlotState: Equatable, Sendable {
        package var slot: SlotName
        /// As the publisher gives it; nil: the slot is empty now.
        package var format: Format?
        package var form: Form
        package var rids: [String]
        /// What the publisher should set otherwise, for viewers that get nothing now.
        package var advice: String?

        package init(slot: SlotName, format: Format?, form: Form, rids: [String]) {
            self.slot = slot
            self.format = format
            self.form = form
            self.rids = rids
        }
    }

    package var name: String
    /// The publisher's incarnation; 0: there has been none.
    package var epoch: Epoch
    package var isLive: Bool
    package var isReady: Bool
    /// No other slots will come from this publisher.
    package var tracksComplete: Bool
    package var answersPLI: Bool
    package var protocolName: String
    /// Who publishes it now.
    package var principal: Principal?
    package var slots: [SlotState]

    package init(name: String) {
        self.name = name
        epoch = 0
        isLive = false
        isReady = false
        tracksComplete = false
        answersPLI = false
        protocolName = ""
        slots = []
    }

    package subscript(slot: SlotName) -> SlotState? { slots.first { $0.slot == slot } }
}
