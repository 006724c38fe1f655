import Foundation

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// One request and its answer, over HTTP.
struct Exchange: Sendable {
    private let base: String
    private let transport: any HTTPTransport

    init(baseURL: URL, transport: any HTTPTransport) {
        var base = baseURL.absoluteString
        while base.hasSuffix("/") {
            base.removeLast()
        }
        self.base = base
        self.transport = transport
    }

    /// Send a request.
    ///
    /// - Throws: UNAVAILABLE when there is no answer.
    func send(
        _ method: MethodDescriptor, _ prepared: PreparedRequest, _ extra: [String: String],
        _ token: String?, _ silence: Duration?
    ) async throws(ApiError) -> HTTPResponse {
        var headers = ["accept": "application/json"]
        headers.merge(extra) { _, given in given }
        if prepared.body != nil { headers["content-type"] = "application/json" }
        if let token { headers["authorization"] = "Bearer \(token)" }
        let request = HTTPRequest(
            verb: method.verb, url: try url(prepared.target, base), headers: headers,
            body: prepared.body.map { text in Data(text.utf8) }, silence: silence)
        do {
            return try await transport.send(request)
        } catch {
            throw Exchange.lost("the server cannot be reached", error)
        }
    }

    /// Open a WebSocket.
    func open(_ prepared: PreparedRequest, _ token: String?) async throws(ApiError) -> any WebSocket {
        let address = base.hasPrefix("http") ? "ws" + base.dropFirst(4) : base
        let headers = token.map { text in ["authorization": "Bearer \(text)"] } ?? [:]
        let url = try url(prepared.target, address)
        do {
            return try await transport.open(url, headers: headers)
        } catch {
            throw Exchange.lost("the server cannot be reached", error)
        }
    }

    /// Read the answer of a method.
    func answer(of response: HTTPResponse, _ method: MethodDescriptor) async throws(ApiError) -> JSONValue {
        var bytes: [UInt8] = []
        do {
            bytes = try await response.body.rest()
        } catch {
            throw Exchange.lost("the answer broke off", error)
        }
        do {
            return try JSONParser.parse(bytes)
        } catch {
            throw ApiError.notOfContract("answer of \(method.name)", error)
        }
    }

    /// The error that an answer is.
    func error(of response: HTTPResponse, _ method: MethodDescriptor) async -> ApiError {
        let bytes = (try? await response.body.rest()) ?? []
        var error = ApiError(problem: bytes, status: response.status, declares: method.errors)
        error.retryAfter = response.headers["retry-after"].flatMap(Exchange.retryAfter)
        error.requestID = response.headers["x-request-id"]
        return error
    }

    /// The error of a connection that is none, or none any more.
    static func lost(_ what: String, _ reason: any Error) -> ApiError {
        let isCancelled = reason is CancellationError || (reason as? URLError)?.code == .cancelled
        return isCancelled ? .cancelled : .unavailable("\(what): \(reason.localizedDescription)")
    }

    private func url(_ target: String, _ base: String) throws(ApiError) -> URL {
        guard let url = URL(string: base + target) else {
            throw ApiError.invalid("\(base)\(target) is no URL")
        }
        return url
    }

    /// How long a header `Retry-After` asks to wait, which has seconds or a date.
    ///
    /// Source: https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3.
    private static func retryAfter(_ header: String) -> Duration? {
        if !header.isEmpty, header.utf8.allSatisfy(isDigit), let seconds = Int64(header) {
            return .seconds(seconds)
        }
        let format = DateFormatter()
        format.locale = Locale(identifier: "en_US_POSIX")
        format.timeZone = TimeZone(secondsFromGMT: 0)
        format.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
        return format.date(from: header).map { date in .seconds(max(0, date.timeIntervalSinceNow)) }
    }
}
