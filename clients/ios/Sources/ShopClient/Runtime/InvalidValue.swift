/// A value that is not what the contract says.
public struct InvalidValue: Error, Sendable, Hashable, CustomStringConvertible {
    /// What was expected instead.
    public let reason: String
    /// Where it stands, such as `lines[2].quantity`; empty for a whole document.
    public let path: String

    init(_ reason: String, path: String = "") {
        self.reason = reason
        self.path = path
    }

    /// The same inside of a field or an element.
    func under(_ part: String) -> InvalidValue {
        let dot = path.isEmpty || path.hasPrefix("[") ? "" : "."
        return InvalidValue(reason, path: part + dot + path)
    }

    /// The path and what was expected there.
    public var description: String {
        path.isEmpty ? reason : "\(path): \(reason)"
    }
}

extension InvalidValue {
    static func expected(_ what: String, got value: JSONValue) -> InvalidValue {
        InvalidValue("expected \(what), got \(value.summary)")
    }
}
