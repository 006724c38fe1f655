/// The responses of a stream, as server-sent events bring them. It is asked for when it is iterated,
/// and left when its iteration ends.
///
/// A stream that breaks off goes on after the last response that was received, where the contract says
/// how. Until it has begun, it is asked for as often as ``RetryPolicy`` says; after that it comes back
/// until its reader leaves. What it throws is an ``ApiError``.
public struct Responses<Response: Sendable>: AsyncSequence, Sendable {
    /// A response.
    public typealias Element = Response

    /// Reads the stream.
    public struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate let deadline: Deadline
        fileprivate let read: @Sendable () async -> Result<Response?, ApiError>

        /// The next response; nil when the server has said that there are no more.
        public mutating func next() async throws -> Response? {
            try await deadline.limit(read)
        }
    }

    private let timeout: Duration?
    private let open: @Sendable () -> @Sendable () async -> Result<Response?, ApiError>

    /// Begin to read the stream.
    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(deadline: Deadline(timeout: timeout), read: open())
    }
}

extension Responses where Response: JSONForm {
    init<Request: JSONForm>(
        _ connection: Connection, _ method: MethodDescriptor, _ request: Request,
        _ options: CallOptions
    ) {
        timeout = options.timeout
        open = {
            let reader = StreamReader<Request, Response>(connection, method, request)
            return { await reader.next() }
        }
    }
}

/// Reads one stream, over as many connections as it takes.
private actor StreamReader<Request: JSONForm, Response: JSONForm> {
    // Servers say something at least every 15 seconds.
    private static var silence: Duration { .seconds(45) }

    private let connection: Connection
    private let method: MethodDescriptor
    private let request: Request
    private var parser = EventParser()
    private var body: HTTPBody?
    private var events: [EventParser.Event] = []
    private var lastID = ""
    private var hasBegun = false
    private var hasEnded = false
    private var failures = 0

    init(_ connection: Connection, _ method: MethodDescriptor, _ request: Request) {
        self.connection = connection
        self.method = method
        self.request = request
    }

    func next() async -> Result<Response?, ApiError> {
        while !hasEnded {
            do {
                return .success(try await nextOfConnection())
            } catch {
                body = nil
                failures += 1
                let mayGoOn =
                    hasBegun
                    ? method.resumes
                    : method.isRepeatable && failures < connection.retry.attempts
                guard mayGoOn, error.isTransient, !error.isFinal, !Task.isCancelled else {
                    hasEnded = true
                    return .failure(error)
                }
                let delay = connection.retry.delay(after: failures, error)
                let wait = error.retryAfter ?? max(parser.retry ?? .zero, delay)
                try? await Task.sleep(for: wait)
            }
        }
        return .success(nil)
    }

    private func nextOfConnection() async throws(ApiError) -> Response? {
        while true {
            while events.isEmpty {
                try await read()
            }
            let event = events.removeFirst()
            if event.type == "end" {
                hasEnded = true
                body = nil
                return nil
            }
            if event.type == "error" {
                throw ApiError(problem: Array(event.data.utf8), status: nil, declares: method.errors)
            }
            do {
                let response = try Response(json: try JSONParser.parse(event.data), depth: 1)
                lastID = event.id
                return response
            } catch {
                throw ApiError.notOfContract("answer of \(method.name)", error)
            }
        }
    }

    private func read() async throws(ApiError) {
        if body == nil {
            parser = EventParser()
            body = try await open()
            hasBegun = true
            failures = 0
        }
        var piece: [UInt8]?
        do {
            piece = try await body?.next().map { data in Array(data) }
        } catch {
            throw Exchange.lost("the stream broke off", error)
        }
        guard let piece else { throw ApiError.unavailable("the stream broke off") }
        events = parser.feed(piece)
    }

    private func open() async throws(ApiError) -> HTTPBody {
        var headers = ["accept": "text/event-stream"]
        if !lastID.isEmpty { headers["last-event-id"] = lastID }
        let prepared = try PreparedRequest(method, request)
        var isOverdue = false
        return try await connection.send(
            method, prepared, headers, silence: StreamReader.silence, isOverdue: &isOverdue
        ).body
    }
}
