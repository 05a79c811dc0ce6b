import Codecs
import Wire

/// Something that a program stream says, in the order in which it says it.
package enum PSPiece: Equatable, Sendable {
    case pack
    case map(PSProgramMap)
    case begin(PSPacketHead)
    /// Bytes of the elementary stream, as a range of the demuxer's `bytes`.
    case data(UInt8, Range<Int>)
    /// Nothing more belongs to this packet.
    case end(UInt8)
    /// Something else began before all that the packet had announced.
    case cut(UInt8)
}

/// Takes a program stream apart (ISO/IEC 13818-1 §2.5) as cameras send it: in the payloads of RTP
/// packets, one after the other.
///
/// It holds back nothing that it understands: bytes of a picture are passed on as they come. What
/// it keeps is a header that is not whole yet, at most a kilobyte. Nothing it reads makes it fail:
/// what is no program stream is skipped up to something that is.
package struct PSDemuxer: Sendable {
    private enum State: Equatable, Sendable {
        /// Looking for a start code; after a loss only for one that can be trusted.
        case between(isLost: Bool)
        /// nil: until something else begins.
        case data(UInt8, left: Int?)
        case skipping(left: Int)
    }

    package struct Figures: Equatable, Sendable {
        /// Bytes that belonged to nothing.
        package var skipped: UInt64 = 0
        /// How often the thread was lost within what had come.
        package var resyncs: UInt64 = 0
        package var packs: UInt64 = 0
    }

    /// What the ranges of the last pieces mean.
    package private(set) var bytes: [UInt8] = []
    package private(set) var figures = Figures()
    private var consumed = 0
    private var state = State.between(isLost: true)

    package init() {}

    /// The packet that is open has had all that it announced, or there is none.
    package var isBetweenPackets: Bool {
        switch state {
        case .between: true
        case .data(_, let left): left == nil
        case .skipping: false
        }
    }

    /// Changes places with the bytes of the last pieces, so that a reader may hold them.
    mutating func lend(_ bytes: inout [UInt8]) { swap(&bytes, &self.bytes) }

    /// Packets are missing before the next payload: nothing that was begun can be finished, and its
    /// lengths must not swallow what follows.
    package mutating func lose() {
        bytes.removeAll(keepingCapacity: true)
        consumed = 0
        state = .between(isLost: true)
    }

    /// The payload of the next RTP packet. The bytes of its pieces are there until the next call.
    package mutating func receive(_ payload: RawSpan, into pieces: inout [PSPiece]) {
        bytes.removeSubrange(..<consumed)
        let boundary = bytes.count
        bytes.append(copying: payload)
        var at = 0
        if boundary == 0 { resumeAtBoundary(&at, &pieces) }
        while at < bytes.count, step(&at, boundary, &pieces) {}
        consumed = at
    }

    /// A payload that begins with a pack header begins a pack, whatever length was announced: those
    /// bytes cannot be part of a picture.
    private mutating func resumeAtBoundary(_ at: inout Int, _ pieces: inout [PSPiece]) {
        guard Self.beginsPack(bytes.raw, 0) else { return }
        switch state {
        case .data(let stream, let left):
            pieces.append(left == nil ? .end(stream) : .cut(stream))
            if left != nil { figures.resyncs &+= 1 }
            state = .between(isLost: false)
        case .skipping:
            figures.resyncs &+= 1
            state = .between(isLost: false)
        case .between: break
        }
    }

    private mutating func step(
        _ at: inout Int, _ boundary: Int, _ pieces: inout [PSPiece]
    ) -> Bool {
        switch state {
        case .skipping(let left):
            let count = min(left, bytes.count - at)
            at += count
            state = left > count ? .skipping(left: left - count) : .between(isLost: false)
            return true
        case .data(let stream, let left?):
            let count = min(left, bytes.count - at)
            if count > 0 { pieces.append(.data(stream, at..<at + count)) }
            at += count
            if left > count {
                state = .data(stream, left: left - count)
            } else {
                pieces.append(.end(stream))
                state = .between(isLost: false)
            }
            return true
        case .data(let stream, nil): return passUnbounded(stream, &at, &pieces)
        case .between(let isLost): return begin(&at, boundary, isLost, &pieces)
        }
    }

    /// A packet without a length ends where something of the system begins: no unit of a picture
    /// has a header byte above 0xb8, the forbidden bit would be set.
    private mutating func passUnbounded(
        _ stream: UInt8, _ at: inout Int, _ pieces: inout [PSPiece]
    ) -> Bool {
        var from = at
        while let code = AnnexBUnits.startCode(in: bytes.raw, from: from) {
            guard code + 3 < bytes.count else {
                if code > at { pieces.append(.data(stream, at..<code)) }
                at = code
                return false
            }
            if bytes[code + 3] >= 0xb9 {
                if code > at { pieces.append(.data(stream, at..<code)) }
                pieces.append(.end(stream))
                at = code
                state = .between(isLost: false)
                return true
            }
            from = code + 3
        }
        // Two zeros may be the beginning of a start code.
        var end = bytes.count
        while end > at, end > bytes.count - 2, bytes[end - 1] == 0 { end -= 1 }
        if end > at { pieces.append(.data(stream, at..<end)) }
        at = end
        return false
    }

    private mutating func begin(
        _ at: inout Int, _ boundary: Int, _ isLost: Bool, _ pieces: inout [PSPiece]
    ) -> Bool {
        guard let code = AnnexBUnits.startCode(in: bytes.raw, from: at), code + 3 < bytes.count
        else {
            let keep = min(3, bytes.count - at)
            if skip(to: bytes.count - keep, &at, isLost) { state = .between(isLost: true) }
            return false
        }
        let identifier = bytes[code + 3]
        // After a loss the first choice is what a payload begins with, the second a pack header.
        let isTrusted = !isLost || identifier == 0xba || code == boundary
        guard identifier >= 0xb9, isTrusted else {
            if skip(to: code + 3, &at, isLost) { state = .between(isLost: true) }
            return true
        }
        _ = skip(to: code, &at, isLost)
        return open(identifier, &at, &pieces)
    }

    /// - Returns: Whether it was more than zeros in front of a start code.
    private mutating func skip(to end: Int, _ at: inout Int, _ isLost: Bool) -> Bool {
        guard end > at else { return false }
        defer { at = end }
        if bytes[at..<end].allSatisfy({ $0 == 0 }) { return false }
        figures.skipped &+= UInt64(end - at)
        if !isLost { figures.resyncs &+= 1 }
        return true
    }

    /// - Parameter at: Where the start code is.
    /// - Returns: False: more bytes are needed.
    private mutating func open(
        _ identifier: UInt8, _ at: inout Int, _ pieces: inout [PSPiece]
    ) -> Bool {
        switch identifier {
        case 0xba: return openPack(&at, &pieces)
        case 0xb9:
            at += 4
            return true
        case 0xbc: return openMap(&at, &pieces)
        case 0xc0...0xef:
            guard let head = PSPacketHead.read(bytes.raw.extracting(at..<bytes.count)) else {
                return false
            }
            at += head.count
            pieces.append(.begin(head))
            state = .data(identifier, left: head.payloadCount)
            if head.payloadCount == 0 {
                pieces.append(.end(identifier))
                state = .between(isLost: false)
            }
            return true
        default:
            guard let length = length(at) else { return false }
            at += 6
            state = .skipping(left: length)
            return true
        }
    }

    private func length(_ at: Int) -> Int? {
        guard at + 6 <= bytes.count else { return nil }
        return Int(bytes[at + 4]) << 8 | Int(bytes[at + 5])
    }

    private mutating func openPack(_ at: inout Int, _ pieces: inout [PSPiece]) -> Bool {
        guard at + 7 <= bytes.count else { return false }
        var count = 4
        let first = bytes[at + 4]
        if first & 0xc0 == 0x40 {
            guard at + 14 <= bytes.count else { return false }
            count = 14 + Int(bytes[at + 13] & 7)
            guard at + count <= bytes.count else { return false }
        } else if first & 0xf0 == 0x20 {
            count = 12
            guard at + count <= bytes.count else { return false }
        }
        // Else there is no body: some makers put the next start code right behind (H.265).
        figures.packs &+= 1
        pieces.append(.pack)
        at += count
        state = .between(isLost: false)
        return true
    }

    private mutating func openMap(_ at: inout Int, _ pieces: inout [PSPiece]) -> Bool {
        guard let length = length(at) else { return false }
        guard length <= PSProgramMap.countMaximum else {
            at += 6
            state = .skipping(left: length)
            return true
        }
        guard at + 6 + length <= bytes.count else { return false }
        if let map = try? PSProgramMap(bytes.raw.extracting(at + 6..<at + 6 + length)) {
            pieces.append(.map(map))
        }
        at += 6 + length
        state = .between(isLost: false)
        return true
    }

    /// Whether a pack header stands there, as far as can be seen.
    package static func beginsPack(_ bytes: RawSpan, _ at: Int) -> Bool {
        guard at + 5 <= bytes.byteCount, bytes.byte(at: at) == 0, bytes.byte(at: at + 1) == 0,
            bytes.byte(at: at + 2) == 1, bytes.byte(at: at + 3) == 0xba
        else { return false }
        let next = bytes.byte(at: at + 4)
        return next & 0xc0 == 0x40 || next & 0xf0 == 0x20 || next == 0
    }
}
