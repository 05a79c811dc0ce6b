import Codecs
import Foundation
import Media
import Stream
import Wire

/// A protocol for tests of sound: `publish NAME`, then `play COUNT` sends frames of a recording;
/// `read NAME CODEC` says the time stamp and size of each frame it gets.
final class SoundSession: ByteSession {
    private static let recording: [[UInt8]] = {
        let path = URL(filePath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Vectors/audio/lc-48000.aac")
        let bytes = [UInt8]((try? Data(contentsOf: path)) ?? Data())
        var frames: [[UInt8]] = []
        var walk = ADTSFrames(bytes.raw)
        while let frame = walk.next() { frames.append(Array(bytes[frame.payload])) }
        return frames
    }()

    /// What the publisher says: a decoder for it may not exist.
    private static func format(_ codec: Codec) -> Format {
        guard codec == .aac, let format = try? Format(aac: [0x11, 0x90].raw) else {
            var format = Format(codec: codec, clockRate: 48_000)
            (format.sampleRate, format.channels) = (48_000, 2)
            // xHE-AAC: announced as AAC, and none that we decode.
            format.configuration = [0xf9, 0x48, 0x21, 0x00]
            return format
        }
        return format
    }

    private let peer: Address
    private var sent: Int64 = 0
    private(set) var isEstablished = false
    let deadline = Instant.distantFuture

    init(_ peer: Address) { self.peer = peer }

    func receive(
        _ bytes: RawSpan, at now: Instant, into effects: inout Effects, out: inout Outbox
    ) -> Int {
        guard let end = (0..<bytes.byteCount).first(where: { bytes.byte(at: $0) == 10 }) else {
            return 0
        }
        isEstablished = true
        let line = String(decoding: [UInt8](copying: bytes.extracting(0..<end)), as: UTF8.self)
        let words = line.split(separator: " ").map(String.init)
        switch words.first {
        case "publish": publish(words[1], Self.format(.aac), &effects)
        case "publish-strange":
            var format = Self.format(.opus)
            format.codec = .aac
            publish(words[1], format, &effects)
        case "play": play(Int(words[1]) ?? 0, now, &effects)
        case "read": read(words[1], words[2] == "opus" ? .opus : .aac, &effects)
        default: out.append("what?\n")
        }
        return end + 1
    }

    private func publish(_ name: String, _ format: Format, _ effects: inout Effects) {
        let announced = AnnouncedSlot(slot: .audio, format: format, form: .frames)
        let publication = Publication(
            principal: .local, protocolName: "sound", slots: [announced])
        effects.ask(.publish(0, name: name, Credential(), peer: peer, publication), 1)
    }

    private func read(_ name: String, _ codec: Codec, _ effects: inout Effects) {
        let want = Subscription.Want(slot: .audio, codecs: [codec], form: .frames)
        effects.ask(
            .subscribe(
                0, name: name, Credential(), peer: peer,
                // The other worker hears of the first frame a moment later.
                Subscription(wants: [want], rule: .connection, patience: .seconds(5))), 2)
    }

    private func play(_ count: Int, _ now: Instant, _ effects: inout Effects) {
        for _ in 0..<count {
            let frame = Self.recording[Int(sent) % Self.recording.count]
            effects.frame(
                frame.raw,
                ItemMeta(
                    ticks: sent * 1024, arrival: now, length: frame.count,
                    flags: [.frameStart, .frameEnd, .key]),
                channel: 0, slot: .audio)
            sent += 1
        }
    }

    func receiveEnd(at now: Instant, into effects: inout Effects, out: inout Outbox) {
        effects.append(.close(.done))
    }

    func answer(
        _ answer: Answer, to id: QuestionID, at now: Instant, into effects: inout Effects,
        out: inout Outbox
    ) {
        switch answer {
        case .published: out.append("published\n")
        case .subscribed: out.append("subscribed\n")
        default: out.append("refused\n")
        }
    }

    func notice(
        _ notice: Notice, at now: Instant, into effects: inout Effects, out: inout Outbox
    ) {
        if case .changed(_, let snapshot) = notice, let advice = snapshot[.audio]?.advice {
            out.append("advice \(advice)\n")
        }
    }

    func send(_ item: borrowing ReadItem, out: inout Outbox) {
        let (format, meta) = (item.format, item.meta)
        out.append("\(format.codec) \(format.channels) \(meta.ticks) \(meta.length)\n")
    }

    func expire(at now: Instant, into effects: inout Effects, out: inout Outbox) {}
}
