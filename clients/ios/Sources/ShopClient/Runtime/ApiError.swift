/// A call has failed.
public struct ApiError: Error, Sendable, CustomStringConvertible {
    /// What kind of error it is.
    public let code: StatusCode
    /// What has happened, in one sentence.
    public let message: String
    /// The HTTP status; nil when there was no answer.
    public var status: Int?
    /// The error of the contract that it is, with its fields: `error.declared as? Inventory.ItemNotFound`.
    public var declared: (any ContractMessage)?
    /// The name of that error in the contract, also of one that this version does not know.
    public var declaredName: String?
    /// The fields of the request that are refused, where the answer names them.
    public var fieldProblems: [FieldProblem] = []
    /// After how long the server wants to be asked again, where it says so.
    public var retryAfter: Duration?
    /// The id by which the server's log knows the request.
    public var requestID: String?

    /// Whether the call must not be made again, whatever its contract says.
    var isFinal = false

    /// An error; tests of programs that call may make some.
    public init(code: StatusCode, message: String) {
        self.code = code
        self.message = message
    }

    /// The code, or the name of the contract's error, and what has happened.
    public var description: String { "\(declaredName ?? code.rawValue): \(message)" }
}

/// A field of a request that is refused, and why.
public struct FieldProblem: Sendable, Hashable {
    /// Where the field is, such as `items[2].quantity`.
    public let field: String
    /// What is wrong with it.
    public let detail: String
}

extension ApiError {
    /// Whether it may be over soon, be it that the call took effect or not.
    var isTransient: Bool {
        declaredName == nil && (code == .unavailable || code == .resourceExhausted)
    }

    /// The same error, after which nothing is tried again.
    var asFinal: ApiError {
        var error = self
        error.isFinal = true
        return error
    }

    static let cancelled = ApiError(code: .cancelled, message: "the call was cancelled")

    static func tooLate(_ timeout: Duration) -> ApiError {
        ApiError(code: .deadlineExceeded, message: "there was no answer within \(timeout)")
    }

    static func unavailable(_ reason: String) -> ApiError {
        ApiError(code: .unavailable, message: reason)
    }

    static func invalid(_ reason: String) -> ApiError {
        ApiError(code: .invalidArgument, message: reason)
    }

    /// An answer that is none of the contract's.
    static func notOfContract(_ name: String, _ reason: InvalidValue) -> ApiError {
        ApiError(code: .internal, message: "the answer is no \(name): \(reason)")
    }

    /// The error that a problem describes.
    ///
    /// Source: RFC 9457, https://www.rfc-editor.org/rfc/rfc9457, with the members `code`, `error`,
    /// `fields` and `errors`.
    init(problem body: [UInt8], status: Int?, declares: [String: any ContractMessage.Type]) {
        let problem = (try? JSONParser.parse(body))?.members ?? [:]
        let code = problem["code"]?.text.map(StatusCode.init(rawValue:))
        let title = problem["detail"]?.text ?? problem["title"]?.text
        self.init(
            code: code ?? status.map(StatusCode.init(httpStatus:)) ?? .unknown,
            message: title ?? "the answer has status \(status ?? 0)")
        self.status = status
        declaredName = problem["error"]?.text
        fieldProblems = ApiError.fieldProblems(problem["errors"])
        if let name = declaredName, let type = declares[name] {
            // Fields that are none of the contract's say less than the error's name.
            declared = try? type.init(from: MessageReader(problem["fields"] ?? .object([]), depth: 1))
        }
    }

    private static func fieldProblems(_ json: JSONValue?) -> [FieldProblem] {
        guard case .array(let items) = json else { return [] }
        return items.map { item in
            let members = item.members ?? [:]
            return FieldProblem(
                field: members["field"]?.text ?? "", detail: members["detail"]?.text ?? "")
        }
    }
}
