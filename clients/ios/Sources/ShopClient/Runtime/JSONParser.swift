/// Reads JSON text, strictly. Foundation's own reader rounds long numbers.
///
/// Source: RFC 8259, https://www.rfc-editor.org/rfc/rfc8259.
struct JSONParser {
    /// Arrays and objects inside each other: more than messages may have, and less than a stack holds.
    private static let deepest = 400

    private let bytes: [UInt8]
    private var position = 0

    private init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// Parse a document.
    static func parse(_ bytes: [UInt8]) throws(InvalidValue) -> JSONValue {
        var parser = JSONParser(bytes)
        let value = try parser.value(depth: 1)
        parser.skipSpace()
        guard parser.position == bytes.count else {
            throw parser.unexpected("the end of the document")
        }
        return value
    }

    /// Parse a document.
    static func parse(_ text: String) throws(InvalidValue) -> JSONValue {
        try parse(Array(text.utf8))
    }

    private func unexpected(_ expected: String) -> InvalidValue {
        InvalidValue("this is no JSON: expected \(expected) at byte \(position)")
    }

    private var current: UInt8? {
        position < bytes.count ? bytes[position] : nil
    }

    private mutating func skipSpace() {
        while let byte = current, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
            position += 1
        }
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard current == byte else { return false }
        position += 1
        return true
    }

    private mutating func value(depth: Int) throws(InvalidValue) -> JSONValue {
        guard depth <= JSONParser.deepest else {
            throw InvalidValue("expected at most \(JSONParser.deepest) values inside each other")
        }
        skipSpace()
        switch current {
        case UInt8(ascii: "{"): return try object(depth: depth)
        case UInt8(ascii: "["): return try array(depth: depth)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        default: return .number(try number())
        }
    }

    private mutating func word(_ word: String, _ value: JSONValue) throws(InvalidValue) -> JSONValue {
        for byte in word.utf8 {
            guard take(byte) else { throw unexpected(word) }
        }
        return value
    }

    private mutating func object(depth: Int) throws(InvalidValue) -> JSONValue {
        position += 1
        var members: [JSONMember] = []
        skipSpace()
        if take(UInt8(ascii: "}")) { return .object([]) }
        while true {
            skipSpace()
            guard current == UInt8(ascii: "\"") else { throw unexpected("a name") }
            let name = try string()
            skipSpace()
            guard take(UInt8(ascii: ":")) else { throw unexpected("a colon") }
            members.append(JSONMember(name: name, value: try value(depth: depth + 1)))
            skipSpace()
            if take(UInt8(ascii: "}")) { return .object(members) }
            guard take(UInt8(ascii: ",")) else { throw unexpected("a comma") }
        }
    }

    private mutating func array(depth: Int) throws(InvalidValue) -> JSONValue {
        position += 1
        var items: [JSONValue] = []
        skipSpace()
        if take(UInt8(ascii: "]")) { return .array([]) }
        while true {
            items.append(try value(depth: depth + 1))
            skipSpace()
            if take(UInt8(ascii: "]")) { return .array(items) }
            guard take(UInt8(ascii: ",")) else { throw unexpected("a comma") }
        }
    }

    private mutating func string() throws(InvalidValue) -> String {
        position += 1
        var found: [UInt8] = []
        while let byte = current {
            position += 1
            switch byte {
            case UInt8(ascii: "\""):
                guard let text = String(validatingUTF8Bytes: found) else {
                    throw unexpected("UTF-8 text before the quote")
                }
                return text
            case UInt8(ascii: "\\"):
                found.append(contentsOf: try escaped())
            case 0..<0x20:
                throw unexpected("no control character")
            default:
                found.append(byte)
            }
        }
        throw unexpected("a quote")
    }

    private mutating func escaped() throws(InvalidValue) -> [UInt8] {
        guard let byte = current else { throw unexpected("an escape") }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
        case UInt8(ascii: "b"): return [0x08]
        case UInt8(ascii: "f"): return [0x0C]
        case UInt8(ascii: "n"): return [0x0A]
        case UInt8(ascii: "r"): return [0x0D]
        case UInt8(ascii: "t"): return [0x09]
        case UInt8(ascii: "u"):
            var code = try hexadecimal()
            if (0xD800..<0xDC00).contains(code) {
                guard take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) else {
                    throw unexpected("the other half of a surrogate pair")
                }
                let low = try hexadecimal()
                guard (0xDC00..<0xE000).contains(low) else {
                    throw unexpected("the other half of a surrogate pair")
                }
                code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
            }
            guard let scalar = Unicode.Scalar(code) else {
                throw unexpected("the first half of a surrogate pair")
            }
            return Array(String(Character(scalar)).utf8)
        default:
            throw unexpected("an escape")
        }
    }

    private mutating func hexadecimal() throws(InvalidValue) -> UInt32 {
        var code: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = current, let digit = Character(Unicode.Scalar(byte)).hexDigitValue,
                byte < 0x80
            else { throw unexpected("four hexadecimal digits") }
            code = code << 4 + UInt32(digit)
            position += 1
        }
        return code
    }

    private mutating func number() throws(InvalidValue) -> String {
        let start = position
        _ = take(UInt8(ascii: "-"))
        if !take(UInt8(ascii: "0")) {
            try digits()
        }
        if take(UInt8(ascii: ".")) {
            try digits()
        }
        if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
            if !take(UInt8(ascii: "+")) {
                _ = take(UInt8(ascii: "-"))
            }
            try digits()
        }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    private mutating func digits() throws(InvalidValue) {
        let start = position
        while let byte = current, isDigit(byte) {
            position += 1
        }
        guard position > start else { throw unexpected("a value") }
    }
}

extension String {
    /// Text of bytes; nil when they are no UTF-8.
    init?(validatingUTF8Bytes bytes: [UInt8]) {
        let text = String(decoding: bytes, as: UTF8.self)
        // What is no UTF-8 was replaced, and so has become other bytes.
        guard text.utf8.elementsEqual(bytes) else { return nil }
        self = text
    }
}

/// Whether a byte is a digit of ASCII.
func isDigit(_ byte: UInt8) -> Bool {
    UInt8(ascii: "0") <= byte && byte <= UInt8(ascii: "9")
}
