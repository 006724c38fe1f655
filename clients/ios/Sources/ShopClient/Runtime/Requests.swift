import Foundation

/// How the fields of a request become a path, a query and a body.
struct PreparedRequest: Sendable {
    /// The path and the query.
    let target: String
    let body: String?

    /// Prepare a request of members that were written.
    ///
    /// - Throws: INVALID_ARGUMENT when no path can hold a member.
    init(_ method: MethodDescriptor, _ members: [JSONMember]) throws(ApiError) {
        var rest = members
        var target = ""
        for (at, part) in method.path.split(separator: "{", omittingEmptySubsequences: false).enumerated() {
            guard at > 0, let end = part.firstIndex(of: "}") else {
                target += part
                continue
            }
            let name = percentDecoded(String(part[..<end]))
            target += try PreparedRequest.segment(name, rest) + part[part.index(after: end)...]
            rest.removeAll { member in member.name == name }
        }
        var pairs: [String] = []
        for name in method.query {
            for text in PreparedRequest.texts(name, rest) {
                pairs.append("\(percentEncoded(name))=\(percentEncoded(text))")
            }
        }
        self.target = pairs.isEmpty ? target : "\(target)?\(pairs.joined(separator: "&"))"
        switch method.body {
        case .nothing: body = nil
        case .rest: body = JSONValue.object(rest).serialized()
        case .field(let name):
            let held = rest.first { member in member.name == name }
            body = (held?.value ?? .object([])).serialized()
        }
    }

    /// Prepare a request.
    ///
    /// - Throws: INVALID_ARGUMENT when a field is no value of its type, or no path can hold it.
    init<Request: JSONForm>(_ method: MethodDescriptor, _ request: Request) throws(ApiError) {
        try self.init(method, PreparedRequest.members(method, request))
    }

    /// Write what follows the first request of a conversation, without what its path says.
    static func frame<Request: JSONForm>(
        _ method: MethodDescriptor, _ request: Request
    ) throws(ApiError) -> String {
        let inPath = Set(method.pathFields)
        let rest = try members(method, request).filter { member in !inPath.contains(member.name) }
        return JSONValue.object(rest).serialized()
    }

    /// The members of a request: none that has its default, but those of the path.
    static func members<Request: JSONForm>(
        _ method: MethodDescriptor, _ request: Request
    ) throws(ApiError) -> [JSONMember] {
        do {
            var json = try request.json(defaults: false)
            if let message = request as? any ContractMessage {
                var writer = MessageWriter(defaults: false, always: Set(method.pathFields))
                try message.write(to: &writer)
                json = writer.object
            }
            guard case .object(let members) = json else { return [] }
            return members
        } catch {
            throw ApiError.invalid("\(error)")
        }
    }

    private static func segment(_ name: String, _ members: [JSONMember]) throws(ApiError) -> String {
        let text = texts(name, members).first ?? ""
        // Of these, platforms make another path before they send it.
        if text.isEmpty || text == "." || text == ".." {
            throw ApiError.invalid("\(name): \"\(text)\" cannot be part of a path")
        }
        return percentEncoded(text)
    }

    private static func texts(_ name: String, _ members: [JSONMember]) -> [String] {
        guard let value = members.first(where: { member in member.name == name })?.value else {
            return []
        }
        if case .array(let items) = value {
            return items.map(plainText)
        }
        return [plainText(value)]
    }

    private static func plainText(_ value: JSONValue) -> String {
        value.text ?? value.serialized()
    }
}

extension MethodDescriptor {
    /// The fields that the path holds.
    var pathFields: [String] {
        path.split(separator: "{", omittingEmptySubsequences: false).dropFirst().map { part in
            percentDecoded(String(part.prefix { sign in sign != "}" }))
        }
    }
}

/// A text in which all but letters, digits and `-._~` is percent-encoded.
///
/// Source: https://www.rfc-editor.org/rfc/rfc3986#section-2.3.
func percentEncoded(_ text: String) -> String {
    var encoded = ""
    for byte in text.utf8 {
        let isLetter =
            (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
            || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
        if isLetter || isDigit(byte) || "-._~".utf8.contains(byte) {
            encoded.unicodeScalars.append(Unicode.Scalar(byte))
        } else {
            let digits = String(byte, radix: 16, uppercase: true)
            encoded += byte < 16 ? "%0\(digits)" : "%\(digits)"
        }
    }
    return encoded
}

/// The text that was percent-encoded.
func percentDecoded(_ text: String) -> String {
    text.removingPercentEncoding ?? text
}
