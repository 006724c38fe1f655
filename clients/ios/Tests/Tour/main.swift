// What a customer does, against a running shop whose address is the argument. Whatever is not as it
// has to be ends the program with status 1 and a line that says what.
import Foundation
import ShopClient

func require(_ isSo: Bool, _ what: String) {
    if !isSo {
        print("not so: \(what)")
        exit(1)
    }
}

/// Loses each stream after its first piece that has an event.
struct FrailTransport: HTTPTransport {
    let inner = URLSessionTransport()

    func send(_ request: HTTPRequest) async throws -> HTTPResponse {
        let response = try await inner.send(request)
        guard request.url.path.hasSuffix(":stream") else { return response }
        let frail = HTTPBody()
        let body = response.body
        Task {
            while let piece = try? await body.next() {
                let text = String(decoding: piece, as: UTF8.self)
                frail.push(Data(text.replacingOccurrences(of: "retry: 2000", with: "retry: 1").utf8))
                if text.contains("data:") && !text.contains("event: end") { break }
            }
            frail.finish(URLError(.networkConnectionLost))
        }
        return HTTPResponse(status: response.status, headers: response.headers, body: frail)
    }

    func open(_ url: URL, headers: [String: String]) async throws -> any WebSocket {
        try await inner.open(url, headers: headers)
    }
}

guard let baseURL = CommandLine.arguments.dropFirst().first.flatMap(URL.init(string:)) else {
    fatalError("expected the address of a shop")
}
let store = MemoryTokenStore()
let shop = Shop(baseURL: baseURL, options: ClientOptions(tokens: store))
let email = "tour-\(UUID().uuidString)@example.org"
let password = "correct horse"

func signIn() async throws {
    _ = try await shop.authentication.registerUser(.init(email: email, password: password))
    do {
        _ = try await shop.authentication.authenticate(.init(email: email, password: "wrong horse"))
        require(false, "a wrong password is refused")
    } catch {
        require(error.declared is Authentication.InvalidCredentials, "it is a declared error")
        require(error.code == .unauthenticated && error.status == 401, "it has its code and status")
    }
    _ = try await shop.authentication.authenticate(.init(email: email, password: password))
    let user = try await shop.authentication.getUser()
    require(user.email == email, "the user is who has signed in")
    require(abs(user.registeredAt.date.timeIntervalSinceNow) < 60, "the account is new")
}

func browse() async throws {
    var skus: [String] = []
    for try await item in shop.inventory.listItemsAll(.init(pageSize: 7)) {
        skus.append(item.sku)
        if skus.count == 20 { break }
    }
    require(Set(skus).count == 20, "items of three pages are others")
    let page = try await shop.inventory.listItems(.init(pageSize: 20))
    require(page.items.map { item in item.sku } == skus, "they are those of one large page")
    do {
        _ = try await shop.inventory.getItem(.init(sku: "NO/SUCH ü"))
        require(false, "there is no such item")
    } catch {
        let missing = error.declared as? Inventory.ItemNotFound
        require(missing?.sku == "NO/SUCH ü", "the error has the fields of the contract")
        require(error.requestID != nil, "the error has the request's id")
    }
}

func refresh() async throws {
    guard var tokens = await store.load() else { return require(false, "there are tokens") }
    let before = tokens.refreshToken
    tokens.renewAt = Date()
    await store.save(tokens)
    try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<8 {
            group.addTask { _ = try await shop.authentication.getUser() }
        }
        try await group.waitForAll()
    }
    guard var renewed = await store.load() else { return require(false, "the session goes on") }
    require(renewed.refreshToken != before, "tokens were renewed")
    renewed.accessToken = "e30.e30.e30"
    await store.save(renewed)
    let user = try await shop.authentication.getUser()
    require(user.email == email, "a refused token is renewed")
}

func buy() async throws {
    let page = try await shop.inventory.listItems(.init(query: "oak board", pageSize: 1))
    let cart = try await shop.shoppingCart.createCart()
    do {
        _ = try await shop.shoppingCart.setItemQuantity(
            .init(cartId: cart.cartId, sku: page.items[0].sku, quantity: 999))
        require(false, "there are not so many")
    } catch {
        let refused = error.declared as? ShoppingCart.OutOfStock
        require(refused?.available == page.items[0].stock, "it says how many there are")
    }
    let filled = try await shop.shoppingCart.setItemQuantity(
        .init(cartId: cart.cartId, sku: page.items[0].sku, quantity: 1))
    require(filled.lines.first?.availability == .inStock, "the line is in stock")
    let options = CallOptions(idempotencyKey: UUID().uuidString)
    let order = try await shop.orders.placeOrder(.init(cartId: cart.cartId), options: options)
    let again = try await shop.orders.placeOrder(.init(cartId: cart.cartId), options: options)
    require(order.orderId == again.orderId, "the same key gives the same order")
    require(order.total.minorUnits == filled.total?.minorUnits, "it costs what the cart did")
}

func chat() async throws {
    let frail = Shop(
        baseURL: baseURL,
        options: ClientOptions(
            tokens: store, retry: RetryPolicy(baseDelay: .milliseconds(1)),
            transport: FrailTransport()))
    let chat = try await shop.customerChat.openChat()
    let said = ["Is it made of oak?", "Hello?", "Never mind."]
    var heard: [String] = []
    var positions: [Int64] = []
    _ = try await shop.customerChat.sendMessage(
        .init(chatId: chat.chatId, messageId: "0", text: said[0]))
    let stream = frail.customerChat.streamChat(
        .init(chatId: chat.chatId), options: CallOptions(timeout: .seconds(60)))
    for try await entry in stream {
        positions.append(entry.position)
        guard entry.kind == .message else { continue }
        heard.append(entry.text)
        if heard.count < said.count {
            _ = try await shop.customerChat.sendMessage(
                .init(chatId: chat.chatId, messageId: "\(heard.count)", text: said[heard.count]))
        } else {
            _ = try await shop.customerChat.closeChat(.init(chatId: chat.chatId))
        }
    }
    require(heard == said && positions == [1, 2, 3, 4], "nothing is missed, nothing comes twice")
    do {
        for try await _ in shop.customerChat.streamChat(.init(chatId: "none")) {}
        require(false, "there is no such chat")
    } catch let error as ShopError {
        require(error.declared is CustomerChat.ChatNotFound, "a stream that is refused says why")
    }
}

func talk() async throws {
    let chat = try await shop.customerChat.openChat()
    let talk = try await shop.customerChat.talkInChat(.init(chatId: chat.chatId))
    let hello = CustomerChat.Message(messageId: "1", text: "hello")
    try await talk.send(.init(chatId: chat.chatId, message: hello))
    guard case .entry(let entry) = try await talk.receive()?.what else {
        return require(false, "what is said is heard")
    }
    require(entry.text == "hello", "it is what was said")
    _ = try await shop.customerChat.closeChat(.init(chatId: chat.chatId))
    var rest = 0
    for try await _ in talk { rest += 1 }
    // Foundation on Linux may drop what comes right before the end.
    require(rest <= 1, "the end of the chat is the end of the conversation")
}

do {
    try await signIn()
    try await browse()
    try await refresh()
    try await buy()
    try await chat()
    try await talk()
    try await shop.session.signOut()
    let isSignedIn = await shop.session.isSignedIn
    require(!isSignedIn, "who has signed out is gone")
    print("all is so")
} catch {
    print("failed: \(error)")
    exit(1)
}
