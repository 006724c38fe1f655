import Foundation

/// A type of single values, and what they are in ProtoJSON.
///
/// Source: https://protobuf.dev/programming-guides/json.
protocol JSONForm: Sendable, Hashable {
    /// Read a value; `depth` counts the messages around it, itself included.
    init(json: JSONValue, depth: Int) throws(InvalidValue)

    /// Write a value; `defaults` says whether messages in it write what has its default.
    func json(defaults: Bool) throws(InvalidValue) -> JSONValue

    /// Whether it is the value of an absent field without presence.
    var isDefault: Bool { get }
}

/// A type of keys of maps, which are texts in JSON.
protocol MapKeyForm: JSONForm {
    init(mapKey: String) throws(InvalidValue)
    var mapKey: String { get }
}

extension String: JSONForm, MapKeyForm {
    init(json: JSONValue, depth: Int) throws(InvalidValue) {
        guard case .string(let text) = json else {
            throw InvalidValue.expected("a string", got: json)
        }
        self = text
    }

    func json(defaults: Bool) throws(InvalidValue) -> JSONValue { .string(self) }
    var isDefault: Bool { isEmpty }
    init(mapKey: String) throws(InvalidValue) { self = mapKey }
    var mapKey: String { self }
}

extension Bool: JSONForm, MapKeyForm {
    init(json: JSONValue, depth: Int) throws(InvalidValue) {
        guard case .bool(let value) = json else {
            throw InvalidValue.expected("true or false", got: json)
        }
        self = value
    }

    func json(defaults: Bool) throws(InvalidValue) -> JSONValue { .bool(self) }
    var isDefault: Bool { !self }

    init(mapKey: String) throws(InvalidValue) {
        guard mapKey == "true" || mapKey == "false" else {
            throw InvalidValue.expected("\"true\" or \"false\"", got: .string(mapKey))
        }
        self = mapKey == "true"
    }

    var mapKey: String { self ? "true" : "false" }
}

/// Integers of 32 bits are numbers in JSON, those of 64 bits texts; both are read from either.
protocol IntegerForm: MapKeyForm, FixedWidthInteger {
    static var contractType: String { get }
}

extension IntegerForm {
    init(json: JSONValue, depth: Int) throws(InvalidValue) {
        var digits: String?
        switch json {
        case .number(let text), .string(let text): digits = text
        default: digits = nil
        }
        guard let digits, let value: Self = exactInteger(digits) else {
            throw InvalidValue.expected("an \(Self.contractType)", got: json)
        }
        self = value
    }

    func json(defaults: Bool) throws(InvalidValue) -> JSONValue {
        Self.bitWidth == 64 ? .string(String(self)) : .number(String(self))
    }

    var isDefault: Bool { self == 0 }

    init(mapKey: String) throws(InvalidValue) {
        try self.init(json: .string(mapKey), depth: 1)
    }

    var mapKey: String { String(self) }
}

extension Int32: IntegerForm {
    static var contractType: String { "int32" }
}

extension Int64: IntegerForm {
    static var contractType: String { "int64" }
}

extension UInt32: IntegerForm {
    static var contractType: String { "uint32" }
}

extension UInt64: IntegerForm {
    static var contractType: String { "uint64" }
}

extension Double: JSONForm {
    init(json: JSONValue, depth: Int) throws(InvalidValue) {
        guard let value = floatingPoint(json) else {
            throw InvalidValue.expected("a double", got: json)
        }
        self = value
    }

    func json(defaults: Bool) throws(InvalidValue) -> JSONValue { numberOrName(self) }
    // -0.0 is another value, though it equals 0.0.
    var isDefault: Bool { self == 0 && sign == .plus }
}

extension Float: JSONForm {
    init(json: JSONValue, depth: Int) throws(InvalidValue) {
        guard let value = floatingPoint(json) else {
            throw InvalidValue.expected("a float", got: json)
        }
        self = Float(value)
        if value.isFinite && !self.isFinite {
            throw InvalidValue.expected("a float", got: json)
        }
    }

    func json(defaults: Bool) throws(InvalidValue) -> JSONValue { numberOrName(self) }
    var isDefault: Bool { self == 0 && sign == .plus }
}

extension Data: JSONForm {
    init(json: JSONValue, depth: Int) throws(InvalidValue) {
        guard case .string(let text) = json, let bytes = Data(anyBase64: text) else {
            throw InvalidValue.expected("bytes in base64", got: json)
        }
        self = bytes
    }

    func json(defaults: Bool) throws(InvalidValue) -> JSONValue { .string(base64EncodedString()) }
    var isDefault: Bool { isEmpty }

    /// Bytes of base64 in either alphabet, with the right padding or none.
    init?(anyBase64 text: String) {
        var digits = Array(text.utf8)
        while digits.last == UInt8(ascii: "=") {
            digits.removeLast()
        }
        let padding = text.utf8.count - digits.count
        let isWhole = padding > 0 ? text.utf8.count % 4 == 0 && padding <= 2 : digits.count % 4 != 1
        let isUnsafe = digits.contains(UInt8(ascii: "+")) || digits.contains(UInt8(ascii: "/"))
        let isSafe = digits.contains(UInt8(ascii: "-")) || digits.contains(UInt8(ascii: "_"))
        guard isWhole, !(isUnsafe && isSafe) else { return nil }
        for (index, byte) in digits.enumerated() {
            if byte == UInt8(ascii: "-") { digits[index] = UInt8(ascii: "+") }
            if byte == UInt8(ascii: "_") { digits[index] = UInt8(ascii: "/") }
        }
        while digits.count % 4 != 0 {
            digits.append(UInt8(ascii: "="))
        }
        self.init(base64Encoded: Data(digits))
    }
}
