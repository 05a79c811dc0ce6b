import RTP
import Testing
import Wire

struct RTPExtensionsTests {
    static let map = {
        var map = ExtensionMap()
        for (index, kind) in RTPExtension.allCases.enumerated() { map[kind] = UInt8(index + 1) }
        return map
    }()

    func packet(twoByte: Bool) throws -> [UInt8] {
        let mid = try #require(RTPLabel("0"))
        let rid = try #require(RTPLabel("hi"))
        let map = Self.map
        return written { out in
            var header = RTPHeaderWriter(
                payloadType: 111, marker: true, sequence: 7, timestamp: 8, ssrc: 9,
                twoByte: twoByte, into: &out)
            header.write(id: map[.mid], mid, into: &out)
            header.write(id: map[.rid], rid, into: &out)
            header.write(id: map[.transportSequence], uint16: 0xabcd, into: &out)
            header.write(id: map[.absoluteSendTime], uint24: 0x12_3456, into: &out)
            header.write(id: map[.absoluteCaptureTime], uint64: 0x0102_0304_0506_0708, into: &out)
            header.write(id: map[.videoOrientation], uint8: 3, into: &out)
            header.write(id: map[.dependencyDescriptor], [1, 2, 3, 4, 5].raw, into: &out)
            let count = header.finish(into: &out)
            #expect(count % 4 == 0)
            out.write([0xaa, 0xbb].raw)
        }
    }

    @Test(arguments: [false, true])
    func readsWhatItWrites(twoByte: Bool) throws {
        let bytes = try packet(twoByte: twoByte)
        let header = try RTPHeader(bytes.raw)
        let extensions = try RTPExtensions(header, of: bytes.raw, by: Self.map)
        #expect(header.marker && header.payloadType == 111 && header.sequence == 7)
        #expect(Array(bytes[header.payload]) == [0xaa, 0xbb])
        #expect(extensions.mid == RTPLabel("0"))
        #expect(extensions.rid?.description == "hi")
        #expect(extensions.transportSequence == 0xabcd)
        #expect(extensions.absoluteSendTime == 0x12_3456)
        #expect(extensions.absoluteCaptureTime == 0x0102_0304_0506_0708)
        #expect(extensions.videoOrientation == 3)
        let descriptor = try #require(extensions.dependencyDescriptor)
        #expect(Array(bytes[descriptor]) == [1, 2, 3, 4, 5])
    }

    @Test func aHeaderWithoutExtensionsHasNoBlock() throws {
        let bytes = written { out in
            let header = RTPHeaderWriter(
                payloadType: 96, marker: false, sequence: 1, timestamp: 2, ssrc: 3, into: &out)
            let count = header.finish(into: &out)
            #expect(count == 12)
        }
        #expect(bytes == [0x80, 96, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3])
    }

    /// Not negotiated, or too long for the form: the packet goes out without it.
    @Test func leavesOutWhatCannotBeWritten() throws {
        let bytes = written { out in
            var header = RTPHeaderWriter(
                payloadType: 96, marker: false, sequence: 1, timestamp: 2, ssrc: 3, into: &out)
            header.write(id: 0, uint16: 1, into: &out)
            header.write(id: 3, [UInt8](repeating: 1, count: 17).raw, into: &out)
            header.write(id: 15, uint8: 1, into: &out)
            _ = header.finish(into: &out)
        }
        #expect(bytes.count == 12)
    }

    /// Id 15 ends the processing of a one-byte header (RFC 8285 §4.2); what was before it counts.
    @Test func idFifteenEndsTheBlock() throws {
        let block: [UInt8] = [0x10, 0x30, 0xf0, 0x00, 0x41, 0xab, 0xcd, 0x00]
        var reader = RTPExtensionReader(profile: 0xbede, block.raw)
        let element = try reader.next()
        #expect(element?.id == 1 && element?.value == 1..<2)
        #expect(try reader.next() == nil)
    }

    /// Attack R2: a length that reaches past the end of the block.
    @Test(arguments: [0xbede, 0x1000] as [UInt16])
    func refusesAnElementThatReachesOutside(profile: UInt16) {
        let block: [UInt8] = profile == 0xbede ? [0x1f, 1, 2, 3] : [1, 200, 2, 3]
        #expect(throws: ParseError.self) {
            var reader = RTPExtensionReader(profile: profile, block.raw)
            while try reader.next() != nil {}
        }
    }

    @Test(arguments: 0..<8 as Range<UInt64>)
    func survivesDamage(seed: UInt64) throws {
        for twoByte in [false, true] {
            try packet(twoByte: twoByte).forEachDamage(seed: seed) { damaged in
                guard let header = try? RTPHeader(damaged.raw),
                    let read = try? RTPExtensions(header, of: damaged.raw, by: Self.map)
                else { return }
                let end = read.dependencyDescriptor?.upperBound ?? 0
                #expect(end <= damaged.count)
            }
        }
    }

    @Test func knowsEachExtensionByItsURI() {
        for kind in RTPExtension.allCases { #expect(RTPExtension(uri: kind.uri) == kind) }
        #expect(RTPExtension(uri: "urn:example:none") == nil)
        #expect(Self.map.kind(of: 0) == nil && Self.map.kind(of: 200) == nil)
    }

    /// The last one is payload type 96 with a marker.
    @Test(
        arguments: [
            ([0x80, 200], true), ([0x81, 207], true), ([0x80, 192], true), ([0x80, 223], true),
            ([0x80, 96], false), ([0x80, 63], false), ([0x80], false), ([], false),
            ([0x40, 200], false),
            ([0x80, 0xe0], false),
        ] as [([UInt8], Bool)])
    func rtcpIsToldFromRTP(bytes: [UInt8], isRTCP: Bool) {
        let told = RTPHeader.isRTCP(bytes.raw)
        #expect(told == isRTCP)
    }
}
