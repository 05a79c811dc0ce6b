import ICE
import Wire

/// A datagram on its way through the ring to the worker that has its session: the route it came on,
/// then its bytes.
enum ForwardedPacket {
    static let headSize = 44

    static func writeHead(_ route: Route, into head: inout [UInt8]) {
        head.removeAll(keepingCapacity: true)
        for address in [route.remote, route.local] {
            put(address.high, &head)
            put(address.low, &head)
            put(address.port, &head)
            put(address.scope, &head)
        }
    }

    /// The bytes of the datagram come behind `headSize`.
    static func read(_ record: RawSpan) throws(ParseError) -> Route {
        var reader = ByteReader(record)
        let remote = try address(&reader)
        let local = try address(&reader)
        return Route(remote: remote, local: local)
    }

    private static func address(_ reader: inout ByteReader) throws(ParseError) -> Address {
        let high = try reader.read(UInt64.self)
        let low = try reader.read(UInt64.self)
        let port = try reader.read(UInt16.self)
        return Address(high: high, low: low, port: port, scope: try reader.read(UInt32.self))
    }

    private static func put<T: FixedWidthInteger>(_ value: T, _ out: inout [UInt8]) {
        for shift in stride(from: T.bitWidth - 8, through: 0, by: -8) {
            out.append(UInt8(truncatingIfNeeded: value >> T(shift)))
        }
    }
}
