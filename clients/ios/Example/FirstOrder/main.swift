// From nothing to an order: run it with the address of a shop, such as http://127.0.0.1:8080.
import Foundation
import ShopClient

let address = CommandLine.arguments.dropFirst().first ?? "http://127.0.0.1:8080"
guard let baseURL = URL(string: address) else { fatalError("\(address) is no URL") }
let shop = Shop(baseURL: baseURL)

func findSKU(_ words: String) async throws -> String? {
    for try await item in shop.inventory.listItemsAll(.init(query: words)) where item.stock > 0 {
        let amount = Double(item.price.minorUnits) / 100
        print("\(item.name): \(amount) \(item.price.currencyCode)")
        return item.sku
    }
    return nil
}

func order(_ sku: String, quantity: Int32) async throws(ShopError) -> Orders.Order? {
    let cart = try await shop.shoppingCart.createCart()
    do {
        try await shop.shoppingCart.setItemQuantity(
            .init(cartId: cart.cartId, sku: sku, quantity: quantity))
    } catch {
        guard let outOfStock = error.declared as? ShoppingCart.OutOfStock else { throw error }
        print("only \(outOfStock.available) are left")
        return nil
    }
    return try await shop.orders.placeOrder(
        .init(cartId: cart.cartId), options: CallOptions(timeout: .seconds(5)))
}

let email = "ann-\(UUID().uuidString)@example.org"
do {
    try await shop.authentication.registerUser(.init(email: email, password: "correct horse"))
    // From here on the client shows who is signed in, and gets new tokens by itself.
    try await shop.authentication.authenticate(.init(email: email, password: "correct horse"))
    if let sku = try await findSKU("oak board"), let placed = try await order(sku, quantity: 1) {
        print("\(placed.orderId) of \(placed.placedAt): \(placed.state.contractValueName)")
    }
    try await shop.session.signOut()
} catch let error as ShopError {
    print("\(error.code): \(error.message)")
    exit(1)
}
