/// A JSON value whose numbers are the digits that stood there, so that none is rounded.
enum JSONValue: Sendable, Hashable {
    case null
    case bool(Bool)
    case number(String)
    case string(String)
    case array([JSONValue])
    case object([JSONMember])
}

/// A member of an object.
struct JSONMember: Sendable, Hashable {
    let name: String
    let value: JSONValue
}

extension JSONValue {
    /// The members of an object; of two with one name the last counts.
    var members: [String: JSONValue]? {
        guard case .object(let members) = self else { return nil }
        var found: [String: JSONValue] = [:]
        for member in members {
            found[member.name] = member.value
        }
        return found
    }

    /// The text of a string.
    var text: String? {
        guard case .string(let text) = self else { return nil }
        return text
    }

    /// The value as JSON text.
    func serialized() -> String {
        var text = ""
        write(to: &text)
        return text
    }

    /// The value in a few words, for error messages.
    var summary: String {
        switch self {
        case .array: return "an array"
        case .object: return "an object"
        default:
            let text = serialized()
            return text.count > 60 ? "\(text.prefix(60))…" : text
        }
    }

    private func write(to text: inout String) {
        switch self {
        case .null: text += "null"
        case .bool(let value): text += value ? "true" : "false"
        case .number(let digits): text += digits
        case .string(let value): JSONValue.quote(value, to: &text)
        case .array(let items):
            text += "["
            for (index, item) in items.enumerated() {
                if index > 0 { text += "," }
                item.write(to: &text)
            }
            text += "]"
        case .object(let members):
            text += "{"
            for (index, member) in members.enumerated() {
                if index > 0 { text += "," }
                JSONValue.quote(member.name, to: &text)
                text += ":"
                member.value.write(to: &text)
            }
            text += "}"
        }
    }

    private static func quote(_ value: String, to text: inout String) {
        text += "\""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\t": text += "\\t"
            default:
                if scalar.value < 0x20 {
                    let digits = String(scalar.value, radix: 16)
                    text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
                } else {
                    text.unicodeScalars.append(scalar)
                }
            }
        }
        text += "\""
    }
}
