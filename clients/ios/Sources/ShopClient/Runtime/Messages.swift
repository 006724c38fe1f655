import Foundation

/// A message of a contract. It can be kept as ProtoJSON text, and read from it again.
public protocol ContractMessage: Sendable, Hashable {
    /// The message's full name in the contract, such as `inventory.v1.Item`.
    static var contractName: String { get }

    /// Read the fields of an object.
    init(from object: MessageReader) throws(InvalidValue)

    /// Write the fields into an object.
    func write(to object: inout MessageWriter) throws(InvalidValue)
}

extension ContractMessage {
    /// Read a message from ProtoJSON text. Members that this version does not know are ignored.
    public init(protoJSON text: String) throws(InvalidValue) {
        let value = try JSONParser.parse(text)
        try self.init(from: MessageReader(value, depth: 1))
    }

    /// Write the message as ProtoJSON text.
    ///
    /// - Parameter defaults: whether to write what has its default, as servers do.
    public func protoJSON(defaults: Bool = false) throws(InvalidValue) -> String {
        var writer = MessageWriter(defaults: defaults)
        try write(to: &writer)
        return writer.object.serialized()
    }
}

extension JSONForm where Self: ContractMessage {
    init(json: JSONValue, depth: Int) throws(InvalidValue) {
        try self.init(from: MessageReader(json, depth: depth))
    }

    func json(defaults: Bool) throws(InvalidValue) -> JSONValue {
        var writer = MessageWriter(defaults: defaults)
        try write(to: &writer)
        return writer.object
    }

    // A message that is there is never what an absent one is.
    var isDefault: Bool { false }
}

/// What a message is read from; generated code alone asks it for fields.
public struct MessageReader {
    private static let deepest = 100

    private let members: [String: JSONValue]
    private let depth: Int

    init(_ value: JSONValue, depth: Int) throws(InvalidValue) {
        guard let members = value.members else {
            throw InvalidValue.expected("an object", got: value)
        }
        guard depth <= MessageReader.deepest else {
            throw InvalidValue("expected at most \(MessageReader.deepest) messages inside each other")
        }
        self.members = members
        self.depth = depth
    }

    /// A single value; nil when it is absent or null.
    func value<Value: JSONForm>(
        _ name: String, _ protoName: String? = nil
    ) throws(InvalidValue) -> Value? {
        guard let (key, json) = try member(name, protoName) else { return nil }
        do {
            return try Value(json: json, depth: depth + 1)
        } catch {
            throw error.under(key)
        }
    }

    /// A single value that must be there.
    func required<Value: JSONForm>(
        _ name: String, _ protoName: String? = nil
    ) throws(InvalidValue) -> Value {
        guard let found: Value = try value(name, protoName) else {
            throw InvalidValue("it is missing", path: name)
        }
        return found
    }

    /// The values of a repeated field.
    func list<Value: JSONForm>(
        _ name: String, _ protoName: String? = nil
    ) throws(InvalidValue) -> [Value] {
        guard let (key, json) = try member(name, protoName) else { return [] }
        guard case .array(let items) = json else {
            throw InvalidValue.expected("an array", got: json).under(key)
        }
        var found: [Value] = []
        for (index, item) in items.enumerated() {
            do {
                found.append(try Value(json: item, depth: depth + 1))
            } catch {
                throw error.under("[\(index)]").under(key)
            }
        }
        return found
    }

    /// The entries of a map.
    func map<Key: MapKeyForm, Value: JSONForm>(
        _ name: String, _ protoName: String? = nil
    ) throws(InvalidValue) -> [Key: Value] {
        guard let (key, json) = try member(name, protoName) else { return [:] }
        guard let entries = json.members else {
            throw InvalidValue.expected("an object", got: json).under(key)
        }
        var found: [Key: Value] = [:]
        for (text, item) in entries {
            do {
                found[try Key(mapKey: text)] = try Value(json: item, depth: depth + 1)
            } catch {
                throw error.under("[\(text)]").under(key)
            }
        }
        return found
    }

    /// Refuse an object that has more than one case of a oneof.
    func checkOneOf(_ names: [String]) throws(InvalidValue) {
        let found = names.filter { name in (members[name] ?? .null) != .null }
        if found.count > 1 {
            throw InvalidValue("expected only one of the cases \(found[0]) and \(found[1])")
        }
    }

    private func member(
        _ name: String, _ protoName: String?
    ) throws(InvalidValue) -> (String, JSONValue)? {
        let value = members[name] ?? .null
        guard let protoName, let other = members[protoName], other != .null else {
            return value == .null ? nil : (name, value)
        }
        guard value == .null else {
            throw InvalidValue("expected only one of its names \(name) and \(protoName)")
        }
        return (protoName, other)
    }
}

/// What a message is written to; generated code alone gives it fields.
public struct MessageWriter {
    private var members: [JSONMember] = []
    private let defaults: Bool
    private let always: Set<String>

    /// - Parameters:
    ///   - defaults: whether to write what has its default.
    ///   - always: fields that are written all the same.
    init(defaults: Bool, always: Set<String> = []) {
        self.defaults = defaults
        self.always = always
    }

    /// What was written.
    var object: JSONValue { .object(members) }

    /// Write a field without presence.
    mutating func put<Value: JSONForm>(_ name: String, _ value: Value) throws(InvalidValue) {
        if defaults || !value.isDefault || always.contains(name) {
            try putAlways(name, value)
        }
    }

    /// Write a field that can be absent.
    mutating func put<Value: JSONForm>(_ name: String, _ value: Value?) throws(InvalidValue) {
        if let value {
            try putAlways(name, value)
        }
    }

    /// Write a repeated field.
    mutating func put<Value: JSONForm>(_ name: String, _ values: [Value]) throws(InvalidValue) {
        if values.isEmpty && !defaults { return }
        var items: [JSONValue] = []
        for (index, value) in values.enumerated() {
            do {
                items.append(try value.json(defaults: defaults))
            } catch {
                throw error.under("[\(index)]").under(name)
            }
        }
        members.append(JSONMember(name: name, value: .array(items)))
    }

    /// Write a map, in the order of its keys.
    mutating func put<Key: MapKeyForm, Value: JSONForm>(
        _ name: String, _ values: [Key: Value]
    ) throws(InvalidValue) {
        if values.isEmpty && !defaults { return }
        var entries: [JSONMember] = []
        for (key, value) in values {
            do {
                let json = try value.json(defaults: defaults)
                entries.append(JSONMember(name: key.mapKey, value: json))
            } catch {
                throw error.under("[\(key.mapKey)]").under(name)
            }
        }
        entries.sort { one, other in one.name < other.name }
        members.append(JSONMember(name: name, value: .object(entries)))
    }

    /// Write a field that is always there.
    mutating func putAlways<Value: JSONForm>(_ name: String, _ value: Value) throws(InvalidValue) {
        do {
            members.append(JSONMember(name: name, value: try value.json(defaults: defaults)))
        } catch {
            throw error.under(name)
        }
    }
}
