import Foundation
import XCTest

@testable import ShopClient

/// What users see of values, and what they send.
final class ValuesTests: XCTestCase {
    func testARequestLeavesOutWhatHasItsDefault() throws {
        XCTAssertEqual(try Inventory.ListItemsRequest(pageSize: 0).protoJSON(), "{}")
        XCTAssertEqual(
            try Inventory.ListItemsRequest(pageSize: 5).protoJSON(), "{\"pageSize\":5}")
        XCTAssertFalse((-0.0).isDefault)
        XCTAssertTrue((0.0).isDefault)
        XCTAssertFalse((-Float.zero).isDefault)
    }

    func testWhatANewerServerKnowsIsIgnoredOrKept() throws {
        let text = "{\"later\": [1], \"sku\": \"a\", \"category\": \"CATEGORY_PETS\", \"price\": {}}"
        let item = try Inventory.Item(protoJSON: text)
        XCTAssertEqual(item.category, .unrecognized(.name("CATEGORY_PETS")))
        XCTAssertEqual(item.category.contractValueName, "CATEGORY_PETS")
        let back = try Inventory.Item(protoJSON: item.protoJSON())
        XCTAssertEqual(back, item)
        let numbered = try Inventory.Item(protoJSON: "{\"category\": 99, \"price\": {}}")
        XCTAssertEqual(numbered.category, .unrecognized(.number(99)))
        XCTAssertTrue(try numbered.protoJSON().contains("\"category\":99"))
    }

    func testAFieldThatMustBeThereIsMissed() {
        XCTAssertThrowsError(try Inventory.Item(protoJSON: "{}")) { error in
            XCTAssertEqual("\(error)", "price: it is missing")
        }
    }

    func testInstantsAreExactToTheNanosecond() throws {
        let instant = try XCTUnwrap(Timestamp("2024-05-31T14:00:00.000000001+02:00"))
        XCTAssertEqual(instant.description, "2024-05-31T12:00:00.000000001Z")
        XCTAssertEqual(instant.nanoseconds, 1)
        XCTAssertLessThan(instant, Timestamp(seconds: instant.seconds, nanoseconds: 2))
        XCTAssertNil(Timestamp("2023-02-29T00:00:00Z"))
        XCTAssertNil(Timestamp("0000-12-31T23:59:59Z"))
        XCTAssertEqual(Timestamp("0001-01-01T00:00:00Z")?.seconds, -62_135_596_800)
        XCTAssertEqual(Timestamp(Date(timeIntervalSince1970: -0.25)).description, "1969-12-31T23:59:59.750Z")
        XCTAssertEqual(Timestamp(seconds: 1, nanoseconds: -1), Timestamp(seconds: 0, nanoseconds: 999_999_999))
        XCTAssertEqual(instant.date.timeIntervalSince1970, 1_717_156_800, accuracy: 1e-6)
    }

    func testIntegersAreReadWithoutRounding() {
        let largest: UInt64? = exactInteger("18446744073709551615")
        XCTAssertEqual(largest, UInt64.max)
        let least: Int64? = exactInteger("-9223372036854775808")
        XCTAssertEqual(least, Int64.min)
        let beyond: Int64? = exactInteger("9223372036854775808")
        XCTAssertNil(beyond)
        let whole: Int32? = exactInteger("1200e-2")
        XCTAssertEqual(whole, 12)
        let part: Int32? = exactInteger("1.5")
        XCTAssertNil(part)
        let huge: Int32? = exactInteger("1e999999")
        XCTAssertNil(huge)
    }

    func testBrokenDocumentsAreRefused() {
        for text in ["", "{", "[1,]", "{\"a\" 1}", "01", "1.", "\"\\ud800\"", "\"\u{1}\"", "nul", "1 2"] {
            XCTAssertThrowsError(try JSONParser.parse(text), text)
        }
        let deep = String(repeating: "[", count: 100_000)
        XCTAssertThrowsError(try JSONParser.parse(deep))
        XCTAssertThrowsError(try JSONParser.parse([0x22, 0xFF, 0x22]))
    }
}
