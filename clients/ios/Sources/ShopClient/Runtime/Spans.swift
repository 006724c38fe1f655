/// Spans of time are the language's own `Duration`, which is finer than the nanoseconds of contracts.
extension Duration: JSONForm {
    private static let longest: Int64 = 315_576_000_000
    private static let attosecondsInNanosecond: Int64 = 1_000_000_000

    init(json: JSONValue, depth: Int) throws(InvalidValue) {
        guard case .string(let text) = json, let span = Duration(contractText: text) else {
            throw InvalidValue.expected("a duration such as \"1.5s\"", got: json)
        }
        self = span
    }

    /// What is finer than a nanosecond is cut off.
    func json(defaults: Bool) throws(InvalidValue) -> JSONValue {
        let (seconds, attoseconds) = components
        let nanoseconds = attoseconds / Duration.attosecondsInNanosecond
        guard seconds.magnitude <= UInt64(Duration.longest) else {
            throw InvalidValue("expected at most 10,000 years")
        }
        let sign = seconds < 0 || nanoseconds < 0 ? "-" : ""
        let fraction = fractionText(nanoseconds: Int64(nanoseconds.magnitude))
        return .string("\(sign)\(seconds.magnitude)\(fraction)s")
    }

    var isDefault: Bool { false }

    private init?(contractText text: String) {
        var reader = TextReader(text)
        let isNegative = reader.take("-")
        guard let (seconds, _) = reader.number(atMost: 12), let nanoseconds = reader.fraction(),
            reader.take("s"), reader.isAtEnd, seconds <= Duration.longest
        else { return nil }
        let span = Duration(
            secondsComponent: seconds,
            attosecondsComponent: nanoseconds * Duration.attosecondsInNanosecond)
        self = isNegative ? .zero - span : span
    }

    /// The span in seconds, as a double.
    var inSeconds: Double {
        let (seconds, attoseconds) = components
        return Double(seconds) + Double(attoseconds) / 1e18
    }
}
