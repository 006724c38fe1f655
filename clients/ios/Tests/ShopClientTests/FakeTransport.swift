import Foundation

@testable import ShopClient

/// What a test wants to happen to a request.
enum Answer: Sendable {
    case status(Int, String, [String: String] = [:])
    /// The pieces of a body, which then breaks off, or stays open.
    case stream([String], isHeld: Bool = false)
    case lost
    case never

    static func json(_ text: String) -> Answer { .status(200, text) }

    static func problem(_ status: Int, _ code: String, _ more: String = "", _ headers: [String: String] = [:])
        -> Answer
    {
        .status(status, "{\"code\": \"\(code)\", \"detail\": \"told\"\(more)}", headers)
    }
}

/// Gives one answer after the other, and keeps the requests.
final class FakeTransport: HTTPTransport, @unchecked Sendable {
    private let lock = NSLock()
    private var answers: [Answer]
    private var asked: [HTTPRequest] = []
    private var left = 0

    init(_ answers: [Answer]) {
        self.answers = answers
    }

    var requests: [HTTPRequest] { lock.withLock { asked } }

    /// How many bodies nobody reads any more.
    var abandoned: Int { lock.withLock { left } }

    func send(_ request: HTTPRequest) async throws -> HTTPResponse {
        let answer = lock.withLock { () -> Answer in
            asked.append(request)
            return answers.isEmpty ? .status(599, "") : answers.removeFirst()
        }
        switch answer {
        case .status(let status, let body, let headers):
            return HTTPResponse(status: status, headers: headers, body: HTTPBody(Data(body.utf8)))
        case .stream(let pieces, let isHeld):
            let body = HTTPBody { self.lock.withLock { self.left += 1 } }
            for piece in pieces {
                body.push(Data(piece.utf8))
            }
            if !isHeld { body.finish(nil) }
            return HTTPResponse(status: 200, headers: [:], body: body)
        case .lost:
            throw URLError(.networkConnectionLost)
        case .never:
            try await Task.sleep(for: .seconds(3_600))
            throw URLError(.timedOut)
        }
    }

    func open(_ url: URL, headers: [String: String]) async throws -> any WebSocket {
        throw URLError(.unsupportedURL)
    }
}

extension Shop {
    /// A shop behind a transport, which waits no longer than a test likes.
    init(_ transport: FakeTransport, tokens: any TokenStore = MemoryTokenStore()) {
        let retry = RetryPolicy(baseDelay: .milliseconds(1), maximumDelay: .milliseconds(2))
        self.init(
            baseURL: URL(string: "http://shop.test/base/")!,
            options: ClientOptions(tokens: tokens, retry: retry, transport: transport))
    }
}

extension HTTPRequest {
    var bodyText: String? { body.map { data in String(decoding: data, as: UTF8.self) } }
}
