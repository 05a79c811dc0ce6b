import Glibc
package import System
package import Wire

/// The sockets that the program listens on, opened before anything serves: by us, by systemd or by
/// the parent. Workers take theirs by name.
package final class ListeningSockets: Sendable {
    private let tcp: [String: [Parcel<TCPListener>]]
    private let udp: [String: [Parcel<UDPSocket>]]

    private init(tcp: [String: [Parcel<TCPListener>]], udp: [String: [Parcel<UDPSocket>]]) {
        self.tcp = tcp
        self.udp = udp
    }

    /// Opens what was not given to us.
    package static func open(
        _ specs: [ListenerSpec], adopting given: inout Inherit
    ) throws(StartError) -> ListeningSockets {
        var tcp: [String: [Parcel<TCPListener>]] = [:]
        var udp: [String: [Parcel<UDPSocket>]] = [:]
        for spec in specs {
            do throws(SystemError) {
                switch spec.transport {
                case .tcp: tcp[spec.name] = try openTCP(spec, &given)
                case .udp: udp[spec.name] = try openUDP(spec, &given)
                }
            } catch {
                throw .system(spec.setting, error, code: "cannot-listen")
            }
        }
        return ListeningSockets(tcp: tcp, udp: udp)
    }

    /// Several sockets may share a port only if all of them say so, and a second gateway would say
    /// so, too: the first socket is opened alone, to see that the port is free.
    private static func openTCP(
        _ spec: ListenerSpec, _ given: inout Inherit
    ) throws(SystemError) -> [Parcel<TCPListener>] {
        var all: [Parcel<TCPListener>] = []
        while let descriptor = given.take(spec.name) {
            all.append(Parcel(try TCPListener(adopting: descriptor)))
        }
        if !all.isEmpty { return all }
        return try retrying(spec) { () throws(SystemError) in
            let address = try TCPListener(bind: spec.address).localAddress
            var all: [Parcel<TCPListener>] = []
            for _ in 0..<spec.count {
                all.append(Parcel(try TCPListener(bind: address, reusePort: true)))
            }
            return all
        }
    }

    /// A port of the kernel's choice may be somebody else's between the first look and the second.
    private static func retrying<Result>(
        _ spec: ListenerSpec, _ open: () throws(SystemError) -> Result
    ) throws(SystemError) -> Result {
        for _ in 0..<8 where spec.address.port == 0 {
            do throws(SystemError) { return try open() } catch {
                guard error.code == EADDRINUSE else { throw error }
            }
        }
        return try open()
    }

    private static func openUDP(
        _ spec: ListenerSpec, _ given: inout Inherit
    ) throws(SystemError) -> [Parcel<UDPSocket>] {
        var all: [Parcel<UDPSocket>] = []
        while let descriptor = given.take(spec.name) {
            all.append(Parcel(try UDPSocket(adopting: descriptor)))
        }
        if !all.isEmpty { return all }
        return try retrying(spec) { () throws(SystemError) in
            let address = try UDPSocket(bind: spec.address).localAddress
            var all: [Parcel<UDPSocket>] = []
            for _ in 0..<spec.count {
                all.append(Parcel(try UDPSocket(bind: address, reusePort: true)))
            }
            return all
        }
    }

    /// The listener of one worker; each can be taken once.
    package func takeTCP(_ name: String, worker: Int) -> TCPListener? {
        guard let all = tcp[name], all.indices.contains(worker) else { return nil }
        return all[worker].take()
    }

    package func takeUDP(_ name: String, worker: Int) -> UDPSocket? {
        guard let all = udp[name], all.indices.contains(worker) else { return nil }
        return all[worker].take()
    }

    /// How many workers can have one of their own.
    package func count(_ name: String) -> Int { tcp[name]?.count ?? udp[name]?.count ?? 0 }

    /// `http 127.0.0.1:8080`, for the log: what was really opened.
    package var addresses: [(name: String, address: Address)] {
        let listeners = tcp.compactMap { name, all in
            all.first?.peek { $0.localAddress }.map { (name: name, address: $0) }
        }
        let sockets = udp.compactMap { name, all in
            all.first?.peek { $0.localAddress }.map { (name: name, address: $0) }
        }
        return (listeners + sockets).sorted { $0.name < $1.name }
    }

    /// All of them for a child. They stay ours, so that the next child gets the same.
    func bequest() -> ChildProcess.Bequest {
        var bequest = ChildProcess.Bequest()
        for (name, all) in tcp {
            for parcel in all { _ = parcel.peek { bequest.add(name, $0) } }
        }
        for (name, all) in udp {
            for parcel in all { _ = parcel.peek { bequest.add(name, $0) } }
        }
        return bequest
    }
}
