/// An enum of a contract. A value that this version does not know is kept, and sent back as it came.
public protocol ContractEnum: Sendable, Hashable {
    /// The enum's full name in the contract, such as `inventory.v1.Category`.
    static var contractName: String { get }

    /// The values that this version knows, in the contract's order.
    static var knownValues: [KnownValue<Self>] { get }

    /// A value that this version does not know.
    static func unrecognized(_ value: UnrecognizedValue) -> Self

    /// What is known of a value that this version does not know; nil for others.
    var unrecognizedValue: UnrecognizedValue? { get }
}

/// What is known of an enum's value that a newer server has.
public enum UnrecognizedValue: Sendable, Hashable {
    /// Its name in the contract.
    case name(String)
    /// Its number.
    case number(Int32)
}

/// An enum's value, with its name and number in the contract.
public struct KnownValue<Value: Sendable & Hashable>: Sendable, Hashable {
    /// The value.
    public let value: Value
    /// Its name, such as `CATEGORY_BOOKS`.
    public let name: String
    /// Its number.
    public let number: Int32

    init(_ value: Value, _ name: String, _ number: Int32) {
        self.value = value
        self.name = name
        self.number = number
    }
}

extension ContractEnum {
    /// The value's name in the contract; the digits of its number where it has none that is known.
    public var contractValueName: String {
        switch unrecognizedValue {
        case .name(let name): return name
        case .number(let number): return String(number)
        case nil: return Self.knownValues.first { known in known.value == self }?.name ?? ""
        }
    }

    fileprivate static func of(_ number: Int32) -> Self {
        let known = knownValues.first { known in known.number == number }
        return known?.value ?? unrecognized(.number(number))
    }
}

extension JSONForm where Self: ContractEnum {
    init(json: JSONValue, depth: Int) throws(InvalidValue) {
        if case .string(let name) = json {
            if let known = Self.knownValues.first(where: { known in known.name == name }) {
                self = known.value
                return
            }
            // A newer server has names that are not known here.
            if isIdentifier(name) {
                self = .unrecognized(.name(name))
                return
            }
        }
        do {
            self = .of(try Int32(json: json, depth: depth))
        } catch {
            throw InvalidValue.expected("a name or number of \(Self.contractName)", got: json)
        }
    }

    func json(defaults: Bool) throws(InvalidValue) -> JSONValue {
        if case .number(let number) = unrecognizedValue {
            return .number(String(number))
        }
        return .string(contractValueName)
    }

    var isDefault: Bool { self == .of(0) }
}

private func isIdentifier(_ name: String) -> Bool {
    guard let first = name.utf8.first, !isDigit(first) else { return false }
    return name.utf8.allSatisfy { byte in
        isDigit(byte) || byte == UInt8(ascii: "_")
            || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
            || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
    }
}
