/// Bytes that never change again, shared by all who send them: a tag run, a segment, a playlist.
///
/// One reference count per connection that queues it, never per packet. The only memory that
/// workers share.
public final class Chunk: Sendable {
    public let bytes: [UInt8]

    public init(_ bytes: [UInt8]) { self.bytes = bytes }

    public convenience init(copying span: RawSpan) { self.init([UInt8](copying: span)) }

    public var count: Int { bytes.count }

    /// Where the bytes lie for as long as somebody holds the chunk: nobody can change the array, so
    /// nothing moves its storage.
    @unsafe var base: UnsafeRawPointer? {
        unsafe bytes.withUnsafeBytes { $0.baseAddress }
    }
}
