package import Media

/// Whether a packet by its own word belongs to a key frame: what ends a request for one. It waits
/// for nothing and remembers nothing; audio always begins anew.
package enum KeyPacket {
    package static func isKey(_ payload: RawSpan, _ codec: Codec) -> Bool {
        PacketClassifier.showsKey(payload, codec)
    }
}
