import Glibc
import Testing

@testable import System

struct KeepsakeTests {
    @Test func theLastTextIsFound() throws {
        let keepsake = try Keepsake("test")
        #expect(keepsake.read() == nil)
        keepsake.write(Array("a longer text".utf8))
        keepsake.write(Array("short".utf8))
        #expect(keepsake.read() == Array("short".utf8))
        keepsake.write([])
        #expect(keepsake.read() == [])
    }

    @Test func halfATextIsNone() throws {
        let keepsake = try Keepsake("test")
        keepsake.write(Array("one text".utf8))
        // Killed while it wrote the next one over it.
        _ = unsafe pwrite(keepsake.descriptor.number, "two", 3, 8)
        #expect(keepsake.read() == nil)
        ftruncate(keepsake.descriptor.number, 5)
        #expect(keepsake.read() == nil)
        let hostile: [UInt8] = [255, 255, 255, 255, 0, 0, 0, 0]
        _ = unsafe pwrite(keepsake.descriptor.number, hostile, 8, 0)
        #expect(keepsake.read() == nil)
    }
}
