import Foundation
import XCTest

@testable import ShopClient

/// Calls over answers that the tests write: what is sent, what is asked again, and what fails.
final class CallsTests: XCTestCase {
    private let order = """
        {"orderId": "1", "placedAt": "2024-05-31T12:00:00Z",
         "total": {"currencyCode": "EUR", "minorUnits": "100"}}
        """
    private let noItems = Answer.json("{\"items\": []}")

    private func failure(_ work: () async throws -> Void) async -> ApiError? {
        do {
            try await work()
            return nil
        } catch {
            return error as? ApiError
        }
    }

    func testARequestHasAPathAQueryAndABodyAsTheContractBindsThem() async throws {
        let transport = FakeTransport([noItems, .json("{}")])
        let shop = Shop(transport)
        _ = try await shop.inventory.listItems(.init(query: "oak & board", pageSize: 3))
        _ = try await shop.shoppingCart.setItemQuantity(
            .init(cartId: "a/b ü", sku: "KIT:1", quantity: 0))
        let lines = transport.requests.map { each in "\(each.verb) \(each.url.absoluteString)" }
        XCTAssertEqual(
            lines,
            [
                "GET http://shop.test/base/v1/inventory?query=oak%20%26%20board&pageSize=3",
                "PUT http://shop.test/base/v1/carts/a%2Fb%20%C3%BC/items/KIT%3A1",
            ])
        XCTAssertNil(transport.requests[0].body)
        XCTAssertNil(transport.requests[0].headers["content-type"])
        XCTAssertEqual(transport.requests[1].headers["content-type"], "application/json")
        XCTAssertEqual(transport.requests[1].bodyText, "{\"quantity\":0}")
    }

    func testWhatNoPathCanHoldIsNotSent() async {
        for sku in ["", ".", ".."] {
            let transport = FakeTransport([])
            let error = await failure { _ = try await Shop(transport).inventory.getItem(.init(sku: sku)) }
            XCTAssertEqual(error?.code, .invalidArgument)
            XCTAssertTrue(transport.requests.isEmpty)
        }
    }

    func testWhatMayBeRepeatedIsAskedAgainWhenTheServerIsAwayLostOrFull() async throws {
        let transport = FakeTransport([
            .lost, .problem(503, "UNAVAILABLE"), .problem(429, "RESOURCE_EXHAUSTED"), noItems,
        ])
        let page = try await Shop(transport).inventory.listItems()
        XCTAssertEqual(page, Inventory.ListItemsResponse())
        XCTAssertEqual(transport.requests.count, 4)
    }

    func testItIsNotAskedForEver() async {
        let transport = FakeTransport([.lost, .lost, .lost, .lost, .lost])
        let error = await failure { _ = try await Shop(transport).inventory.listItems() }
        XCTAssertEqual(error?.code, .unavailable)
        XCTAssertEqual(transport.requests.count, 4)
    }

    func testWhatMayNotBeRepeatedIsAskedOnce() async {
        let transport = FakeTransport([.lost, .lost])
        let error = await failure { _ = try await Shop(transport).shoppingCart.createCart() }
        XCTAssertEqual(error?.code, .unavailable)
        XCTAssertEqual(transport.requests.count, 1)
    }

    func testAnErrorThatTheContractDeclaresIsNotAskedAgainWhateverItsCode() async {
        let more = ", \"error\": \"TooManyAttempts\", \"fields\": {\"retryAfterSeconds\": 3}"
        let transport = FakeTransport([.problem(429, "RESOURCE_EXHAUSTED", more)])
        let error = await failure {
            _ = try await Shop(transport).authentication.registerUser(
                .init(email: "a@b.c", password: "correct horse"))
        }
        let declared = error?.declared as? Authentication.TooManyAttempts
        XCTAssertEqual(declared?.retryAfterSeconds, 3)
        XCTAssertEqual(transport.requests.count, 1)
    }

    func testAttemptsShareOneKeyCallsDoNotAndWhoAsksMayGiveOne() async throws {
        let transport = FakeTransport([.lost, .json(order), .json(order), .json(order)])
        let shop = Shop(transport)
        _ = try await shop.orders.placeOrder(.init(cartId: "1"))
        _ = try await shop.orders.placeOrder(.init(cartId: "1"))
        _ = try await shop.orders.placeOrder(
            .init(cartId: "1"), options: CallOptions(idempotencyKey: "mine"))
        let keys = transport.requests.map { each in each.headers["idempotency-key"] }
        XCTAssertEqual(keys[0]?.count, 32)
        XCTAssertEqual(keys[1], keys[0])
        XCTAssertNotEqual(keys[2], keys[0])
        XCTAssertEqual(keys[3], "mine")
    }

    func testNobodyWaitsForAnAttemptThatWouldComeTooLate() async {
        for said in ["60", "Fri, 31 Dec 2100 23:59:59 GMT"] {
            let transport = FakeTransport([.problem(503, "UNAVAILABLE", "", ["retry-after": said])])
            let error = await failure { _ = try await Shop(transport).inventory.listItems() }
            XCTAssertEqual(error?.code, .unavailable)
            XCTAssertGreaterThan(error?.retryAfter ?? .zero, .seconds(50))
            XCTAssertEqual(transport.requests.count, 1)
        }
    }

    func testACallEndsWhenItsTimeIsOver() async {
        let transport = FakeTransport([.never])
        let error = await failure {
            _ = try await Shop(transport).inventory.listItems(
                options: CallOptions(timeout: .milliseconds(20)))
        }
        XCTAssertEqual(error?.code, .deadlineExceeded)
    }

    func testACallEndsWhenItsTaskIsCancelled() async {
        let transport = FakeTransport([.never])
        let call = Task { () -> StatusCode? in
            do throws(ShopError) {
                _ = try await Shop(transport).inventory.listItems()
                return nil
            } catch {
                return error.code
            }
        }
        try? await Task.sleep(for: .milliseconds(20))
        call.cancel()
        let code = await call.value
        XCTAssertEqual(code, .cancelled)
    }

    func testWhatStandsBetweenMayAnswerInAnyForm() async {
        let transport = FakeTransport(Array(repeating: .status(502, "<h1>Bad Gateway</h1>"), count: 4))
        let error = await failure { _ = try await Shop(transport).inventory.listItems() }
        XCTAssertEqual(error?.code, .unavailable)
        XCTAssertEqual(error?.status, 502)
    }

    func testAnAnswerThatIsNotWhatTheContractSaysIsAnError() async {
        let transport = FakeTransport([.json("{\"items\": [{\"sku\": 5}]}"), .json("{")])
        let shop = Shop(transport)
        let wrong = await failure { _ = try await shop.inventory.listItems() }
        XCTAssertEqual(wrong?.code, .internal)
        XCTAssertTrue(wrong?.message.contains("items[0].sku: expected a string") ?? false)
        let broken = await failure { _ = try await shop.inventory.listItems() }
        XCTAssertEqual(broken?.code, .internal)
    }

    func testAnErrorThatThisVersionDoesNotKnowIsToldByItsName() async {
        let transport = FakeTransport([.problem(404, "NOT_FOUND", ", \"error\": \"Sold\"")])
        let error = await failure { _ = try await Shop(transport).inventory.getItem(.init(sku: "1")) }
        XCTAssertEqual(error?.declaredName, "Sold")
        XCTAssertNil(error?.declared)
        XCTAssertEqual(error?.code, .notFound)
    }

    func testFieldsThatAreRefusedAreNamed() async {
        let more = ", \"errors\": [{\"field\": \"password\", \"detail\": \"too short\"}]"
        let transport = FakeTransport([.problem(400, "INVALID_ARGUMENT", more, ["x-request-id": "7"])])
        let error = await failure { _ = try await Shop(transport).inventory.listItems() }
        XCTAssertEqual(error?.fieldProblems, [FieldProblem(field: "password", detail: "too short")])
        XCTAssertEqual(error?.requestID, "7")
    }

    func testPagesFollowEachOtherWithTheSameRequest() async throws {
        let transport = FakeTransport([
            .json("{\"items\": [{\"sku\": \"a\", \"price\": {}}], \"nextPageToken\": \"2\"}"),
            .json("{\"items\": [], \"nextPageToken\": \"3\"}"),
            .json("{\"items\": [{\"sku\": \"b\", \"price\": {}}]}"),
        ])
        var skus: [String] = []
        for try await item in Shop(transport).inventory.listItemsAll(.init(query: "x")) {
            skus.append(item.sku)
        }
        XCTAssertEqual(skus, ["a", "b"])
        let queries = transport.requests.map { each in each.url.query }
        XCTAssertEqual(queries, ["query=x", "query=x&pageToken=2", "query=x&pageToken=3"])
    }
}
