/// `2026-11-21T15:42:08.120Z` as seconds since 1970; with a zone other than Z as well (RFC 3339).
enum HLSDate {
    static func seconds(_ text: Substring) -> Double? {
        guard text.utf8.count >= 20, let mark = text.firstIndex(of: "T") else { return nil }
        let days = text[..<mark].split(separator: "-", omittingEmptySubsequences: false)
            .compactMap(HLSNumber.whole)
        var clock = text[text.index(after: mark)...]
        guard let zone = takeZone(&clock) else { return nil }
        let words = clock.split(separator: ":", omittingEmptySubsequences: false)
        guard days.count == 3, words.count == 3, let hour = HLSNumber.whole(words[0]),
            let minute = HLSNumber.whole(words[1]), let second = HLSNumber.seconds(words[2]),
            (1970...9999).contains(days[0]), (1...12).contains(days[1]),
            (1...31).contains(days[2]), hour < 24, minute < 60, second < 61
        else { return nil }
        let time = hour * 3600 + minute * 60 - zone
        return Double(day(days[0], days[1], days[2]) * 86_400 + time) + second
    }

    /// Seconds east of Greenwich.
    private static func takeZone(_ clock: inout Substring) -> Int64? {
        if clock.last == "Z" {
            clock.removeLast()
            return 0
        }
        guard let sign = clock.lastIndex(where: { $0 == "+" || $0 == "-" }) else { return nil }
        let words = clock[clock.index(after: sign)...].filter { $0 != ":" }
        guard words.count == 4, let number = HLSNumber.whole(words[...]) else { return nil }
        let isEast = clock[sign] == "+"
        clock = clock[..<sign]
        let seconds = (number / 100 * 60 + number % 100) * 60
        return isEast ? seconds : -seconds
    }

    /// Days since 1970; a year begins in March here, as in `CivilTime`.
    private static func day(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let year = month <= 2 ? year - 1 : year
        let fromMarch = (month + 9) % 12
        let dayOfYear = (153 * fromMarch + 2) / 5 + day - 1
        return year * 365 + year / 4 - year / 100 + year / 400 + dayOfYear - 719_468
    }
}
