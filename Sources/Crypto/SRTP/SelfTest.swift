import Wire

/// Known answers, asked for when an engine is made.
extension CryptoEngine {
    private struct Question {
        let name: String
        let profile: SRTPProfile
        let keys: SRTPSessionKeys
        let header: [UInt8]
        let payload: [UInt8]
        let answer: [UInt8]
    }

    /// - Returns: The question whose answer was wrong.
    mutating func selfTest() -> String? {
        // libsrtp2 tests itself when it starts, and takes only master keys.
        guard kind != .libSRTP else { return nil }
        for question in Self.questions where !ask(question) { return question.name }
        return nil
    }

    private mutating func ask(_ question: Question) -> Bool {
        let key = add(question.profile, rtp: question.keys, rtcp: question.keys)
        defer { remove(key) }
        let plain = question.header + question.payload
        let ssrc = question.header.raw.number(at: 8)
        let index = UInt64(UInt16(truncatingIfNeeded: question.header.raw.number(at: 0)))

        let room = [UInt8](repeating: 0, count: question.payload.count + 16)
        var single = question.header + room
        var singleSpan = single.mutableSpan
        var window = unsafe singleSpan.mutableBytes
        let count = protect(
            &window, headerCount: 12, payload: question.payload.raw, ssrc: ssrc, index: index,
            key: key)
        var batch = question.header + room
        var batchSpan = batch.mutableSpan
        var arena = unsafe batchSpan.mutableBytes
        _ = protect(
            &arena, headerCount: 12, payload: question.payload.raw, ssrc: ssrc, index: index,
            key: key, together: true)
        finish()
        guard Array(single.prefix(count)) == question.answer,
            Array(batch.prefix(count)) == question.answer
        else { return false }

        var opened = question.answer
        var openedSpan = opened.mutableSpan
        var packet = unsafe openedSpan.mutableBytes
        let length = unprotect(&packet, headerCount: 12, ssrc: ssrc, index: index, key: key)
        return length == plain.count && Array(opened.prefix(plain.count)) == plain
    }

    private static var questions: [Question] {
        let header: [UInt8] = [
            0x80, 0x40, 0xf1, 0x7b, 0x80, 0x41, 0xf8, 0xd3, 0x55, 0x01, 0xa0, 0xb2,
        ]
        let text = Array("Gallia est omnis divisa in partes tres".utf8)
        let salt = Array("Quid pro quo".utf8)
        // RFC 3711 B.3's master key, and the packet on which implementations of AES-CM with
        // HMAC-SHA1 agree.
        let master = SRTPMaster(
            key: Self.hex("e1f97a0d3e018be0d64fa32c06de4139"),
            salt: Self.hex("0ec675ad498afeebb6960b3aabe6"))
        return [
            Question(
                name: "AEAD_AES_128_GCM, RFC 7714 16.1.1", profile: .aes128GCM,
                keys: SRTPSessionKeys(encryption: Array(0..<16), authentication: [], salt: salt),
                header: header, payload: text,
                answer: header
                    + Self.hex(
                        "f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a51c7d19b36de3adf"
                            + "8833899d7f27beb16a9152cf765ee4390cce")),
            Question(
                name: "AEAD_AES_256_GCM, RFC 7714 16.2.1", profile: .aes256GCM,
                keys: SRTPSessionKeys(encryption: Array(0..<32), authentication: [], salt: salt),
                header: header, payload: text,
                answer: header
                    + Self.hex(
                        "32b1de78a822fe12ef9f78fa332e33aab18012389a58e2f3b50b2a0276ffae0f1ba63799"
                            + "b87b7aa3db36dfffd6b0f9bb7878d7a76c13")),
            Question(
                name: "AES128_CM_SHA1_80", profile: .aes128SHA1,
                keys: SRTPSessionKeys(master, profile: .aes128SHA1, for: .rtp),
                header: Self.hex("800f1234decafbadcafebabe"),
                payload: [UInt8](repeating: 0xab, count: 16),
                answer: Self.hex(
                    "800f1234decafbadcafebabe"
                        + "4e55dc4ce79978d88ca4d215949d2402b78d6acc99ea179b8dbb")),
        ]
    }

    private static func hex(_ digits: String) -> [UInt8] { Hex.decode(digits) ?? [] }
}
