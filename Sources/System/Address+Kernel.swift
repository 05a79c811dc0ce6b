internal import CLinux
import Wire

/// `Address` as the C target has it. The struct there is flat: the conversion is a copy.
extension Address {
    init(_ address: linux_address) {
        self.init(
            high: address.high, low: address.low, port: address.port, scope: address.scope)
    }

    var kernel: linux_address {
        linux_address(high: high, low: low, scope: scope, port: port)
    }
}
