import Foundation

/// What is sent.
public struct HTTPRequest: Sendable {
    /// Such as `GET`.
    public let verb: String
    /// Where to.
    public let url: URL
    /// Headers by their names in small letters.
    public let headers: [String: String]
    /// The body.
    public let body: Data?
    /// How long the server may be silent before the connection is taken for lost; nil for ever.
    public let silence: Duration?
}

/// An answer whose body is still to be read.
public struct HTTPResponse: Sendable {
    /// The HTTP status.
    public let status: Int
    /// Headers by their names in small letters.
    public let headers: [String: String]
    /// What follows.
    public let body: HTTPBody

    /// An answer.
    public init(status: Int, headers: [String: String], body: HTTPBody) {
        self.status = status
        self.headers = headers
        self.body = body
    }
}

/// What carries requests: ``URLSessionTransport``, or one that a test writes.
public protocol HTTPTransport: Sendable {
    /// Send a request; who cancels the task ends it.
    ///
    /// - Throws: any error when there is no answer.
    func send(_ request: HTTPRequest) async throws -> HTTPResponse

    /// Open a WebSocket.
    ///
    /// - Throws: any error when there is none.
    func open(_ url: URL, headers: [String: String]) async throws -> any WebSocket
}

/// A WebSocket that is open.
public protocol WebSocket: Sendable {
    /// Send a text.
    func send(_ text: String) async throws

    /// Wait for what comes next.
    ///
    /// - Throws: any error when the connection is lost.
    func receive() async throws -> WebSocketEvent

    /// Close it, for the reason that all is said.
    func close()
}

/// What comes over a WebSocket.
public enum WebSocketEvent: Sendable {
    /// A text.
    case text(String)
    /// It was closed.
    ///
    /// - SeeAlso: https://www.rfc-editor.org/rfc/rfc6455#section-7.4.
    case closed(code: Int, reason: String)
}

/// A body, piece by piece. When nobody holds it any more, its request is ended.
public final class HTTPBody: @unchecked Sendable {
    private typealias Reader = CheckedContinuation<Data?, any Error>

    private let lock = NSLock()
    private let onAbandon: @Sendable () -> Void
    private var pieces: [Data] = []
    private var end: Result<Void, any Error>?
    private var reader: Reader?

    /// A body that is still to come.
    ///
    /// - Parameter onAbandon: is called when nobody reads it any more.
    public init(onAbandon: @escaping @Sendable () -> Void = {}) {
        self.onAbandon = onAbandon
    }

    /// A body that is there.
    public convenience init(_ data: Data) {
        self.init()
        push(data)
        finish(nil)
    }

    deinit {
        onAbandon()
    }

    /// Add a piece.
    public func push(_ piece: Data) {
        let waiting = lock.withLock { () -> Reader? in
            guard end == nil else { return nil }
            guard let reader else {
                pieces.append(piece)
                return nil
            }
            self.reader = nil
            return reader
        }
        waiting?.resume(returning: piece)
    }

    /// Say that it is whole, or why it never will be.
    public func finish(_ error: (any Error)?) {
        let whole: Result<Void, any Error>
        if let error {
            whole = .failure(error)
        } else {
            whole = .success(Void())
        }
        let waiting = lock.withLock { () -> Reader? in
            if end == nil { end = whole }
            let waiting = reader
            reader = nil
            return waiting
        }
        waiting?.resume(with: whole.map { nil })
    }

    /// The next piece; nil after the last. One task reads at a time; who cancels it ends the request.
    public func next() async throws -> Data? {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let found = lock.withLock { () -> Result<Data?, any Error>? in
                    if !pieces.isEmpty { return .success(pieces.removeFirst()) }
                    if let end { return end.map { nil } }
                    reader = continuation
                    return nil
                }
                if let found { continuation.resume(with: found) }
            }
        } onCancel: {
            finish(CancellationError())
            onAbandon()
        }
    }

    /// All that is left of it.
    func rest() async throws -> [UInt8] {
        var bytes: [UInt8] = []
        while let piece = try await next() {
            bytes.append(contentsOf: piece)
        }
        return bytes
    }
}
