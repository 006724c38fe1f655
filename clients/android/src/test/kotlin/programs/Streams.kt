/** What streams do, against servers that break off. */
package programs

import contract.client.ApiException
import contract.client.CallOptions
import contract.client.Code
import contract.client.EventParser
import contract.client.ServerSentEvent
import java.util.concurrent.atomic.AtomicInteger
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertTrue
import kotlin.time.Duration.Companion.milliseconds
import kotlinx.coroutines.flow.collect
import kotlinx.coroutines.flow.take
import kotlinx.coroutines.flow.toList
import library.Library
import library.library.v1.BookEvent
import library.library.v1.LibraryException
import library.library.v1.WatchBookRequest

private val WATCH = WatchBookRequest("1")

private fun event(number: Int) = "id: $number\ndata: {\"number\": \"$number\", \"text\": \"t\"}\n\n"

private const val END = "event: end\ndata: {}\n\n"

/** Reads a stream in pieces of one size. */
private fun parsed(text: String, size: Int): List<ServerSentEvent> {
    val parser = EventParser()
    return text.encodeToByteArray().toList().chunked(size).flatMap { parser.feed(it.toByteArray()) }
}

fun main() =
    Tests().apply {
        parsing()
        streams()
    }.run()

private fun Tests.parsing() {
    test("a stream is read alike in whatever pieces it comes") {
        val text =
            "\uFEFFid: 1\r\ndata: é\r\ndata:  b\r\r: comment\n\nevent: end\ndata\n\n" +
                "id: a\u0000\nretry: 7\ndata: x\u2028y\n\n"
        val expected =
            listOf(
                ServerSentEvent("message", "é\n b", "1"),
                ServerSentEvent("end", "", "1"),
                ServerSentEvent("message", "x\u2028y", "1"),
            )
        for (size in 1..text.length) assertEquals(expected, parsed(text, size), "pieces of $size bytes")
    }
    test("what is not whole at the end is no event") {
        assertEquals(emptyList(), parsed("data: x\n", 3))
    }
    test("how long to wait is what the server has said last, if it is a number") {
        val parser = EventParser()
        parser.feed("retry: 7\nretry: soon\n".encodeToByteArray())
        assertEquals(7, parser.retryMilliseconds)
    }
}

private fun Tests.streams() {
    test("a stream goes on after the last event that was received") {
        val opened = AtomicInteger()
        val server =
            FakeServer {
                when (opened.incrementAndGet()) {
                    1 -> Answer("retry: 1\n" + event(1) + event(2) + "data: {\"num")
                    2 -> problem("UNAVAILABLE", 503)
                    else -> Answer(event(3) + END)
                }
            }
        val heard = Library(server.options()).library.watchBook(WATCH).toList()
        assertEquals(listOf(1L, 2L, 3L), heard.map(BookEvent::number))
        assertEquals(listOf(null, "2", "2"), server.asked.map { it.header("last-event-id") })
        assertTrue(server.asked.all { it.header("accept") == "text/event-stream" })
    }
    test("a stream that is refused says why, and is not asked for again") {
        val more = """, "error": "BookNotFound", "fields": {"isbn": "1"}"""
        val server = FakeServer { problem("NOT_FOUND", 404, more) }
        assertFailsWith<LibraryException.BookNotFound> { Library(server.options()).library.watchBook(WATCH).collect() }
        assertEquals(1, server.asked.size)
    }
    test("an error within a stream ends it, with its fields") {
        val data = """{"code": "NOT_FOUND", "status": 404, "error": "BookNotFound", "fields": {"isbn": "7"}}"""
        val server = FakeServer { Answer(event(1) + "event: error\ndata: $data\n\n") }
        val heard = mutableListOf<BookEvent>()
        val failure =
            assertFailsWith<LibraryException.BookNotFound> {
                Library(server.options()).library.watchBook(WATCH).collect { heard += it }
            }
        assertEquals("7", failure.error.isbn)
        assertEquals(404, failure.status)
        assertEquals(1, heard.size)
    }
    test("until it has begun, a stream is asked for as often as a call") {
        val server = FakeServer { problem("UNAVAILABLE", 503) }
        assertFailsWith<ApiException> { Library(server.options()).library.watchBook(WATCH).collect() }
        assertEquals(4, server.asked.size)
    }
    test("what its collector throws is none of the stream's errors") {
        val server = FakeServer { Answer(event(1) + event(2)) }
        val own = ApiException(Code.UNAVAILABLE, "of another call")
        val thrown =
            assertFailsWith<ApiException> { Library(server.options()).library.watchBook(WATCH).collect { throw own } }
        assertEquals(own.message, thrown.message)
        assertEquals(1, server.asked.size)
    }
    test("a collector that leaves ends the stream") {
        val server = FakeServer { Answer(event(1) + event(2)) }
        assertEquals(1, Library(server.options()).library.watchBook(WATCH).take(1).toList().size)
        assertEquals(1, server.asked.size)
    }
    test("a stream lasts no longer than its time-out") {
        // It breaks off again and again, and waits before it comes back.
        val server = FakeServer { Answer("retry: 50\n") }
        val failure =
            assertFailsWith<ApiException> {
                Library(server.options()).library.watchBook(WATCH, CallOptions(timeout = 200.milliseconds)).collect()
            }
        assertEquals(Code.DEADLINE_EXCEEDED, failure.code)
        assertTrue(server.asked.size > 1)
    }
}
