/// Dates as headers have them (RFC 9110 §5.6.7): `Sun, 06 Nov 1994 08:49:37 GMT`.
package enum HTTPDate {
    private static let days = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// - Parameter seconds: Since 1970, UTC.
    package static func text(seconds: Int64) -> String {
        let time = ((seconds % 86400) + 86400) % 86400
        let day = (seconds - time) / 86400
        let (year, month, date) = civil(day)
        let name = days[Int(((day % 7) + 7) % 7)]
        let clock = [time / 3600, time / 60 % 60, time % 60].map { two(Int($0)) }
            .joined(separator: ":")
        return "\(name), \(two(date)) \(months[month - 1]) \(four(year)) \(clock) GMT"
    }

    /// Days since 1970 to a date of the Gregorian calendar. Years begin in March here, so that the
    /// leap day is the last one and every month before it has a fixed place.
    private static func civil(_ day: Int64) -> (year: Int, month: Int, day: Int) {
        let shifted = day + 719_468  // From 0000-03-01.
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let year = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * year + year / 4 - year / 100)
        let month = (5 * dayOfYear + 2) / 153
        let date = dayOfYear - (153 * month + 2) / 5 + 1
        let isNextYear = month >= 10
        return (
            Int(year + era * 400 + (isNextYear ? 1 : 0)),
            Int(isNextYear ? month - 9 : month + 3), Int(date)
        )
    }

    private static func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }

    private static func four(_ number: Int) -> String {
        String(repeating: "0", count: max(0, 4 - "\(number)".count)) + "\(number)"
    }
}
