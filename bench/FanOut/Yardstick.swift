import CYardstick
import Crypto

/// The C program's side of a row: bare, or with numbers and records as a gateway needs them.
@safe final class Yardstick {
    private let srtp: OpaquePointer
    private let fan: OpaquePointer?
    private let payloads: [UInt8]
    private let load: Load

    /// - Returns: nil where libipsec-mb is not.
    init?(_ load: Load, keepsRecords: Bool, to outlet: Outlet? = nil) {
        let kind: CInt = load.profile.isGCM ? 2 : 3
        guard let srtp = unsafe yardstick_srtp_new(kind, UInt32(load.viewers), load.size) else {
            return nil
        }
        unsafe self.srtp = unsafe srtp
        self.load = load
        if keepsRecords { unsafe yardstick_srtp_keep_records(srtp) }
        payloads = [UInt8](repeating: 7, count: load.size * load.packets)
        unsafe fan = unsafe outlet.flatMap {
            unsafe yardstick_fanout_new(
                $0.number, 0, $0.ports, UInt32(load.viewers), UInt32(load.packets),
                load.size + 36)
        }
    }

    deinit {
        unsafe yardstick_srtp_free(srtp)
        if let fan = unsafe fan { unsafe yardstick_fanout_free(fan) }
    }

    func run() -> UInt64 {
        let start = yardstick_thread_time()
        for _ in 0..<load.frames {
            if let fan = unsafe fan {
                _ = unsafe yardstick_fanout_send_protected(fan, srtp, payloads, load.size)
            } else {
                unsafe yardstick_srtp_fan(srtp, payloads, load.size, UInt32(load.packets))
            }
        }
        return yardstick_thread_time() - start
    }

    /// What a round sends.
    var bytes: UInt64 { load.packetsPerRound * UInt64(load.size + 28) }
}
