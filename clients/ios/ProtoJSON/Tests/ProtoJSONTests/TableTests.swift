import Foundation
import XCTest

@testable import LibraryClient

/// The table of ProtoJSON cases, which every client and the server share.
final class TableTests: XCTestCase {
    private static let types: [any ContractMessage.Type] = [
        Library.Everything.self, Library.EveryScalar.self, Library.EveryOptional.self,
        Library.EveryList.self, Library.EveryMap.self, Library.EveryChoice.self,
        Library.EveryWrapper.self, Library.EveryWellKnown.self, Library.Book.self,
    ]

    func testEveryCaseIsReadAndWrittenAsTheTableSays() throws {
        let rows = try cases()
        XCTAssertGreaterThan(rows.count, 200)
        for row in rows where row["lenient"] != .bool(true) {
            let name = row["name"]?.text ?? ""
            let expected = row["answer"] ?? row["canonical"] ?? .null
            let wanted = [expected, row["nanoseconds"]].compactMap { each in each }
            let found = answer(row)
            XCTAssertTrue(
                try wanted.contains { each in try isSame(each.text, found) },
                "\(name): expected \(wanted), got \(found ?? "a refusal")")
        }
    }

    private func cases() throws -> [[String: JSONValue]] {
        let url = try XCTUnwrap(Bundle.module.url(forResource: "cases", withExtension: "json"))
        guard case .array(let rows) = try JSONParser.parse(Array(Data(contentsOf: url))) else {
            return []
        }
        return rows.compactMap { row in row.members }
    }

    private func answer(_ row: [String: JSONValue]) -> String? {
        let type = TableTests.types.first { each in each.contractName == row["message"]?.text }
        guard let type, let text = row["json"]?.text else {
            XCTFail("no message for \(row)")
            return nil
        }
        return try? type.init(protoJSON: text).protoJSON(defaults: true)
    }

    private func isSame(_ one: String?, _ other: String?) throws -> Bool {
        guard let one, let other else { return one == other }
        return normalized(try JSONParser.parse(one)) == normalized(try JSONParser.parse(other))
    }

    /// The value without the order of members, and with numbers written in one way.
    private func normalized(_ json: JSONValue) -> JSONValue {
        switch json {
        case .number(let digits):
            // A decimal has all digits of integers, and a double is as large as numbers can be.
            let exact = Decimal(string: digits).map { number in "\(number)" }
            return .number(exact ?? Double(digits)?.description ?? digits)
        case .array(let items):
            return .array(items.map(normalized))
        case .object(let members):
            let sorted = members.sorted { one, other in one.name < other.name }
            return .object(
                sorted.map { member in
                    JSONMember(name: member.name, value: normalized(member.value))
                })
        default:
            return json
        }
    }
}
