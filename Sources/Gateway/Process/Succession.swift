import Glibc
import System

/// What a supervisor that puts a new version in its own place tells it, beside the sockets: the
/// processes that serve are children of both.
struct Succession: Equatable {
    private static let variable = "GATEWAY_SUCCESSION"

    var serving: CInt
    /// The one that was told to end; 0 when it has.
    var leaving: CInt
    var restarts: Int

    init(serving: CInt, leaving: CInt, restarts: Int) {
        self.serving = serving
        self.leaving = leaving
        self.restarts = restarts
    }

    /// Takes it out of the environment: our children shall not believe it was meant for them.
    static func fromEnvironment() -> Succession? {
        guard let text = ProcessEnvironment.all[variable] else { return nil }
        unsafe unsetenv(variable)
        let numbers = text.split(separator: ",").map { CInt($0) ?? -1 }
        guard numbers.count == 3, numbers[0] > 0, numbers.allSatisfy({ $0 >= 0 }) else {
            return nil
        }
        return Succession(
            serving: numbers[0], leaving: numbers[1], restarts: Int(numbers[2]))
    }

    var environment: [String: String] {
        [Self.variable: "\(serving),\(leaving),\(restarts)"]
    }
}
