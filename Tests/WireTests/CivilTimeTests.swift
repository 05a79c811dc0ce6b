import Testing
import Wire

struct CivilTimeTests {
    @Test(
        arguments: [
            (784_111_777_123_456_789, "1994-11-06T08:49:37.123Z", 0),
            (0, "1970-01-01T00:00:00.000Z", 4),
            (951_782_400_000_000_000, "2000-02-29T00:00:00.000Z", 2),
            (4_102_444_799_999_999_999, "2099-12-31T23:59:59.999Z", 4),
            (-1, "1969-12-31T23:59:59.999Z", 3),
        ] as [(Int64, String, Int)])
    func writesWhatCalendarsSay(nanoseconds: Int64, text: String, weekday: Int) {
        let time = CivilTime(nanoseconds: nanoseconds)
        #expect("\(time)" == text)
        #expect(time.weekday == weekday)
    }

    /// Every day of four hundred years follows the one before.
    @Test func daysFollowEachOther() {
        var last = CivilTime(seconds: -86_400)
        for day in Int64(0)..<146_097 {
            let time = CivilTime(seconds: day * 86_400)
            let isNext = time.month == last.month && time.day == last.day + 1
            let isNewMonth = time.day == 1 && time.month == last.month % 12 + 1
            #expect(isNext || isNewMonth)
            #expect(time.weekday == (last.weekday + 1) % 7)
            last = time
        }
    }

    /// The extremes of what a clock could say must not trap.
    @Test func survivesAnyNumber() {
        for value in [Int64.min, .max, .min / 1_000_000_000] {
            _ = CivilTime(nanoseconds: value).description
        }
    }
}
