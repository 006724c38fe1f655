import Foundation
import XCTest

@testable import ShopClient

/// Streams over bodies that the tests write.
final class StreamsTests: XCTestCase {
    private func event(_ position: Int) -> String {
        "id: \(position)\ndata: {\"position\":\"\(position)\",\"at\":\"2024-05-31T12:00:00Z\"}\n\n"
    }

    private let end = "event: end\ndata: {}\n\n"

    private func positions(_ transport: FakeTransport) async throws -> [Int64] {
        var found: [Int64] = []
        for try await entry in Shop(transport).customerChat.streamChat(.init(chatId: "1")) {
            found.append(entry.position)
        }
        return found
    }

    func testAStreamGoesOnAfterTheLastEventUntilItsEndIsSaid() async throws {
        let transport = FakeTransport([
            .stream(["retry: 1\n\n", event(1), event(2)]), .stream([]), .stream([event(3), end]),
        ])
        let found = try await positions(transport)
        XCTAssertEqual(found, [1, 2, 3])
        let ids = transport.requests.map { each in each.headers["last-event-id"] }
        XCTAssertEqual(ids, [nil, "2", "2"])
        XCTAssertEqual(transport.requests[0].headers["accept"], "text/event-stream")
    }

    func testAnEventThatWasNotWholeIsNotLost() async throws {
        let transport = FakeTransport([
            .stream([event(1), String(event(2).prefix(20))]), .stream([event(2), end]),
        ])
        let found = try await positions(transport)
        XCTAssertEqual(found, [1, 2])
    }

    func testAnErrorEndsAStream() async {
        let problem = "{\"code\": \"NOT_FOUND\", \"error\": \"ChatNotFound\", \"fields\": {\"chatId\": \"1\"}}"
        let transport = FakeTransport([.stream([event(1), "event: error\ndata: \(problem)\n\n"])])
        do {
            _ = try await positions(transport)
            XCTFail("the stream has failed")
        } catch {
            let declared = (error as? ApiError)?.declared as? CustomerChat.ChatNotFound
            XCTAssertEqual(declared?.chatId, "1")
        }
        XCTAssertEqual(transport.requests.count, 1)
    }

    func testWhoLeavesTheLoopEndsTheRequest() async throws {
        let transport = FakeTransport([.stream([event(1)], isHeld: true)])
        for try await entry in Shop(transport).customerChat.streamChat(.init(chatId: "1")) {
            XCTAssertEqual(entry.position, 1)
            break
        }
        for _ in 0..<200 where transport.abandoned == 0 {
            try await Task.sleep(for: .milliseconds(5))
        }
        XCTAssertEqual(transport.abandoned, 1)
    }

    func testAStreamEndsWhenItsTimeIsOver() async {
        let transport = FakeTransport([.stream([], isHeld: true)])
        let options = CallOptions(timeout: .milliseconds(20))
        do {
            for try await _ in Shop(transport).customerChat.streamChat(
                .init(chatId: "1"), options: options)
            {}
            XCTFail("the stream never ends")
        } catch {
            XCTAssertEqual((error as? ApiError)?.code, .deadlineExceeded)
        }
    }

    func testLinesEndAtCarriageReturnsAndLineFeedsAlone() {
        let text = "\u{FEFF}id: 1\r\ndata: a\u{2028}b\rdata:c\n: said\nid: x\u{0}\r\n\r\nevent: e\nretry: 5\n\ndata\n\n"
        var whole = EventParser()
        let expected = [
            EventParser.Event(type: "message", data: "a\u{2028}b\nc", id: "1"),
            EventParser.Event(type: "message", data: "", id: "1"),
        ]
        XCTAssertEqual(whole.feed(text.utf8), expected)
        XCTAssertEqual(whole.retry, .milliseconds(5))
        var bytewise = EventParser()
        let found = text.utf8.flatMap { byte in bytewise.feed([byte]) }
        XCTAssertEqual(found, expected)
    }
}
