/** What a customer does, against a running shop, whose address is the argument. */
package programs

import contract.client.ApiException
import contract.client.CallOptions
import contract.client.ClientOptions
import contract.client.Code
import contract.client.MemoryTokenStore
import contract.client.RetryPolicy
import contract.client.TokenStore
import contract.client.Tokens
import java.io.IOException
import java.time.Duration
import java.time.Instant
import java.util.concurrent.atomic.AtomicInteger
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertFalse
import kotlin.test.assertIs
import kotlin.test.assertNotEquals
import kotlin.test.assertTrue
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlin.time.measureTime
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.collect
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.take
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import okhttp3.Interceptor
import okhttp3.MediaType
import okhttp3.OkHttpClient
import okhttp3.ResponseBody
import okio.Buffer
import okio.BufferedSource
import okio.ForwardingSource
import okio.buffer
import shop.Shop
import shop.authentication.v1.AuthenticateRequest
import shop.authentication.v1.AuthenticationException
import shop.authentication.v1.RegisterUserRequest
import shop.customer_chat.v1.CloseChatRequest
import shop.customer_chat.v1.CustomerChatException
import shop.customer_chat.v1.Entry
import shop.customer_chat.v1.EntryKind
import shop.customer_chat.v1.Message
import shop.customer_chat.v1.SendMessageRequest
import shop.customer_chat.v1.StreamChatRequest
import shop.customer_chat.v1.TalkInChatRequest
import shop.customer_chat.v1.TalkInChatResponse
import shop.home.v1.Client
import shop.home.v1.GetHomeRequest
import shop.inventory.v1.ListItemsRequest
import shop.orders.v1.GetOrderRequest
import shop.orders.v1.ListOrdersRequest
import shop.orders.v1.OrderEvent
import shop.orders.v1.OrdersException
import shop.orders.v1.PlaceOrderRequest
import shop.shopping_cart.v1.Availability
import shop.shopping_cart.v1.SetItemQuantityRequest
import shop.shopping_cart.v1.ShoppingCartException

private const val PASSWORD = "correct horse"
private val people = AtomicInteger()

fun main(arguments: Array<String>) =
    Tests().apply {
        val customer = Customer(arguments.single())
        accounts(customer)
        purchases(customer)
        tokens(customer)
        chats(customer)
        limits(customer)
    }.run()

/** Makes clients of people who nobody else is. */
private class Customer(val url: String) {
    fun somebody() = "kotlin-${System.nanoTime()}-${people.incrementAndGet()}@example.org"

    suspend fun signedIn(tokens: TokenStore = MemoryTokenStore(), email: String = somebody()): Shop {
        val shop = Shop(ClientOptions(url, tokens))
        shop.authentication.registerUser(RegisterUserRequest(email, PASSWORD))
        shop.authentication.authenticate(AuthenticateRequest(email, PASSWORD))
        return shop
    }
}

private fun Tests.accounts(customer: Customer) {
    test("somebody signs up, signs in and out") {
        val email = customer.somebody()
        customer.signedIn(email = email).use { shop ->
            val user = shop.authentication.getUser()
            assertEquals(email, user.email)
            assertTrue(Duration.between(user.registeredAt, Instant.now()).abs() < Duration.ofMinutes(1))
            shop.session.signOut()
            assertFalse(shop.session.isSignedIn())
            val failure = assertFailsWith<ApiException> { shop.authentication.getUser() }
            assertEquals(Code.UNAUTHENTICATED, failure.code)
        }
    }
    test("a wrong password is an error that the contract declares") {
        val email = customer.somebody()
        customer.signedIn(email = email).close()
        Shop(customer.url).use { shop ->
            val wrong = AuthenticateRequest(email, "wrong horse")
            val failure =
                assertFailsWith<AuthenticationException.InvalidCredentials> { shop.authentication.authenticate(wrong) }
            assertEquals(Code.UNAUTHENTICATED, failure.code)
            assertFalse(shop.session.isSignedIn())
        }
    }
    test("what breaks a rule of the contract names the field") {
        Shop(customer.url).use { shop ->
            val short = RegisterUserRequest("a@b.c", "short")
            val failure = assertFailsWith<ApiException> { shop.authentication.registerUser(short) }
            assertEquals(Code.INVALID_ARGUMENT, failure.code)
            assertEquals("password", failure.fieldProblems.single().field)
            assertTrue(!failure.requestId.isNullOrEmpty())
        }
    }
}

private fun Tests.purchases(customer: Customer) {
    test("a catalogue is browsed page by page, as far as somebody reads") {
        Shop(customer.url).use { shop ->
            val skus = shop.inventory.listItemsAll(ListItemsRequest(pageSize = 7)).take(20).toList().map { it.sku }
            assertEquals(20, skus.toSet().size)
            val page = shop.inventory.listItems(ListItemsRequest(pageSize = 20))
            assertEquals(skus, page.items.map { it.sku })
            assertNotEquals("", page.nextPageToken)
        }
    }
    test("an order is placed from a cart, and comes back by its key") {
        customer.signedIn().use { shop ->
            val item = shop.inventory.listItems(ListItemsRequest(query = "oak board", pageSize = 1)).items.single()
            val cartId = shop.shoppingCart.createCart().cartId
            val cart = shop.shoppingCart.setItemQuantity(SetItemQuantityRequest(cartId, item.sku, 1))
            assertEquals(Availability.IN_STOCK, cart.lines.single().availability)
            val key = CallOptions(idempotencyKey = "my first")
            val order = shop.orders.placeOrder(PlaceOrderRequest(cartId), key)
            assertEquals(cart.total, order.total)
            assertEquals(order.orderId, shop.orders.placeOrder(PlaceOrderRequest(cartId), key).orderId)
            val found = shop.orders.listOrdersAll(ListOrdersRequest(pageSize = 1)).toList()
            assertEquals(listOf(order.orderId), found.map { it.orderId })
            val timeline = shop.orders.getOrder(GetOrderRequest(order.orderId)).timeline
            assertEquals(OrderEvent.PLACED, timeline.first().event)
            val home = shop.home.getHome(GetHomeRequest(client = Client.WEB, cartId = cartId))
            assertEquals(order.orderId, home.recentOrders.first().orderId)
        }
    }
    test("what is refused says why, with the fields of the contract's error") {
        Shop(customer.url).use { shop ->
            val item = shop.inventory.listItems(ListItemsRequest(pageSize = 1)).items.single()
            val cartId = shop.shoppingCart.createCart().cartId
            val tooMuch = SetItemQuantityRequest(cartId, item.sku, 999)
            val failure =
                assertFailsWith<ShoppingCartException.OutOfStock> { shop.shoppingCart.setItemQuantity(tooMuch) }
            assertEquals(999, failure.error.requested)
            assertEquals(item.stock, failure.error.available)
            assertEquals(Code.FAILED_PRECONDITION, failure.code)
            assertFailsWith<OrdersException.OrderNotFound> { shop.orders.getOrder(GetOrderRequest("none")) }
        }
    }
}

/** Keeps tokens of which all are to be renewed at once. */
private class HastyTokenStore : TokenStore {
    private val kept = MemoryTokenStore()

    override suspend fun load(): Tokens? = kept.load()

    override suspend fun save(tokens: Tokens?) = kept.save(tokens?.copy(renewAt = Instant.EPOCH))
}

private fun Tests.tokens(customer: Customer) {
    test("many calls that need a new token get it in turns, and no refresh token is used twice") {
        val email = customer.somebody()
        customer.signedIn(HastyTokenStore(), email).use { shop ->
            val users = List(8) { async { shop.authentication.getUser() } }.awaitAll()
            assertEquals(setOf(email), users.map { it.email }.toSet())
            // The session has not ended, as it would have if a token had been used again.
            assertEquals(email, shop.authentication.getUser().email)
        }
    }
    test("a token that is refused is renewed, and the call made again") {
        val store = MemoryTokenStore()
        val email = customer.somebody()
        customer.signedIn(store, email).use { shop ->
            store.save(store.load()?.copy(accessToken = "e30.e30.e30"))
            assertEquals(email, shop.authentication.getUser().email)
        }
    }
    test("a session that has ended is forgotten") {
        val store = MemoryTokenStore()
        customer.signedIn(store).use { shop ->
            store.save(store.load()?.copy(refreshToken = "none", renewAt = Instant.EPOCH))
            assertFailsWith<AuthenticationException.InvalidRefreshToken> { shop.authentication.getUser() }
            assertFalse(shop.session.isSignedIn())
            assertTrue(shop.inventory.listItems().items.isNotEmpty())
        }
    }
}

/** Loses each stream after its first piece that has an event, as if the connection were cut. */
private class FrailConnection : Interceptor {
    val opened = AtomicInteger()

    override fun intercept(chain: Interceptor.Chain): okhttp3.Response {
        val response = chain.proceed(chain.request())
        if (!chain.request().url.encodedPath.endsWith(":stream")) return response
        opened.incrementAndGet()
        return response.newBuilder().body(FrailBody(response.body)).build()
    }
}

private class FrailBody(private val whole: ResponseBody) : ResponseBody() {
    private var isLost = false

    override fun contentType(): MediaType? = whole.contentType()

    override fun contentLength(): Long = -1

    override fun source(): BufferedSource =
        object : ForwardingSource(whole.source()) {
            override fun read(sink: Buffer, byteCount: Long): Long {
                if (isLost) throw IOException("lost")
                val piece = Buffer()
                val count = super.read(piece, byteCount)
                if (count > 0) {
                    val text = piece.readUtf8()
                    isLost = "data:" in text && "event: end" !in text
                    sink.writeUtf8(text.replace("retry: 2000", "retry: 1"))
                }
                return count
            }
        }.buffer()
}

private fun Tests.chats(customer: Customer) {
    test("a chat is followed as it is said, and goes on where the stream broke off") {
        val store = MemoryTokenStore()
        val frail = FrailConnection()
        val http = OkHttpClient.Builder().addInterceptor(frail).build()
        val options = ClientOptions(customer.url, store, RetryPolicy(baseDelay = 1.milliseconds), http)
        customer.signedIn(store).use { shop ->
            val chatId = shop.customerChat.openChat().chatId
            val said = listOf("Is it made of oak?", "Hello?", "Never mind.")
            val heard = mutableListOf<Entry>()
            shop.customerChat.sendMessage(SendMessageRequest(chatId, "0", said[0]))
            val call = CallOptions(timeout = 50.seconds)
            Shop(options).customerChat.streamChat(StreamChatRequest(chatId), call).collect { entry ->
                heard += entry
                when {
                    entry.kind != EntryKind.MESSAGE -> Unit
                    heard.size == said.size -> shop.customerChat.closeChat(CloseChatRequest(chatId))
                    else -> shop.customerChat.sendMessage(SendMessageRequest(chatId, "${heard.size}", said[heard.size]))
                }
            }
            assertEquals(said, heard.filter { it.kind == EntryKind.MESSAGE }.map { it.text })
            assertEquals(listOf(1L, 2L, 3L, 4L), heard.map { it.position })
            assertTrue(frail.opened.get() > 1, "the stream was opened ${frail.opened} times")
        }
    }
    test("a stream that is refused says why, and one that is left ends") {
        customer.signedIn().use { shop ->
            val unknown = shop.customerChat.streamChat(StreamChatRequest("none"))
            val refused = assertFailsWith<CustomerChatException.ChatNotFound> { unknown.collect() }
            assertEquals("none", refused.error.chatId)
            val chatId = shop.customerChat.openChat().chatId
            val listening = launch { shop.customerChat.streamChat(StreamChatRequest(chatId)).collect() }
            delay(300)
            val took = measureTime { listening.cancel(); listening.join() }
            assertTrue(took < 1.seconds, "it took $took to leave a stream in which nothing is said")
        }
    }
    test("a conversation is held over a WebSocket") {
        customer.signedIn().use { shop ->
            val chatId = shop.customerChat.openChat().chatId
            shop.customerChat.talkInChat(TalkInChatRequest(chatId)).use { talk ->
                val message = { text: String -> TalkInChatRequest(message = Message("1", text)) }
                talk.send(message("hello"))
                val heard = mutableListOf<TalkInChatResponse.What?>()
                talk.responses.collect {
                    heard += it.what
                    when (heard.size) {
                        1 -> talk.send(message("something else"))
                        2 -> shop.customerChat.closeChat(CloseChatRequest(chatId))
                    }
                }
                val (first, second, third) = heard
                assertEquals("hello", assertIs<TalkInChatResponse.What.Entry>(first).value.text)
                assertIs<TalkInChatResponse.What.Refusal>(second)
                assertEquals(EntryKind.CLOSED, assertIs<TalkInChatResponse.What.Entry>(third).value.kind)
            }
        }
    }
    test("a conversation that is refused says why") {
        customer.signedIn().use { shop ->
            val failure =
                assertFailsWith<ApiException> {
                    shop.customerChat.talkInChat(TalkInChatRequest("none")).use { it.responses.first() }
                }
            assertEquals("ChatNotFound", failure.errorName)
        }
        Shop(customer.url).use { shop ->
            val nobody = TalkInChatRequest("none")
            val failure = assertFailsWith<ApiException> { shop.customerChat.talkInChat(nobody).responses.first() }
            assertEquals(Code.UNAUTHENTICATED, failure.code)
        }
    }
}

private fun Tests.limits(customer: Customer) {
    test("a call ends when its caller says so, and when its time is over") {
        val slow = OkHttpClient.Builder().addInterceptor { Thread.sleep(500); it.proceed(it.request()) }.build()
        val shop = Shop(ClientOptions(customer.url, http = slow))
        val failure =
            assertFailsWith<ApiException> { shop.inventory.listItems(options = CallOptions(timeout = 20.milliseconds)) }
        assertEquals(Code.DEADLINE_EXCEEDED, failure.code)
        val call = launch(Dispatchers.Default) { shop.inventory.listItems() }
        delay(50)
        val took = measureTime { call.cancel(); call.join() }
        assertTrue(call.isCancelled && took < 400.milliseconds, "it took $took")
    }
    test("a server that is not there is UNAVAILABLE") {
        val nowhere = ClientOptions("http://127.0.0.1:1", retry = RetryPolicy(attempts = 1))
        val failure = assertFailsWith<ApiException> { Shop(nowhere).inventory.listItems() }
        assertEquals(Code.UNAVAILABLE, failure.code)
    }
}
