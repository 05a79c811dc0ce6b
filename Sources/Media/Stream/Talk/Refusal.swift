/// Why something was not done, said once for every protocol: each maps the code to its own status
/// and passes the sentence on, which names what would help.
package struct Refusal: Error, Equatable, Sendable, CustomStringConvertible {
    package enum Code: String, Sendable, CaseIterable {
        case badName
        /// No credential that we know; one is wanted.
        case unauthenticated
        /// A credential, but not for this.
        case forbidden
        case notFound
        /// Somebody else publishes there.
        case nameInUse
        /// No publisher came in time.
        case timeout
        /// The source could not be started.
        case sourceFailed
        case unsupportedCodec
        /// A bound of the table of limits.
        case tooMany
        /// The gateway as a whole has as much to do as it may.
        case overloaded
        case outOfMemory
        case shuttingDown
    }

    package var code: Code
    package var sentence: String

    package init(_ code: Code, _ sentence: String) {
        self.code = code
        self.sentence = sentence
    }

    package var description: String { "\(code.rawValue): \(sentence)" }
}

/// Why a publisher or a viewer was sent away.
package enum EndReason: String, Equatable, Sendable {
    /// The publisher left and did not come back within the grace time.
    case publisherGone
    /// The same principal publishes again: the newer one counts.
    case replaced
    case unwatched
    case silent
    case kicked
    /// Its permission ran out.
    case expired
    case tooSlow
    /// The next publisher sends a codec this viewer has not agreed to.
    case codecChanged
    case protocolError
    case shuttingDown
    /// It said goodbye.
    case done
}
