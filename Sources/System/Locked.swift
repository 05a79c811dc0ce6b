internal import CLinux
import Synchronization

/// A value that several threads may change, one at a time: for what is asked at joins and changes.
///
/// It is the `Mutex` of the standard library, which the thread sanitizer does not understand when
/// two threads meet: where one waits, in a library that is not instrumented, it sees no order
/// between them. It is told here, at no cost in any other build.
package final class Locked<Value: ~Copyable>: Sendable {
    private let mutex: Mutex<Value>

    package init(_ value: consuming sending Value) { mutex = Mutex(value) }

    package func withLock<Result: ~Copyable, Failure: Error>(
        _ body: (inout sending Value) throws(Failure) -> sending Result
    ) throws(Failure) -> sending Result {
        try mutex.withLock { (value) throws(Failure) -> sending Result in
            unsafe linux_lock_taken(token)
            defer { unsafe linux_lock_given(token) }
            return try body(&value)
        }
    }

    private var token: UnsafeMutableRawPointer {
        unsafe Unmanaged.passUnretained(self).toOpaque()
    }
}
