internal import CLinux
import Glibc

/// Signals as something to read, beside everything else that main waits for.
///
/// Make it before any thread starts: threads inherit that these signals are blocked, and the
/// kernel then has nobody to interrupt.
package struct Signals: ~Copyable {
    package let descriptor: Descriptor

    package init(
        _ signals: [CInt] = [SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2, SIGCHLD]
    )
        throws(SystemError)
    {
        let result = unsafe linux_signalfd(signals, CUnsignedInt(signals.count))
        descriptor = try Descriptor(result, "wait for signals")
    }

    /// The next signal that has come.
    package borrowing func next() -> CInt? {
        let signal = linux_take_signal(descriptor.number)
        return signal > 0 ? signal : nil
    }
}

/// Tells systemd how we are (sd_notify(3)): `READY=1`, `RELOADING=1`, `WATCHDOG=1`, `STATUS=…`.
package enum ServiceNotice {
    /// Does nothing if nobody listens.
    package static func send(_ text: String) throws(SystemError) {
        guard let socket = unsafe getenv("NOTIFY_SOCKET") else { return }
        try SystemError.check(unsafe linux_notify(socket, text), "notify the service manager")
    }
}
