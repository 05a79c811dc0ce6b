import CLinux
import Glibc
import Wire

@testable import System

/// Where tests bind: a port that the kernel chooses.
let loopback = Address(ipv4: 0x7f00_0001, port: 0)

/// Looks for datagrams until `count` have come or a second is over.
func collect(
    _ count: Int, from socket: borrowing UDPSocket, with slab: inout ReceiveSlab
) throws -> [[UInt8]] {
    var datagrams: [[UInt8]] = []
    let end = Clock.now + .seconds(1)
    while datagrams.count < count, Clock.now < end {
        guard try socket.receive(into: &slab) else { continue }
        while slab.next() {
            let window = slab.bytes
            datagrams.append([UInt8](copying: window.bytes))
        }
    }
    return datagrams
}

/// How many descriptors this process has open.
func openDescriptors() -> Int {
    (0..<1024).count { fcntl(CInt($0), F_GETFD) >= 0 }
}

extension Bell {
    /// How often it was rung since somebody last listened.
    func rings() -> Int { max(0, linux_take(descriptor.number)) }
}

/// Leaves this process without a single free descriptor.
func exhaustDescriptors() {
    var limit = rlimit(rlim_cur: 256, rlim_max: 256)
    unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    while unsafe open("/dev/null", O_RDONLY) >= 0 {}
}
