/// A method of a contract, as it is bound to HTTP.
struct MethodDescriptor: Sendable {
    /// What a method does to the session.
    enum SessionRole: Sendable {
        /// Its answer begins one.
        case begins
        /// It ends that of its refresh token.
        case ends
    }

    /// What the body of a request holds.
    enum Body: Sendable {
        case nothing
        /// All that the path does not.
        case rest
        /// One field.
        case field(String)
    }

    /// Its full name, such as `library.v1.LibraryApi.GetBook`.
    let name: String
    let verb: String
    /// Its path, in which `{isbn}` stands for a field of the request. Names are percent-encoded.
    let path: String
    /// The fields that go into the query.
    var query: [String] = []
    var body: Body = .nothing
    /// How long a call may take when nothing else is said.
    let timeout: Duration
    /// Whether it may be called again when nobody knows if the call before took effect.
    var isRepeatable = false
    /// Whether a call has a key, by which the server knows it again.
    var takesKey = false
    /// The errors that it declares, by their names.
    var errors: [String: any ContractMessage.Type] = [:]
    var session: SessionRole?
    /// Whether nobody need be signed in.
    var isPublic = false
    /// Whether a stream goes on where it broke off.
    var resumes = false
}

extension MethodDescriptor {
    /// Whether a token goes along. Who begins or ends a session proves who they are by the request.
    var showsToken: Bool { session == nil || !isPublic }
}

/// What a caller may say of one call. To end a call early, cancel its task.
public struct CallOptions: Sendable {
    /// How long the call may take, over all attempts; nil for what the contract says. A stream may
    /// last for ever when it is nil.
    public var timeout: Duration?
    /// The key of a method that takes one. Without it each call makes its own, which its attempts
    /// share; give one to ask again after your program was restarted.
    public var idempotencyKey: String?

    /// What a caller may say of one call.
    public init(timeout: Duration? = nil, idempotencyKey: String? = nil) {
        self.timeout = timeout
        self.idempotencyKey = idempotencyKey
    }
}
