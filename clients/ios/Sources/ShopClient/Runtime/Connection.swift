import Foundation

/// What a client is made of.
public struct ClientOptions: Sendable {
    /// Where the tokens of a session are kept.
    public var tokens: any TokenStore
    /// When calls are made again that the contract lets be made again.
    public var retry: RetryPolicy
    /// What carries requests.
    public var transport: any HTTPTransport

    /// What a client is made of: tokens in memory and `URLSession`, when nothing else is said.
    public init(
        tokens: any TokenStore = MemoryTokenStore(),
        retry: RetryPolicy = RetryPolicy(),
        transport: any HTTPTransport = URLSessionTransport()
    ) {
        self.tokens = tokens
        self.retry = retry
        self.transport = transport
    }
}

/// A server, and who is signed in there.
final class Connection: Sendable {
    let session: Session
    let retry: RetryPolicy
    private let exchange: Exchange

    /// - Parameters:
    ///   - baseURL: where the server is. A path in it is kept.
    ///   - options: what the client is made of.
    ///   - refresh: the method that gives new tokens for a refresh token.
    ///   - revoke: the method that ends the session of a refresh token.
    init(
        baseURL: URL, options: ClientOptions,
        refresh: MethodDescriptor? = nil, revoke: MethodDescriptor? = nil
    ) {
        let exchange = Exchange(baseURL: baseURL, transport: options.transport)
        self.exchange = exchange
        retry = options.retry
        session = Session(
            store: options.tokens,
            // Once: a refresh token is refused the second time.
            refresh: refresh.map { method in Connection.once(method, exchange) },
            revoke: revoke.map { method in Connection.once(method, exchange) })
    }

    /// Call a method that answers with one response.
    func call<Request: JSONForm, Response: JSONForm>(
        _ method: MethodDescriptor, _ request: Request, _ options: CallOptions
    ) async throws(ApiError) -> Response {
        let members = try PreparedRequest.members(method, request)
        let prepared = try PreparedRequest(method, members)
        let key = options.idempotencyKey ?? randomKey()
        let headers = method.takesKey ? ["idempotency-key": key] : [:]
        let deadline = Deadline(timeout: options.timeout ?? method.timeout)
        let answer: JSONValue = try await deadline.limit {
            await self.attempts(method, prepared, headers, deadline)
        }
        do {
            let response = try Response(json: answer, depth: 1)
            switch method.session {
            case .begins:
                await session.begin(try Tokens(grant: answer))
            case .ends:
                let token = members.first { member in member.name == "refreshToken" }
                await session.forget(token?.value.text ?? "")
            case nil:
                break
            }
            return response
        } catch {
            throw ApiError.notOfContract("answer of \(method.name)", error)
        }
    }

    /// Send a request. One that is refused because of its token is sent again with a new one.
    ///
    /// - Parameters:
    ///   - isOverdue: whether the call has asked for a new token in vain; it does so once.
    /// - Returns: an answer of success, whose body is still to be read.
    func send(
        _ method: MethodDescriptor, _ prepared: PreparedRequest, _ headers: [String: String],
        silence: Duration? = nil, isOverdue: inout Bool
    ) async throws(ApiError) -> HTTPResponse {
        var shown: String?
        if method.showsToken {
            shown = try await token(&isOverdue)
        }
        var response = try await exchange.send(method, prepared, headers, shown, silence)
        if response.status == 401, let refused = shown {
            let error = await exchange.error(of: response, method)
            guard error.declaredName == nil, !isOverdue else { throw error.asFinal }
            var renewed: String?
            do {
                renewed = try await session.renewed(refused)
            } catch {
                throw error.asFinal
            }
            guard let renewed, renewed != refused else { throw error }
            response = try await exchange.send(method, prepared, headers, renewed, silence)
        }
        guard (200..<300).contains(response.status) else {
            throw await exchange.error(of: response, method)
        }
        return response
    }

    /// Open a WebSocket.
    func open(
        _ method: MethodDescriptor, _ prepared: PreparedRequest
    ) async throws(ApiError) -> any WebSocket {
        let shown = try await session.accessToken()
        return try await exchange.open(prepared, shown.token)
    }

    private func token(_ isOverdue: inout Bool) async throws(ApiError) -> String? {
        // Who was given none is not given one in the next moment, and the token may be used up.
        if isOverdue { return await session.presentToken }
        let shown = try await session.accessToken()
        isOverdue = shown.isOverdue
        return shown.token
    }

    private func attempts(
        _ method: MethodDescriptor, _ prepared: PreparedRequest, _ headers: [String: String],
        _ deadline: Deadline
    ) async -> Result<JSONValue, ApiError> {
        let mayRepeat = method.isRepeatable || method.takesKey
        let most = mayRepeat ? retry.attempts : 1
        var isOverdue = false
        var attempt = 1
        while true {
            do {
                let response = try await send(method, prepared, headers, isOverdue: &isOverdue)
                return .success(try await exchange.answer(of: response, method))
            } catch {
                guard error.isTransient, !error.isFinal, attempt < most, !Task.isCancelled else {
                    return .failure(error)
                }
                let wait = retry.delay(after: attempt, error)
                if let remaining = deadline.remaining, wait >= remaining {
                    return .failure(error)
                }
                try? await Task.sleep(for: wait)
            }
            attempt += 1
        }
    }

    private static func once(_ method: MethodDescriptor, _ exchange: Exchange) -> Session.TokenCall {
        return { token in
            let members = [JSONMember(name: "refreshToken", value: .string(token))]
            do throws(ApiError) {
                let prepared = try PreparedRequest(method, members)
                let answer: JSONValue = try await Deadline(timeout: method.timeout).limit {
                    do throws(ApiError) {
                        let response = try await exchange.send(method, prepared, [:], nil, nil)
                        guard (200..<300).contains(response.status) else {
                            return .failure(await exchange.error(of: response, method))
                        }
                        return .success(try await exchange.answer(of: response, method))
                    } catch {
                        return .failure(error)
                    }
                }
                return .success(answer)
            } catch {
                return .failure(error)
            }
        }
    }
}

/// 128 random bits.
private func randomKey() -> String {
    UUID().uuidString.replacingOccurrences(of: "-", with: "").lowercased()
}
