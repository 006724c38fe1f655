import Foundation

/// An instant, to the nanosecond. A `Date` counts in doubles, and would lose some of that.
public struct Timestamp: Sendable, Hashable, Comparable {
    /// Whole seconds since 1970 in UTC, rounded down.
    public let seconds: Int64
    /// Nanoseconds since then: 0 to 999,999,999.
    public let nanoseconds: Int32

    /// An instant. Nanoseconds beyond a second, or before it, are carried over.
    public init(seconds: Int64, nanoseconds: Int32 = 0) {
        let billion: Int32 = 1_000_000_000
        var carried = nanoseconds / billion
        var rest = nanoseconds % billion
        if rest < 0 {
            carried -= 1
            rest += billion
        }
        self.seconds = seconds + Int64(carried)
        self.nanoseconds = rest
    }

    /// The instant of a date, to the nanosecond as far as it has any.
    public init(_ date: Date) {
        let interval = date.timeIntervalSince1970
        let whole = interval.rounded(.down)
        let rest = ((interval - whole) * 1e9).rounded()
        self.init(seconds: Int64(whole), nanoseconds: Int32(rest))
    }

    /// The instant as a date, as exact as a double can be: to about a microsecond.
    public var date: Date {
        Date(timeIntervalSince1970: Double(seconds) + Double(nanoseconds) / 1e9)
    }

    /// The instant of now.
    public static var now: Timestamp { Timestamp(Date()) }

    /// Which of two instants is earlier.
    public static func < (one: Timestamp, other: Timestamp) -> Bool {
        (one.seconds, one.nanoseconds) < (other.seconds, other.nanoseconds)
    }
}

extension Timestamp: CustomStringConvertible {
    private static let first: Int64 = -62_135_596_800
    private static let last: Int64 = 253_402_300_799
    private static let day: Int64 = 86_400

    /// The instant as RFC 3339 has it, such as `2024-05-31T12:00:00.000000001Z`.
    public var description: String {
        var days = seconds / Timestamp.day
        var rest = seconds % Timestamp.day
        if rest < 0 {
            days -= 1
            rest += Timestamp.day
        }
        let (year, month, date) = civil(days: days)
        let day = "\(padded(year, 4))-\(padded(month, 2))-\(padded(date, 2))"
        let clock = "\(padded(rest / 3_600, 2)):\(padded(rest / 60 % 60, 2)):\(padded(rest % 60, 2))"
        return "\(day)T\(clock)\(fractionText(nanoseconds: Int64(nanoseconds)))Z"
    }

    /// An instant that RFC 3339 text says; nil when it says none of the years 1 to 9999.
    ///
    /// Source: https://www.rfc-editor.org/rfc/rfc3339.
    public init?(_ text: String) {
        var reader = TextReader(text)
        guard let year = reader.digits(4), reader.take("-"), let month = reader.digits(2),
            reader.take("-"), let date = reader.digits(2), reader.take("T"),
            let hour = reader.digits(2), reader.take(":"), let minute = reader.digits(2),
            reader.take(":"), let second = reader.digits(2),
            let nanoseconds = reader.fraction(),
            let offset = Timestamp.offset(&reader), reader.isAtEnd,
            year >= 1, hour < 24, minute < 60, second < 60
        else { return nil }
        let days = daysSince1970(year: year, month: month, date: date)
        // A day that there is not has become another one.
        guard civil(days: days) == (year, month, date) else { return nil }
        let clock = hour * 3_600 + minute * 60 + second - offset
        let seconds = days * Timestamp.day + clock
        guard (Timestamp.first...Timestamp.last).contains(seconds) else { return nil }
        self.init(seconds: seconds, nanoseconds: Int32(nanoseconds))
    }

    /// Seconds that a zone is ahead of UTC.
    private static func offset(_ reader: inout TextReader) -> Int64? {
        if reader.take("Z") { return 0 }
        let isBehind = reader.take("-")
        guard isBehind || reader.take("+"), let hours = reader.digits(2), reader.take(":"),
            let minutes = reader.digits(2), hours < 24, minutes < 60
        else { return nil }
        let seconds = hours * 3_600 + minutes * 60
        return isBehind ? -seconds : seconds
    }
}

extension Timestamp: JSONForm {
    init(json: JSONValue, depth: Int) throws(InvalidValue) {
        guard case .string(let text) = json, let instant = Timestamp(text) else {
            throw InvalidValue.expected(
                "an RFC 3339 date and time such as 2024-05-31T12:00:00Z", got: json)
        }
        self = instant
    }

    func json(defaults: Bool) throws(InvalidValue) -> JSONValue {
        guard (Timestamp.first...Timestamp.last).contains(seconds) else {
            throw InvalidValue("expected an instant of the years 1 to 9999")
        }
        return .string(description)
    }

    var isDefault: Bool { false }
}

/// The day of the Gregorian calendar so many days after the first of 1970.
///
/// Source: https://howardhinnant.github.io/date_algorithms.html.
private func civil(days: Int64) -> (year: Int64, month: Int64, date: Int64) {
    let shifted = days + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    let date = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
    let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, date)
}

/// Days from the first of 1970 to a day of the Gregorian calendar.
private func daysSince1970(year: Int64, month: Int64, date: Int64) -> Int64 {
    let shiftedYear = month <= 2 ? year - 1 : year
    let era = (shiftedYear >= 0 ? shiftedYear : shiftedYear - 399) / 400
    let yearOfEra = shiftedYear - era * 400
    let shiftedMonth = month > 2 ? month - 3 : month + 9
    let dayOfYear = (153 * shiftedMonth + 2) / 5 + date - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    return era * 146_097 + dayOfEra - 719_468
}

private func padded(_ number: Int64, _ width: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
}
