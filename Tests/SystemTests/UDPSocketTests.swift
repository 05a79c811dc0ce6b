import CLinux
import Glibc
import Testing
import Wire

@testable import System

struct UDPSocketTests {
    @Test func aFailedBindNamesThePortAndTheFix() throws {
        let first = try UDPSocket(bind: loopback)
        let taken = first.localAddress
        let error = #expect(throws: SystemError.self) { _ = try UDPSocket(bind: taken) }
        let text = error?.description ?? ""
        #expect(text.contains("bind UDP \(taken): Address already in use"))
        #expect(text.contains("stop it or configure another one"))
        _ = consume first
    }

    @Test func severalSocketsShareAPort() throws {
        let first = try UDPSocket(bind: loopback, reusePort: true)
        let second = try UDPSocket(bind: first.localAddress, reusePort: true)
        let ports = (first.localAddress.port, second.localAddress.port)
        #expect(ports.0 == ports.1)
    }

    @Test func aDatagramTellsWhereItCameFromAndWhichAddressItHit() throws {
        let server = try UDPSocket(bind: .any(port: 0))
        let client = try UDPSocket(bind: loopback)
        let port = server.localAddress.port
        client.send([1, 2, 3].raw, to: Address(ipv4: 0x7f00_0002, port: port))
        var slab = ReceiveSlab()
        let datagrams = try collect(1, from: server, with: &slab)
        #expect(datagrams == [[1, 2, 3]])
        let (source, hit) = (slab.source, slab.destination)
        let clientAddress = client.localAddress
        #expect(source == clientAddress)
        #expect(hit.ip == "127.0.0.2")
    }

    /// A client behind a NAT only takes answers from the address that it wrote to.
    @Test func anAnswerComesFromTheAddressThatWasHit() throws {
        let server = try UDPSocket(bind: .any(port: 0))
        let client = try UDPSocket(bind: loopback)
        let port = server.localAddress.port
        client.send([1].raw, to: Address(ipv4: 0x7f00_0002, port: port))
        var slab = ReceiveSlab()
        _ = try collect(1, from: server, with: &slab)
        server.send([2].raw, to: slab.source, from: slab.destination)
        let answers = try collect(1, from: client, with: &slab)
        let source = slab.source
        #expect(answers == [[2]])
        #expect(source == Address(ipv4: 0x7f00_0002, port: port))
    }

    @Test func runsOfSeveralDatagramsArriveOneByOne() throws {
        let receiver = try UDPSocket(bind: loopback)
        let sender = try UDPSocket(bind: loopback)
        var batch = SendBatch()
        batch.begin(to: receiver.localAddress, from: .any(port: 0))
        let sent = (0..<40).map { [UInt8](repeating: UInt8($0), count: $0 == 39 ? 77 : 1200) }
        for datagram in sent { batch.append(datagram.raw) }
        var output = BatchSender()
        let outcome = output.send(batch, through: sender)
        let counts = output.counts
        #expect(outcome == .all)
        #expect(counts.messages == 1, "one run, one message")
        #expect(counts.datagrams == 40)
        var slab = ReceiveSlab()
        let received = try collect(40, from: receiver, with: &slab)
        #expect(received == sent)
    }

    @Test func nothingWaitingIsNotAnError() throws {
        let socket = try UDPSocket(bind: loopback)
        var slab = ReceiveSlab()
        let came = try socket.receive(into: &slab)
        let next = slab.next()
        #expect(!came)
        #expect(!next)
    }

    @Test func ipv6WorksBesideIPv4() throws {
        let server = try UDPSocket(bind: .any(port: 0))
        guard let here = Address(ip: "::1"), let client = try? UDPSocket(bind: here) else {
            return  // No IPv6 on this host.
        }
        let port = server.localAddress.port
        client.send([6].raw, to: here.with(port: port))
        var slab = ReceiveSlab()
        let datagrams = try collect(1, from: server, with: &slab)
        let (source, hit) = (slab.source, slab.destination)
        let clientAddress = client.localAddress
        #expect(datagrams == [[6]])
        #expect(source == clientAddress)
        #expect(hit.ip == "::1")
    }

    /// Kernels without IPv6 exist. The same addresses go in and come out.
    @Test func anIPv4SocketSpeaksTheSameAddresses() throws {
        let number = socket(AF_INET, CInt(SOCK_DGRAM.rawValue | SOCK_NONBLOCK.rawValue), 0)
        var any = Address.any(port: 0).kernel
        #expect(unsafe linux_bind(number, &any) == 0)
        let server = try UDPSocket(adopting: Descriptor(owning: number))
        let client = try UDPSocket(bind: loopback)
        let port = server.localAddress.port
        client.send([1].raw, to: Address(ipv4: 0x7f00_0003, port: port))
        var slab = ReceiveSlab()
        let questions = try collect(1, from: server, with: &slab)
        let (source, hit) = (slab.source, slab.destination)
        let (clientAddress, isIPv4) = (client.localAddress, server.isIPv4)
        #expect(isIPv4)
        #expect(questions == [[1]])
        #expect(source == clientAddress)
        #expect(hit.ip == "127.0.0.3")
        server.send([2].raw, to: source, from: hit)
        let answers = try collect(1, from: client, with: &slab)
        let answerer = slab.source
        #expect(answers == [[2]])
        #expect(answerer == Address(ipv4: 0x7f00_0003, port: port))
    }

    /// Its last 32 bits must not be taken for an IPv4 address.
    @Test func anIPv4SocketDoesNotSendToIPv6() throws {
        let number = socket(AF_INET, CInt(SOCK_DGRAM.rawValue | SOCK_NONBLOCK.rawValue), 0)
        let sender = try UDPSocket(adopting: Descriptor(owning: number))
        var batch = SendBatch()
        batch.begin(to: Address(high: 1 << 60, low: 0x7f00_0001, port: 9), from: .any(port: 0))
        batch.append([1].raw)
        var output = BatchSender()
        let outcome = output.send(batch, through: sender)
        let counts = output.counts
        #expect(outcome == .all)
        #expect(counts.refused == 1)
    }
}
