/// Takes a text apart from its beginning, byte by byte.
struct TextReader {
    private var rest: ArraySlice<UInt8>

    init(_ text: String) {
        rest = Array(text.utf8)[...]
    }

    var isAtEnd: Bool { rest.isEmpty }

    /// Take a sign of ASCII, if it is next.
    mutating func take(_ sign: Unicode.Scalar) -> Bool {
        guard let byte = rest.first, UInt32(byte) == sign.value else { return false }
        rest = rest.dropFirst()
        return true
    }

    /// Take exactly so many digits.
    mutating func digits(_ count: Int) -> Int64? {
        guard let (number, found) = number(atMost: count), found == count else { return nil }
        return number
    }

    /// Take one digit or more, and tell how many these were.
    mutating func number(atMost most: Int) -> (number: Int64, count: Int)? {
        var number: Int64 = 0
        var count = 0
        while count < most, let byte = rest.first, isDigit(byte) {
            number = number * 10 + Int64(byte - UInt8(ascii: "0"))
            count += 1
            rest = rest.dropFirst()
        }
        return count > 0 ? (number, count) : nil
    }

    /// Take the part after a point, in nanoseconds: 0 when there is no point.
    mutating func fraction() -> Int64? {
        guard take(".") else { return 0 }
        guard var (number, count) = number(atMost: 9) else { return nil }
        while count < 9 {
            number *= 10
            count += 1
        }
        return number
    }
}

/// The part after the point, in groups of three digits: empty when there is none.
func fractionText(nanoseconds: Int64) -> String {
    var digits = String(nanoseconds)
    digits = String(repeating: "0", count: 9 - digits.count) + digits
    while digits.hasSuffix("000") {
        digits.removeLast(3)
    }
    return digits.isEmpty ? "" : ".\(digits)"
}
