/// The number that a decimal text is, if it is an integer of the type: `1`, `1.0` and `10e-1` are one.
func exactInteger<Integer: FixedWidthInteger>(_ text: String) -> Integer? {
    guard let number = Decimals(text) else { return nil }
    var digits = number.whole + number.fraction
    var shift = number.exponent - number.fraction.count
    while digits.first == 0 {
        digits.removeFirst()
    }
    if digits.isEmpty { return 0 }
    // An exponent can stand for more digits than there is memory.
    guard digits.count + shift <= 20 else { return nil }
    while shift < 0, let last = digits.popLast() {
        guard last == 0 else { return nil }
        shift += 1
    }
    digits += Array(repeating: 0, count: max(0, shift))
    var value: Integer = 0
    for digit in digits {
        let (tens, isTooLarge) = value.multipliedReportingOverflow(by: 10)
        let (sum, isBeyond) =
            number.isNegative
            ? tens.subtractingReportingOverflow(Integer(digit))
            : tens.addingReportingOverflow(Integer(digit))
        guard !isTooLarge, !isBeyond else { return nil }
        value = sum
    }
    return value
}

/// The number that a JSON value is: a number, its text, or the name of one that JSON cannot write.
func floatingPoint(_ json: JSONValue) -> Double? {
    switch json {
    case .number(let digits):
        return finite(digits)
    case .string("NaN"):
        return .nan
    case .string("Infinity"):
        return .infinity
    case .string("-Infinity"):
        return -.infinity
    case .string(let text):
        // Swift reads more than JSON has, such as `0x1p3`.
        return Decimals(text) == nil ? nil : finite(text)
    default:
        return nil
    }
}

/// The shortest digits that are read as the same number, or the name of one that JSON cannot write.
func numberOrName<Number: BinaryFloatingPoint & CustomStringConvertible>(
    _ value: Number
) -> JSONValue {
    if value.isNaN { return .string("NaN") }
    if value.isInfinite { return .string(value < 0 ? "-Infinity" : "Infinity") }
    return .number(value.description)
}

private func finite(_ digits: String) -> Double? {
    guard let value = Double(digits), value.isFinite else { return nil }
    return value
}

/// The parts of a decimal number as JSON writes it.
private struct Decimals {
    private static let longest = 1_000
    private static let longestExponent = 6

    var isNegative = false
    var whole: [UInt8] = []
    var fraction: [UInt8] = []
    var exponent = 0

    init?(_ text: String) {
        guard text.utf8.count <= Decimals.longest else { return nil }
        var rest = Array(text.utf8)[...]
        if rest.first == UInt8(ascii: "-") {
            isNegative = true
            rest = rest.dropFirst()
        }
        whole = Decimals.digits(&rest)
        guard !whole.isEmpty, whole.count == 1 || whole[0] != 0 else { return nil }
        if rest.first == UInt8(ascii: ".") {
            rest = rest.dropFirst()
            fraction = Decimals.digits(&rest)
            guard !fraction.isEmpty else { return nil }
        }
        if rest.first == UInt8(ascii: "e") || rest.first == UInt8(ascii: "E") {
            rest = rest.dropFirst()
            let isMinus = rest.first == UInt8(ascii: "-")
            if isMinus || rest.first == UInt8(ascii: "+") {
                rest = rest.dropFirst()
            }
            let power = Decimals.digits(&rest)
            guard !power.isEmpty, power.count <= Decimals.longestExponent else { return nil }
            for digit in power {
                exponent = exponent * 10 + Int(digit)
            }
            exponent = isMinus ? -exponent : exponent
        }
        guard rest.isEmpty else { return nil }
    }

    private static func digits(_ rest: inout ArraySlice<UInt8>) -> [UInt8] {
        var found: [UInt8] = []
        while let byte = rest.first, isDigit(byte) {
            found.append(byte - UInt8(ascii: "0"))
            rest = rest.dropFirst()
        }
        return found
    }
}
