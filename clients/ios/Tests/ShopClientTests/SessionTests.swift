import Foundation
import XCTest

@testable import ShopClient

/// Who is signed in, and how new tokens are had.
final class SessionTests: XCTestCase {
    private let grant = Answer.json(
        "{\"accessToken\": \"a2\", \"refreshToken\": \"r2\", \"expiresIn\": 900}")
    private let noItems = Answer.json("{\"items\": []}")

    private func old(renewAt: Date = .distantPast) -> MemoryTokenStore {
        MemoryTokenStore(Tokens(accessToken: "a1", refreshToken: "r1", renewAt: renewAt))
    }

    private func shown(_ transport: FakeTransport) -> [String?] {
        transport.requests.map { each in each.headers["authorization"] }
    }

    func testCallsThatNeedANewTokenWaitForTheOneThatGetsIt() async throws {
        let transport = FakeTransport([grant] + Array(repeating: noItems, count: 5))
        let shop = Shop(transport, tokens: old())
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<5 {
                group.addTask { _ = try await shop.inventory.listItems() }
            }
            try await group.waitForAll()
        }
        XCTAssertEqual(shown(transport), [nil] + Array(repeating: "Bearer a2", count: 5))
        XCTAssertEqual(transport.requests[0].bodyText, "{\"refreshToken\":\"r1\"}")
    }

    func testWhoCannotBeReachedForANewTokenShowsTheOldOne() async throws {
        let transport = FakeTransport([.lost, noItems])
        _ = try await Shop(transport, tokens: old()).inventory.listItems()
        XCTAssertEqual(shown(transport), [nil, "Bearer a1"])
    }

    func testARefreshThatWasLostIsNotRepeatedByTheSameCall() async {
        let refused = Answer.problem(401, "UNAUTHENTICATED")
        let transport = FakeTransport([.lost, .problem(503, "UNAVAILABLE"), refused])
        do {
            _ = try await Shop(transport, tokens: old()).inventory.listItems()
            XCTFail("the token is refused")
        } catch {
            XCTAssertEqual(error.code, .unauthenticated)
        }
        XCTAssertEqual(shown(transport), [nil, "Bearer a1", "Bearer a1"])
    }

    func testARefreshThatIsLostAfterARefusalEndsTheCall() async {
        let refused = Answer.problem(401, "UNAUTHENTICATED")
        let transport = FakeTransport([refused, .lost, noItems])
        do {
            _ = try await Shop(transport, tokens: old(renewAt: .distantFuture)).inventory.listItems()
            XCTFail("the token is refused")
        } catch {
            XCTAssertEqual(error.code, .unavailable)
        }
        XCTAssertEqual(transport.requests.count, 2)
    }

    func testATokenThatIsRefusedIsRenewedOnceAndNotForEver() async {
        let refused = Answer.problem(401, "UNAUTHENTICATED")
        let transport = FakeTransport([refused, grant, refused])
        do {
            _ = try await Shop(transport, tokens: old(renewAt: .distantFuture)).authentication.getUser()
            XCTFail("the token is refused")
        } catch {
            XCTAssertEqual(error.code, .unauthenticated)
        }
        XCTAssertEqual(shown(transport), ["Bearer a1", nil, "Bearer a2"])
    }

    func testASessionThatHasEndedIsForgotten() async throws {
        let more = ", \"error\": \"InvalidRefreshToken\", \"fields\": {}"
        let transport = FakeTransport([.problem(401, "UNAUTHENTICATED", more), noItems])
        let shop = Shop(transport, tokens: old())
        do {
            _ = try await shop.inventory.listItems()
            XCTFail("the session has ended")
        } catch {
            XCTAssertEqual(error.code, .unauthenticated)
        }
        let isSignedIn = await shop.session.isSignedIn
        XCTAssertFalse(isSignedIn)
        _ = try await shop.inventory.listItems()
        XCTAssertEqual(shown(transport), [nil, nil])
    }

    func testWhoSignsInOrOutShowsNoToken() async throws {
        let transport = FakeTransport([grant, .json("{}")])
        let store = old(renewAt: .distantFuture)
        let shop = Shop(transport, tokens: store)
        _ = try await shop.authentication.authenticate(.init(email: "a@b.c", password: "correct horse"))
        let tokens = await store.load()
        XCTAssertEqual(tokens?.refreshToken, "r2")
        _ = try await shop.authentication.logOut(.init(refreshToken: "r2"))
        let left = await store.load()
        XCTAssertNil(left)
        XCTAssertEqual(shown(transport), [nil, nil])
    }

    func testWhoSignsOutIsForgottenEvenIfTheServerCannotBeTold() async {
        let transport = FakeTransport([.lost])
        let shop = Shop(transport, tokens: old(renewAt: .distantFuture))
        do {
            try await shop.session.signOut()
            XCTFail("the server is away")
        } catch {
            XCTAssertEqual(error.code, .unavailable)
        }
        let isSignedIn = await shop.session.isSignedIn
        XCTAssertFalse(isSignedIn)
        XCTAssertEqual(transport.requests[0].bodyText, "{\"refreshToken\":\"r1\"}")
    }
}
