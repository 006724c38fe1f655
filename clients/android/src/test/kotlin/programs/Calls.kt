/** What calls do, against servers that answer what servers seldom do. */
package programs

import contract.client.ApiException
import contract.client.ByteString
import contract.client.CallOptions
import contract.client.ClientOptions
import contract.client.Code
import contract.client.FieldMask
import contract.client.FieldProblem
import contract.client.MemoryTokenStore
import contract.client.Tokens
import contract.client.retryAfter
import java.io.IOException
import java.time.Instant
import java.util.concurrent.CountDownLatch
import java.util.concurrent.atomic.AtomicInteger
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertFalse
import kotlin.test.assertNotEquals
import kotlin.test.assertNull
import kotlin.test.assertTrue
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.flow.take
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import kotlinx.coroutines.withTimeout
import library.Library
import library.library.v1.Book
import library.library.v1.BorrowBookRequest
import library.library.v1.CreateReviewRequest
import library.library.v1.DeleteReviewRequest
import library.library.v1.EveryScalar
import library.library.v1.EveryWellKnown
import library.library.v1.Everything
import library.library.v1.Genre
import library.library.v1.GetBookRequest
import library.library.v1.LibraryException
import library.library.v1.ListBooksRequest
import library.library.v1.UpdateBookRequest
import shop.Shop
import shop.authentication.v1.AuthenticateRequest
import shop.authentication.v1.AuthenticationException
import shop.authentication.v1.LogOutRequest
import shop.inventory.v1.ListItemsRequest

private const val TOKENS = """{"accessToken": "new", "tokenType": "Bearer", "expiresIn": 900, "refreshToken": "r2"}"""
private const val USER = """{"userId": "u", "email": "a@b.c", "registeredAt": "2024-05-31T12:00:00Z"}"""

private fun signedIn(renewAt: Instant = Instant.MAX) = MemoryTokenStore(Tokens("old", "r1", renewAt))

fun main() =
    Tests().apply {
        requests()
        attempts()
        errors()
        limits()
        sessions()
        pages()
    }.run()

private fun Tests.requests() {
    test("members go where the contract says, and defaults nowhere") {
        val server = FakeServer { Answer("""{"isbn": "1", "rating": 0.5}""") }
        val library = Library(server.options()).library
        library.getBook(GetBookRequest(isbn = "a/b ü%"))
        val genres = listOf(Genre.FICTION, Genre("7"))
        library.listBooks(ListBooksRequest(genres = genres, words = listOf("a b&c"), isLent = false))
        val mask = FieldMask("isbn", "rating")
        library.updateBook(UpdateBookRequest("1", Book(rating = -0f), dryRun = true, updateMask = mask))
        library.deleteReview(DeleteReviewRequest("1", ULong.MAX_VALUE))
        library.createReview(CreateReviewRequest("1", "\u2028\"", mapOf("plot" to 5)))
        assertEquals(
            listOf(
                "GET /path/v1/books/a%2Fb%20%C3%BC%25 null",
                "GET /path/v1/books?words=a%20b%26c&isLent=false&genres=GENRE_FICTION&genres=7 null",
                "PATCH /path/v1/books/1?dryRun=true&updateMask=isbn%2Crating {\"rating\":-0.0}",
                "DELETE /path/v1/books/1/reviews/18446744073709551615 null",
                "POST /path/v1/books/1/reviews {\"text\":\"\\u2028\\\"\",\"stars\":{\"plot\":5}}",
            ),
            server.asked.map { "${it.method} ${it.target} ${it.body}" },
        )
    }
    test("what no path or field can hold is refused before it is sent") {
        val server = FakeServer { Answer() }
        val library = Library(server.options()).library
        for (isbn in listOf("", ".", "..")) {
            val refused = assertFailsWith<ApiException> { library.getBook(GetBookRequest(isbn)) }
            assertEquals(Code.INVALID_ARGUMENT, refused.code)
        }
        val late = Everything(wellKnown = EveryWellKnown(time = Instant.MAX))
        val refused = assertFailsWith<ApiException> { library.echoEverything(late) }
        assertTrue("${refused.message}".startsWith("wellKnown.time: expected an instant"), refused.message)
        val lone = Everything(scalars = EveryScalar(text = "\ud800"))
        assertEquals(Code.INVALID_ARGUMENT, assertFailsWith<ApiException> { library.echoEverything(lone) }.code)
        assertEquals(0, server.asked.size)
    }
    test("an answer of a newer server is read as far as it is known") {
        val server = FakeServer { Answer("""{"isbn": "1", "genre": "GENRE_POETRY", "shelf": [{"x": 1}]}""") }
        val book = Library(server.options()).library.getBook(GetBookRequest("1"))
        assertEquals(Book(isbn = "1", genre = Genre("GENRE_POETRY")), book)
    }
    test("an answer that is not what the contract says is an error that says so") {
        for (body in listOf("no JSON", """{"isbn": 7}""", "[]", """{"isbn": "1"} more""")) {
            val failure =
                assertFailsWith<ApiException> {
                    Library(FakeServer { Answer(body) }.options()).library.getBook(GetBookRequest("1"))
                }
            assertEquals(Code.INTERNAL, failure.code)
        }
    }
    test("an address that is none is refused where it is given") {
        assertFailsWith<IllegalArgumentException> { Library("shop.example.com") }
    }
    test("bytes and empty messages are equal by what they hold, and tokens are not printed") {
        assertEquals(ByteString.of(byteArrayOf(1, 2)), ByteString.of(byteArrayOf(1, 2)))
        assertNotEquals(ByteString.of(byteArrayOf(1, 2)), ByteString.EMPTY)
        assertEquals(library.library.v1.DeleteReviewResponse(), library.library.v1.DeleteReviewResponse())
        assertFalse("secret" in Tokens("secret", "secret", Instant.EPOCH).toString())
    }
}

private fun Tests.attempts() {
    test("what was away, full or lost is asked again by the same key") {
        var asked = 0
        val server =
            FakeServer {
                when (++asked) {
                    1 -> throw IOException("lost")
                    2 -> problem("UNAVAILABLE", 503)
                    3 -> problem("RESOURCE_EXHAUSTED", 429, headers = mapOf("Retry-After" to "0"))
                    else -> Answer("""{"isbn": "1"}""")
                }
            }
        assertEquals("1", Library(server.options()).library.borrowBook(BorrowBookRequest("1")).isbn)
        assertEquals(4, server.asked.size)
        val keys = server.asked.map { it.header("idempotency-key") }.toSet()
        assertEquals(1, keys.size)
        assertTrue(Regex("[0-9a-f]{32}").matches("${keys.single()}"))
        Library(server.options()).library.borrowBook(BorrowBookRequest("1"), CallOptions(idempotencyKey = "mine"))
        assertEquals("mine", server.asked.last().header("idempotency-key"))
    }
    test("after four attempts a call has failed") {
        val server = FakeServer { problem("UNAVAILABLE", 503) }
        val failure = assertFailsWith<ApiException> { Library(server.options()).library.getBook(GetBookRequest("1")) }
        assertEquals(Code.UNAVAILABLE, failure.code)
        assertEquals(4, server.asked.size)
    }
    test("what the contract does not let be repeated is sent once") {
        val server = FakeServer { problem("UNAVAILABLE", 503) }
        assertFailsWith<ApiException> { Library(server.options()).library.createReview(CreateReviewRequest("1", "x")) }
        assertEquals(1, server.asked.size)
    }
    test("no attempt is made that the time-out leaves no time for") {
        val server = FakeServer { problem("UNAVAILABLE", 503, headers = mapOf("Retry-After" to "60")) }
        val failure = assertFailsWith<ApiException> { Library(server.options()).library.getBook(GetBookRequest("1")) }
        assertEquals(60.seconds, failure.retryAfter)
        assertEquals(1, server.asked.size)
    }
    test("Retry-After has seconds or a date") {
        val now = Instant.parse("2024-05-31T12:00:00Z")
        assertEquals(7.seconds, retryAfter("7", now))
        assertEquals(30.seconds, retryAfter("Fri, 31 May 2024 12:00:30 GMT", now))
        assertEquals(0.seconds, retryAfter("Fri, 31 May 2024 11:00:00 GMT", now))
        assertNull(retryAfter("soon", now))
        assertNull(retryAfter(null, now))
    }
}

private fun Tests.errors() {
    test("an error that the contract declares has its own class and its fields") {
        val more = """, "error": "BookNotFound", "fields": {"isbn": "1"}"""
        val server = FakeServer { problem("NOT_FOUND", 404, more, mapOf("x-request-id" to "id")) }
        val failure =
            assertFailsWith<LibraryException.BookNotFound> {
                Library(server.options()).library.getBook(GetBookRequest("1"))
            }
        assertEquals("1", failure.error.isbn)
        assertEquals(Code.NOT_FOUND, failure.code)
        assertEquals(404, failure.status)
        assertEquals("id", failure.requestId)
        assertEquals("no", failure.message)
        // Another method does not declare it.
        val other = assertFailsWith<ApiException> { Library(server.options()).library.listBooks() }
        assertFalse(other is LibraryException)
        assertEquals("BookNotFound", other.errorName)
    }
    test("an error that a newer server declares is told by its name, and not repeated") {
        val server = FakeServer { problem("UNAVAILABLE", 503, """, "error": "ShelfOnFire"""") }
        val failure = assertFailsWith<ApiException> { Library(server.options()).library.getBook(GetBookRequest("1")) }
        assertEquals("ShelfOnFire", failure.errorName)
        assertEquals(1, server.asked.size)
    }
    test("fields that break a rule are named") {
        val more = """, "errors": [{"field": "text", "detail": "expected less"}, 7]"""
        val server = FakeServer { problem("INVALID_ARGUMENT", 400, more) }
        val failure = assertFailsWith<ApiException> { Library(server.options()).library.listBooks() }
        assertEquals(listOf(FieldProblem("text", "expected less")), failure.fieldProblems)
    }
    test("an answer that is no problem, since something between wrote it, has a code all the same") {
        for ((status, code) in mapOf(502 to Code.UNAVAILABLE, 413 to Code.INVALID_ARGUMENT, 418 to Code.UNKNOWN)) {
            val server = FakeServer { Answer("<html>", status) }
            val library = Library(server.options()).library
            val failure = assertFailsWith<ApiException> { library.createReview(CreateReviewRequest("1", "x")) }
            assertEquals(code, failure.code)
            assertEquals("the answer has status $status", failure.message)
        }
    }
}

private fun Tests.limits() {
    test("a call ends when its time is over") {
        val silent = CountDownLatch(1)
        val server = FakeServer { silent.await(); Answer() }
        val failure =
            assertFailsWith<ApiException> {
                Library(server.options()).library.listBooks(options = CallOptions(timeout = 20.milliseconds))
            }
        assertEquals(Code.DEADLINE_EXCEEDED, failure.code)
        silent.countDown()
    }
    test("a call ends when its coroutine is cancelled, and is not made again") {
        val began = CountDownLatch(1)
        val server = FakeServer { began.countDown(); Thread.sleep(300); throw IOException("ended") }
        var thrown: Throwable? = null
        val job =
            launch(kotlinx.coroutines.Dispatchers.Default) {
                thrown = runCatching { Library(server.options()).library.listBooks() }.exceptionOrNull()
            }
        kotlinx.coroutines.withContext(kotlinx.coroutines.Dispatchers.IO) { began.await() }
        withTimeout(200.milliseconds) {
            job.cancel()
            job.join()
        }
        assertTrue(thrown is CancellationException, "$thrown")
        assertEquals(1, server.asked.size)
    }
    test("a time-out around a call is not taken for the call's own") {
        val server = FakeServer { Thread.sleep(300); Answer() }
        assertFailsWith<kotlinx.coroutines.TimeoutCancellationException> {
            withTimeout(20.milliseconds) { Library(server.options()).library.listBooks() }
        }
    }
}

private fun Tests.sessions() {
    test("who signs in is nobody yet, and shows the new token from then on") {
        val server = FakeServer { if (it.target.endsWith("/users/me")) Answer(USER) else Answer(TOKENS) }
        val shop = Shop(server.options(signedIn()))
        shop.authentication.authenticate(AuthenticateRequest("a@b.c", "correct horse"))
        shop.authentication.getUser()
        assertEquals(listOf(null, "Bearer new"), server.asked.map { it.header("authorization") })
        assertTrue(shop.session.isSignedIn())
    }
    test("who signs out shows no token, and is nobody afterwards") {
        val server = FakeServer { Answer() }
        val shop = Shop(server.options(signedIn()))
        shop.authentication.logOut(LogOutRequest("another"))
        assertTrue(shop.session.isSignedIn())
        shop.session.signOut()
        assertFalse(shop.session.isSignedIn())
        val bodies = listOf("another", "r1").map { """{"refreshToken":"$it"}""" }
        assertEquals(bodies, server.asked.map { it.body })
        assertTrue(server.asked.all { it.header("authorization") == null })
    }
    test("many calls that need a new token get it with one refresh") {
        val refreshes = AtomicInteger()
        val server =
            FakeServer {
                if (it.target.endsWith(":refresh")) {
                    refreshes.incrementAndGet()
                    Answer(TOKENS)
                } else {
                    Answer(USER)
                }
            }
        val shop = Shop(server.options(signedIn(Instant.EPOCH)))
        List(8) { async { shop.authentication.getUser() } }.awaitAll()
        assertEquals(1, refreshes.get())
        assertNull(server.asked.first().header("authorization"))
        assertEquals(setOf("Bearer new"), server.asked.drop(1).map { "${it.header("authorization")}" }.toSet())
    }
    test("a refresh is never repeated, and a token that may be good for a little longer is shown") {
        val server =
            FakeServer { if (it.target.endsWith(":refresh")) problem("UNAVAILABLE", 503) else Answer(USER) }
        val shop = Shop(server.options(signedIn(Instant.EPOCH)))
        shop.authentication.getUser()
        assertEquals(listOf(null, "Bearer old"), server.asked.map { it.header("authorization") })
    }
    test("a token that is refused is renewed once, and the call made again") {
        val server =
            FakeServer {
                when {
                    it.target.endsWith(":refresh") -> Answer(TOKENS)
                    it.header("authorization") == "Bearer new" -> Answer(USER)
                    else -> problem("UNAUTHENTICATED", 401)
                }
            }
        Shop(server.options(signedIn())).authentication.getUser()
        assertEquals(3, server.asked.size)
    }
    test("a new token that is refused as well is not renewed again") {
        val server =
            FakeServer { if (it.target.endsWith(":refresh")) Answer(TOKENS) else problem("UNAUTHENTICATED", 401) }
        val failure =
            assertFailsWith<ApiException> { Shop(server.options(signedIn())).authentication.getUser() }
        assertEquals(Code.UNAUTHENTICATED, failure.code)
        assertEquals(3, server.asked.size)
    }
    test("a session that has ended is forgotten") {
        val more = """, "error": "InvalidRefreshToken", "fields": {}"""
        val server = FakeServer { problem("UNAUTHENTICATED", 401, more) }
        val shop = Shop(server.options(signedIn(Instant.EPOCH)))
        assertFailsWith<AuthenticationException.InvalidRefreshToken> { shop.authentication.getUser() }
        assertEquals(1, server.asked.size)
        assertFalse(shop.session.isSignedIn())
    }
    test("a refresh goes on when who has asked for it leaves") {
        val began = CountDownLatch(1)
        val server =
            FakeServer {
                if (it.target.endsWith(":refresh")) {
                    began.countDown()
                    Thread.sleep(200)
                    Answer(TOKENS)
                } else {
                    Answer(USER)
                }
            }
        val store = signedIn(Instant.EPOCH)
        val shop = Shop(server.options(store))
        val job = launch(kotlinx.coroutines.Dispatchers.Default) { shop.authentication.getUser() }
        kotlinx.coroutines.withContext(kotlinx.coroutines.Dispatchers.IO) { began.await() }
        job.cancel()
        job.join()
        shop.authentication.getUser()
        assertEquals("new", store.load()?.accessToken)
        assertEquals(1, server.asked.count { it.target.endsWith(":refresh") })
    }
}

private fun Tests.pages() {
    test("pages are asked for as they are needed") {
        val item = { sku: String -> """{"sku": "$sku", "price": {"minorUnits": "1", "currencyCode": "EUR"}}""" }
        val server =
            FakeServer {
                when {
                    "pageToken=2" in it.target -> Answer("""{"items": [${item("c")}]}""")
                    else -> Answer("""{"items": [${item("a")}, ${item("b")}], "nextPageToken": "2"}""")
                }
            }
        val inventory = Shop(server.options()).inventory
        val request = ListItemsRequest(query = "oak")
        assertEquals(listOf("a", "b"), inventory.listItemsAll(request).take(2).toList().map { it.sku })
        assertEquals(1, server.asked.size)
        assertEquals(listOf("a", "b", "c"), inventory.listItemsAll(request).toList().map { it.sku })
        assertEquals(listOf(2, 1), inventory.listItemsPages(request).toList().map { it.items.size })
        assertTrue(server.asked.all { "query=oak" in it.target })
    }
}
