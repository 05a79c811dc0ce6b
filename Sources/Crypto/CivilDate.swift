/// A day of the calendar, from seconds since 1970: what an operator reads in "expired on …".
struct CivilDate: CustomStringConvertible {
    let year: Int64
    let month: Int64
    let day: Int64

    /// Counts years from 1 March, so that the leap day is the last of its year and every month's
    /// length follows from one line of arithmetic (a period of 400 years has 146,097 days).
    init(secondsSince1970 seconds: Int64) {
        let days = Int64((Double(seconds) / 86_400).rounded(.down)) + 719_468  // From 0000-03-01.
        let period = (days >= 0 ? days : days - 146_096) / 146_097
        let dayOfPeriod = days - period * 146_097
        let yearOfPeriod =
            (dayOfPeriod - dayOfPeriod / 1460 + dayOfPeriod / 36_524 - dayOfPeriod / 146_096) / 365
        let dayOfYear =
            dayOfPeriod - (365 * yearOfPeriod + yearOfPeriod / 4 - yearOfPeriod / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        year = yearOfPeriod + period * 400 + (month <= 2 ? 1 : 0)
    }

    var description: String { "\(year)-\(Self.twoDigits(month))-\(Self.twoDigits(day))" }

    private static func twoDigits(_ number: Int64) -> String {
        number < 10 ? "0\(number)" : "\(number)"
    }
}
