/// A moment of the Gregorian calendar in UTC: for headers, logs, playlists, and what people read.
/// No libc, whose way depends on a time zone and a lock.
public struct CivilTime: Equatable, Sendable, CustomStringConvertible {
    public let year: Int
    public let month: Int
    public let day: Int
    /// 0: Sunday.
    public let weekday: Int
    public let hour: Int
    public let minute: Int
    public let second: Int
    public let millisecond: Int

    /// - Parameter nanoseconds: Since 1970.
    public init(nanoseconds: Int64) {
        let (seconds, rest) = Self.floorDivide(nanoseconds, 1_000_000_000)
        self = CivilTime(seconds: seconds, millisecond: Int(rest / 1_000_000))
    }

    /// - Parameter seconds: Since 1970.
    ///
    /// Counts years from 1 March, so that the leap day is the last of its year and every month's
    /// length follows from one line of arithmetic (a period of 400 years has 146,097 days).
    public init(seconds: Int64, millisecond: Int = 0) {
        let (days, time) = Self.floorDivide(seconds, 86_400)
        weekday = Int(Self.floorDivide(days + 4, 7).rest)  // 1970 began on a Thursday.
        let (period, dayOfPeriod) = Self.floorDivide(days + 719_468, 146_097)  // From 0000-03-01.
        let yearOfPeriod =
            (dayOfPeriod - dayOfPeriod / 1460 + dayOfPeriod / 36_524 - dayOfPeriod / 146_096) / 365
        let dayOfYear =
            dayOfPeriod - (365 * yearOfPeriod + yearOfPeriod / 4 - yearOfPeriod / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        day = Int(dayOfYear - (153 * monthFromMarch + 2) / 5 + 1)
        month = Int(monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9)
        year = Int(yearOfPeriod + period * 400) + (month <= 2 ? 1 : 0)
        hour = Int(time / 3600)
        minute = Int(time / 60 % 60)
        second = Int(time % 60)
        self.millisecond = millisecond
    }

    private static func floorDivide(_ value: Int64, _ by: Int64) -> (quotient: Int64, rest: Int64) {
        let (quotient, rest) = value.quotientAndRemainder(dividingBy: by)
        return rest < 0 ? (quotient - 1, rest + by) : (quotient, rest)
    }

    /// `2026-11-21`.
    public var date: String { text { writeDate(into: &$0) } }

    /// `15:42:08`.
    public var clock: String { text { writeClock(into: &$0) } }

    /// RFC 3339 with milliseconds.
    public var description: String { text { write(into: &$0) } }

    public func write(into bytes: inout [UInt8]) {
        writeDate(into: &bytes)
        bytes.append(0x54)  // T
        writeClock(into: &bytes)
        bytes.append(0x2e)
        Self.write(millisecond, digits: 3, into: &bytes)
        bytes.append(0x5a)  // Z
    }

    private func writeDate(into bytes: inout [UInt8]) {
        Self.write(year, digits: 4, into: &bytes)
        bytes.append(0x2d)
        Self.write(month, digits: 2, into: &bytes)
        bytes.append(0x2d)
        Self.write(day, digits: 2, into: &bytes)
    }

    private func writeClock(into bytes: inout [UInt8]) {
        Self.write(hour, digits: 2, into: &bytes)
        bytes.append(0x3a)
        Self.write(minute, digits: 2, into: &bytes)
        bytes.append(0x3a)
        Self.write(second, digits: 2, into: &bytes)
    }

    /// Years before 0 and after 9999 are none that anybody means.
    private static func write(_ value: Int, digits: Int, into bytes: inout [UInt8]) {
        var divisor = 1
        for _ in 1..<digits { divisor *= 10 }
        for _ in 0..<digits {
            bytes.append(0x30 + UInt8(truncatingIfNeeded: max(0, value) / divisor % 10))
            divisor /= 10
        }
    }

    private func text(_ body: (inout [UInt8]) -> Void) -> String {
        var bytes: [UInt8] = []
        body(&bytes)
        return String(decoding: bytes, as: UTF8.self)
    }
}
