internal import CLinux

/// A file descriptor with one owner: closed exactly once, by whoever holds it last.
///
/// Not copyable, so it cannot be closed twice, nor used after the kernel has given its number to
/// another connection.
package struct Descriptor: ~Copyable, Sendable {
    let number: CInt

    /// Takes over a number that nobody else will close.
    package init(owning number: CInt) { self.number = number }

    /// Owns the result of a call, or throws what went wrong.
    init(_ result: CInt, _ doing: @autoclosure () -> String) throws(SystemError) {
        number = CInt(try SystemError.check(Int(result), doing()))
    }

    deinit { _ = linux_close(number) }
}
