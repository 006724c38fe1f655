/** From nothing to an order: run it with the address of a shop, such as http://127.0.0.1:8080. */
package example

import contract.client.ApiException
import contract.client.CallOptions
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.flow.firstOrNull
import kotlinx.coroutines.runBlocking
import shop.Shop
import shop.authentication.v1.AuthenticateRequest
import shop.authentication.v1.RegisterUserRequest
import shop.inventory.v1.ListItemsRequest
import shop.orders.v1.Order
import shop.orders.v1.OrderState
import shop.orders.v1.PlaceOrderRequest
import shop.shopping_cart.v1.SetItemQuantityRequest
import shop.shopping_cart.v1.ShoppingCartException

private suspend fun findSku(shop: Shop, words: String): String {
    val found =
        shop.inventory.listItemsAll(ListItemsRequest(query = words)).firstOrNull { it.stock > 0 }
            ?: error("nothing is called $words")
    println("${found.name}: ${found.price.minorUnits} ${found.price.currencyCode}")
    return found.sku
}

private suspend fun order(shop: Shop, sku: String, quantity: Int): Order? {
    val cart = shop.shoppingCart.createCart()
    try {
        shop.shoppingCart.setItemQuantity(SetItemQuantityRequest(cart.cartId, sku, quantity))
    } catch (refused: ShoppingCartException.OutOfStock) {
        println("only ${refused.error.available} are left")
        return null
    }
    return shop.orders.placeOrder(PlaceOrderRequest(cart.cartId), CallOptions(timeout = 5.seconds))
}

fun main(arguments: Array<String>) =
    runBlocking {
        Shop(arguments.firstOrNull() ?: "http://127.0.0.1:8080").use { shop ->
            val email = "ann-${System.currentTimeMillis()}@example.org"
            shop.authentication.registerUser(RegisterUserRequest(email, "correct horse"))
            // From here on the client shows who is signed in, and gets new tokens by itself.
            shop.authentication.authenticate(AuthenticateRequest(email, "correct horse"))
            try {
                val placed = order(shop, findSku(shop, "oak board"), 1)
                val how =
                    when (placed?.state) {
                        OrderState.CONFIRMED -> "is paid for"
                        OrderState.REJECTED -> "came to nothing: ${placed.rejection?.reason}"
                        else -> "is ${placed?.state}"
                    }
                println("order ${placed?.orderId} of ${placed?.placedAt} $how")
            } catch (failure: ApiException) {
                println("${failure.code}: ${failure.message}")
            } finally {
                shop.session.signOut()
            }
        }
    }
