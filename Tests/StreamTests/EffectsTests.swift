import Media
import Stream
import Testing
import Wire

/// The sink that sessions write into, and the questions they keep.
struct EffectsTests {
    @Test func itemsOfOneLayerInARowAreOneEffect() {
        var effects = Effects()
        for sequence: Int64 in 10..<13 {
            effects.packet(
                pattern(sequence, 5).raw, packet(0), sequence: sequence, channel: 1, slot: .video,
                layer: 2)
        }
        effects.frame(pattern(1, 7).raw, packet(0), channel: 1, slot: .audio)
        effects.packet(
            pattern(13, 5).raw, packet(0), sequence: 13, channel: 1, slot: .video, layer: 2)
        #expect(
            effects.list == [
                .media(1, .video, layer: 2, items: 0..<3),
                .media(1, .audio, layer: 0, items: 3..<4),
                .media(1, .video, layer: 2, items: 4..<5),
            ])
        #expect(effects.sequences == [10, 11, 12, 0, 13])
        effects.clear()
        #expect(effects.isEmpty)
    }

    /// A format between two frames holds from the second on, so the order must be kept.
    @Test func whatComesBetweenFramesStaysBetweenThem() {
        var effects = Effects()
        effects.frame(pattern(1, 7).raw, packet(0), channel: 0, slot: .video)
        effects.append(.format(0, .video, layer: 0, h264().format))
        effects.frame(pattern(2, 7).raw, packet(1), channel: 0, slot: .video)
        #expect(effects.list.count == 3)
    }

    @Test func aFrameMayComeInPieces() {
        var effects = Effects()
        effects.beginFrame()
        effects.write([1, 2, 3].raw)
        effects.write([4].raw)
        effects.endFrame(packet(0), channel: 0, slot: .video)
        effects.beginFrame()
        effects.write([9].raw)
        effects.cancelFrame()
        #expect(effects.media.count == 1)
        #expect(effects.media.bytes == [1, 2, 3, 4])
    }

    @Test func eightQuestionsAreOpenAtMost() throws {
        var questions = OpenQuestions()
        let ids = (0..<8).compactMap { questions.open(until: ms(100 + Int64($0))) }
        #expect(Set(ids).count == 8)
        #expect(questions.open(until: ms(1)) == nil)
        #expect(questions.deadline == ms(100))
        #expect(questions.expire(at: ms(99)) == nil)
        #expect(questions.expire(at: ms(100)) == ids[0])
        #expect(questions.close(ids[0]) == false, "an answer that comes too late finds nobody")
        #expect(questions.close(ids[5]) == true)
        #expect(questions.close(ids[5]) == false, "nor does one that comes twice")
        #expect(questions.count == 6)
    }

    @Test func credentialsDescribeThemselvesToNobody() {
        var credential = Credential()
        credential.user = "u"
        credential.password = "hunter2"
        credential.token = "t0ken"
        var text = ""
        dump(credential, to: &text)
        text += "\(credential)" + String(reflecting: credential)
        #expect(!text.contains("hunter2"))
        #expect(!text.contains("t0ken"))
    }
}
