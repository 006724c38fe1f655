/// A set of fields, by their paths in lowerCamelCase.
///
/// Source: https://protobuf.dev/reference/protobuf/google.protobuf/#field-mask.
public struct FieldMask: Sendable, Hashable, ExpressibleByArrayLiteral {
    /// The paths, such as `name` and `price.minorUnits`.
    public var paths: [String]

    /// A mask of some paths.
    public init(paths: [String]) {
        self.paths = paths
    }

    /// A mask of some paths.
    public init(arrayLiteral paths: String...) {
        self.paths = paths
    }
}

extension FieldMask: JSONForm {
    init(json: JSONValue, depth: Int) throws(InvalidValue) {
        guard case .string(let text) = json else {
            throw InvalidValue.expected(FieldMask.form, got: json)
        }
        let paths = text.isEmpty ? [] : text.split(separator: ",", omittingEmptySubsequences: false)
        guard paths.allSatisfy(FieldMask.isPath) else {
            throw InvalidValue.expected(FieldMask.form, got: json)
        }
        self.init(paths: paths.map(String.init))
    }

    func json(defaults: Bool) throws(InvalidValue) -> JSONValue {
        let text = JSONValue.string(paths.joined(separator: ","))
        guard paths.allSatisfy({ path in FieldMask.isPath(path[...]) }) else {
            throw InvalidValue.expected(FieldMask.form, got: text)
        }
        return text
    }

    var isDefault: Bool { false }

    private static let form = "paths in lowerCamelCase with commas between them"

    /// An underscore would come back as a capital letter, and a comma as two paths.
    private static func isPath(_ path: Substring) -> Bool {
        !path.isEmpty
            && path.utf8.allSatisfy { byte in
                (0x21...0x7E).contains(byte) && byte != UInt8(ascii: ",") && byte != UInt8(ascii: "_")
            }
    }
}

/// A message without fields.
public struct Empty: ContractMessage, JSONForm {
    /// Its full name.
    public static let contractName = "google.protobuf.Empty"

    /// A message without fields.
    public init() {}

    /// Read no fields.
    public init(from object: MessageReader) throws(InvalidValue) {}

    /// Write no fields.
    public func write(to object: inout MessageWriter) throws(InvalidValue) {}
}
