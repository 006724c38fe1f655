import Foundation

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// Carries requests by `URLSession`. It keeps no cookies and caches nothing.
public final class URLSessionTransport: HTTPTransport {
    private let session: URLSession
    private let exchanges: Exchanges

    /// A transport.
    ///
    /// - Parameter configuration: for example with proxies, or with no cellular access.
    public init(configuration: URLSessionConfiguration = .ephemeral) {
        configuration.httpShouldSetCookies = false
        configuration.httpCookieAcceptPolicy = .never
        configuration.urlCache = nil
        exchanges = Exchanges()
        session = URLSession(configuration: configuration, delegate: exchanges, delegateQueue: nil)
    }

    deinit {
        session.invalidateAndCancel()
    }

    /// Send a request.
    public func send(_ request: HTTPRequest) async throws -> HTTPResponse {
        let task = session.dataTask(with: urlRequest(request))
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                exchanges.begin(task, continuation)
                task.resume()
            }
        } onCancel: {
            exchanges.abandon(task)
        }
    }

    /// Open a WebSocket.
    public func open(_ url: URL, headers: [String: String]) async throws -> any WebSocket {
        var request = URLRequest(url: url)
        for (name, value) in headers {
            request.setValue(value, forHTTPHeaderField: name)
        }
        #if canImport(FoundationNetworking)
            // There it would say `keep-alive`, and no server would upgrade.
            request.setValue("Upgrade", forHTTPHeaderField: "Connection")
        #endif
        let task = session.webSocketTask(with: request)
        task.resume()
        return URLSessionWebSocket(task)
    }

    private func urlRequest(_ request: HTTPRequest) -> URLRequest {
        var found = URLRequest(url: request.url)
        found.httpMethod = request.verb
        found.httpBody = request.body
        found.cachePolicy = .reloadIgnoringLocalCacheData
        // It counts from the last byte that was received; calls have deadlines of their own.
        found.timeoutInterval = (request.silence ?? .seconds(86_400)).inSeconds
        for (name, value) in request.headers {
            found.setValue(value, forHTTPHeaderField: name)
        }
        return found
    }
}

/// What the answers of a session's tasks are waited for by.
private final class Exchanges: NSObject, URLSessionDataDelegate, @unchecked Sendable {
    private final class Exchange {
        var waiting: CheckedContinuation<HTTPResponse, any Error>?
        // Who leaves a body is to be noticed.
        weak var body: HTTPBody?

        init(_ waiting: CheckedContinuation<HTTPResponse, any Error>) {
            self.waiting = waiting
        }
    }

    private let lock = NSLock()
    private var running: [Int: Exchange] = [:]
    // Of tasks that were cancelled before they began.
    private var abandoned: Set<Int> = []

    func begin(_ task: URLSessionTask, _ waiting: CheckedContinuation<HTTPResponse, any Error>) {
        let isAbandoned = lock.withLock {
            if abandoned.remove(task.taskIdentifier) != nil { return true }
            running[task.taskIdentifier] = Exchange(waiting)
            return false
        }
        if isAbandoned { waiting.resume(throwing: CancellationError()) }
    }

    func abandon(_ task: URLSessionTask) {
        let exchange = lock.withLock { () -> Exchange? in
            let exchange = running.removeValue(forKey: task.taskIdentifier)
            if exchange == nil { abandoned.insert(task.taskIdentifier) }
            return exchange
        }
        exchange?.waiting?.resume(throwing: CancellationError())
        task.cancel()
    }

    func urlSession(
        _ session: URLSession, dataTask: URLSessionDataTask, didReceive response: URLResponse,
        completionHandler: @escaping @Sendable (URLSession.ResponseDisposition) -> Void
    ) {
        guard let response = response as? HTTPURLResponse else {
            completionHandler(.cancel)
            return
        }
        var headers: [String: String] = [:]
        for (name, value) in response.allHeaderFields {
            headers["\(name)".lowercased()] = "\(value)"
        }
        let body = HTTPBody { dataTask.cancel() }
        let waiting = lock.withLock { () -> CheckedContinuation<HTTPResponse, any Error>? in
            let exchange = running[dataTask.taskIdentifier]
            let waiting = exchange?.waiting
            exchange?.waiting = nil
            exchange?.body = body
            return waiting
        }
        waiting?.resume(
            returning: HTTPResponse(status: response.statusCode, headers: headers, body: body))
        completionHandler(.allow)
    }

    func urlSession(_ session: URLSession, dataTask: URLSessionDataTask, didReceive data: Data) {
        let body = lock.withLock { running[dataTask.taskIdentifier]?.body }
        body?.push(data)
    }

    func urlSession(
        _ session: URLSession, task: URLSessionTask, didCompleteWithError error: (any Error)?
    ) {
        let exchange = lock.withLock { () -> (CheckedContinuation<HTTPResponse, any Error>?, HTTPBody?) in
            let exchange = running.removeValue(forKey: task.taskIdentifier)
            return (exchange?.waiting, exchange?.body)
        }
        exchange.0?.resume(throwing: error ?? URLError(.badServerResponse))
        exchange.1?.finish(error)
    }
}

/// A WebSocket of `URLSession`.
private final class URLSessionWebSocket: WebSocket, @unchecked Sendable {
    private let task: URLSessionWebSocketTask

    init(_ task: URLSessionWebSocketTask) {
        self.task = task
    }

    deinit {
        task.cancel(with: .normalClosure, reason: nil)
    }

    func send(_ text: String) async throws {
        try await task.send(.string(text))
    }

    func receive() async throws -> WebSocketEvent {
        do {
            let message = try await task.receive()
            switch message {
            case .string(let text): return .text(text)
            case .data(let data): return .text(String(decoding: data, as: UTF8.self))
            @unknown default: return .closed(code: 1003, reason: "")
            }
        } catch {
            guard task.closeCode != .invalid else { throw error }
            let reason = task.closeReason.map { data in String(decoding: data, as: UTF8.self) }
            return .closed(code: task.closeCode.rawValue, reason: reason ?? "")
        }
    }

    func close() {
        task.cancel(with: .normalClosure, reason: nil)
    }
}
