import Wire

/// Dates as headers have them (RFC 9110 §5.6.7): `Sun, 06 Nov 1994 08:49:37 GMT`.
package enum HTTPDate {
    private static let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// - Parameter seconds: Since 1970, UTC.
    package static func text(seconds: Int64) -> String {
        let time = CivilTime(seconds: seconds)
        let date = time.date  // 1994-11-06
        return "\(days[time.weekday]), \(date.suffix(2)) \(months[time.month - 1]) "
            + "\(date.prefix(4)) \(time.clock) GMT"
    }
}
