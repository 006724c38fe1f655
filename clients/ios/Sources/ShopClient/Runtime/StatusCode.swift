/// A canonical status code. A code that this version does not know is one, too.
///
/// Source: https://grpc.io/docs/guides/status-codes.
public struct StatusCode: RawRepresentable, Sendable, Hashable, CustomStringConvertible {
    /// Its name, such as `NOT_FOUND`.
    public let rawValue: String

    /// A code by its name.
    public init(rawValue: String) {
        self.rawValue = rawValue
    }

    /// Its name.
    public var description: String { rawValue }

    /// Who called has ended the call.
    public static let cancelled = StatusCode(rawValue: "CANCELLED")
    /// Nobody knows what it is.
    public static let unknown = StatusCode(rawValue: "UNKNOWN")
    /// The request can never succeed.
    public static let invalidArgument = StatusCode(rawValue: "INVALID_ARGUMENT")
    /// There was no answer in time.
    public static let deadlineExceeded = StatusCode(rawValue: "DEADLINE_EXCEEDED")
    /// What was asked for is not there.
    public static let notFound = StatusCode(rawValue: "NOT_FOUND")
    /// What was to be made is there.
    public static let alreadyExists = StatusCode(rawValue: "ALREADY_EXISTS")
    /// Who calls may not do that.
    public static let permissionDenied = StatusCode(rawValue: "PERMISSION_DENIED")
    /// Too much is asked for.
    public static let resourceExhausted = StatusCode(rawValue: "RESOURCE_EXHAUSTED")
    /// Something must be done before.
    public static let failedPrecondition = StatusCode(rawValue: "FAILED_PRECONDITION")
    /// Somebody else was faster.
    public static let aborted = StatusCode(rawValue: "ABORTED")
    /// What was asked for lies beyond the end.
    public static let outOfRange = StatusCode(rawValue: "OUT_OF_RANGE")
    /// The server does not have the method.
    public static let unimplemented = StatusCode(rawValue: "UNIMPLEMENTED")
    /// The server is broken, or its answer is none of the contract's.
    public static let `internal` = StatusCode(rawValue: "INTERNAL")
    /// The server is not there, or not any more.
    public static let unavailable = StatusCode(rawValue: "UNAVAILABLE")
    /// Something is lost for ever.
    public static let dataLoss = StatusCode(rawValue: "DATA_LOSS")
    /// Nobody is signed in.
    public static let unauthenticated = StatusCode(rawValue: "UNAUTHENTICATED")

    /// What the status of an HTTP answer stands for that is no problem, since something between wrote it.
    init(httpStatus: Int) {
        switch httpStatus {
        case 400, 413: self = .invalidArgument
        case 401: self = .unauthenticated
        case 403: self = .permissionDenied
        case 404: self = .notFound
        case 408, 504: self = .deadlineExceeded
        case 429: self = .resourceExhausted
        case 500: self = .internal
        case 501: self = .unimplemented
        case 502, 503: self = .unavailable
        default: self = .unknown
        }
    }
}
