/// A method of two streams, over a WebSocket: iterate it for what is heard. What it throws is an
/// ``ApiError``. It is one conversation, however often it is iterated, and ends when nobody holds it.
public final class Conversation<Frame: Sendable, Response: Sendable>: AsyncSequence, Sendable {
    /// What is heard.
    public typealias Element = Response

    /// Waits for what is heard.
    public struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate let conversation: Conversation<Frame, Response>

        /// What is heard next; nil when the call has come to its end.
        public mutating func next() async throws -> Response? {
            try await conversation.receive()
        }
    }

    private let socket: any WebSocket
    private let deadline: Deadline
    private let write: @Sendable (Frame) throws(ApiError) -> String
    private let read: @Sendable (String) throws(ApiError) -> Response
    private let errors: [String: any ContractMessage.Type]

    fileprivate init(
        socket: any WebSocket, deadline: Deadline,
        write: @escaping @Sendable (Frame) throws(ApiError) -> String,
        read: @escaping @Sendable (String) throws(ApiError) -> Response,
        errors: [String: any ContractMessage.Type]
    ) {
        self.socket = socket
        self.deadline = deadline
        self.write = write
        self.read = read
        self.errors = errors
    }

    deinit {
        socket.close()
    }

    /// Listen.
    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(conversation: self)
    }

    /// Say something. The fields that the path holds are those of the beginning.
    public func send(_ frame: Frame) async throws(ApiError) {
        let text = try write(frame)
        let socket = self.socket
        let _: Bool = try await deadline.limit {
            do {
                try await socket.send(text)
                return .success(true)
            } catch {
                return .failure(Exchange.lost("the conversation broke off", error))
            }
        }
    }

    /// Wait for what is heard next; nil when the call has come to its end.
    public func receive() async throws(ApiError) -> Response? {
        let socket = self.socket
        let event: WebSocketEvent = try await deadline.limit {
            do {
                return .success(try await socket.receive())
            } catch {
                return .failure(Exchange.lost("the conversation broke off", error))
            }
        }
        switch event {
        case .text(let text):
            do {
                return try read(text)
            } catch {
                socket.close()
                throw error
            }
        case .closed(let code, let reason):
            if let error = closingError(code, reason) { throw error }
            return nil
        }
    }

    /// End it. What was said before is still handled.
    public func close() {
        socket.close()
    }

    /// The error of a WebSocket that was closed; nil when the call has come to its end.
    private func closingError(_ code: Int, _ reason: String) -> ApiError? {
        switch code {
        case 1000:
            return nil
        case 1001, 1006, 1012, 1013:
            return .unavailable(reason.isEmpty ? "the conversation broke off" : reason)
        case 1008:
            // A name of the contract's error or a canonical code, and a sentence. There is no room for fields.
            let parts = reason.split(separator: ":", maxSplits: 1)
            let name = parts.first.map(String.init) ?? ""
            let sentence = parts.count == 2 ? String(parts[1].drop { sign in sign == " " }) : reason
            let isCode = name.allSatisfy { sign in sign.isUppercase || sign == "_" }
            var error = ApiError(
                code: isCode && !name.isEmpty ? StatusCode(rawValue: name) : .unknown,
                message: sentence)
            if errors[name] != nil { error.declaredName = name }
            return error
        default:
            let message = reason.isEmpty ? "the WebSocket was closed with \(code)" : reason
            return ApiError(code: code == 1011 ? .internal : .unknown, message: message)
        }
    }
}

extension Connection {
    /// Open a conversation with its first request.
    func converse<Request: JSONForm, Response: JSONForm>(
        _ method: MethodDescriptor, _ request: Request, _ options: CallOptions
    ) async throws(ApiError) -> Conversation<Request, Response> {
        let prepared = try PreparedRequest(method, request)
        let deadline = Deadline(timeout: options.timeout)
        let socket: any WebSocket = try await deadline.limit {
            do throws(ApiError) {
                return .success(try await self.open(method, prepared))
            } catch {
                return .failure(error)
            }
        }
        return Conversation(
            socket: socket, deadline: deadline,
            write: { (frame: Request) throws(ApiError) in
                try PreparedRequest.frame(method, frame)
            },
            read: { (text: String) throws(ApiError) in
                do throws(InvalidValue) {
                    return try Response(json: try JSONParser.parse(text), depth: 1)
                } catch {
                    throw ApiError.notOfContract("answer of \(method.name)", error)
                }
            },
            errors: method.errors)
    }
}
