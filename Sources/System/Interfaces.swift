internal import CLinux
package import Wire

/// The addresses of this machine.
package enum Interfaces {
    /// A host of many containers has hundreds; the first ones are its own.
    private static let maximum = 256

    /// Those of interfaces that are up, in the kernel's order.
    package static func list() throws(SystemError) -> [(name: String, address: Address)] {
        var entries = [linux_interface](repeating: linux_interface(), count: maximum)
        let result = unsafe linux_interfaces(&entries, CUnsignedInt(maximum))
        let count = try SystemError.check(Int(result), "list the network interfaces")
        return entries[..<count].map { (name($0), Address($0.address)) }
    }

    private static func name(_ entry: linux_interface) -> String {
        unsafe withUnsafeBytes(of: entry.name) { bytes in
            unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
    }
}
