// Goes through the table of ProtoJSON cases: reads lines `{"message": NAME, "json": TEXT}` and answers
// each with `{"json": TEXT}` or `{"error": TEXT}`.
import Foundation
import LibraryClient

struct Question: Decodable {
    let message: String
    let json: String
}

let types: [any ContractMessage.Type] = [
    Library.Everything.self, Library.EveryScalar.self, Library.EveryOptional.self,
    Library.EveryList.self, Library.EveryMap.self, Library.EveryChoice.self,
    Library.EveryWrapper.self, Library.EveryWellKnown.self, Library.Book.self,
]

func answer(_ question: Question) -> [String: String] {
    guard let type = types.first(where: { each in each.contractName == question.message }) else {
        fatalError("no message is called \(question.message)")
    }
    do {
        return ["json": try type.init(protoJSON: question.json).protoJSON(defaults: true)]
    } catch {
        return ["error": "\(error)"]
    }
}

while let line = readLine() {
    let question = try JSONDecoder().decode(Question.self, from: Data(line.utf8))
    let written = try JSONEncoder().encode(answer(question))
    print(String(decoding: written, as: UTF8.self))
}
