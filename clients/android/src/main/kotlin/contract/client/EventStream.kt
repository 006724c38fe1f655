package contract.client

import kotlin.time.Duration.Companion.milliseconds
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow
import okhttp3.Response

/**
 * The responses of a stream, as server-sent events: asked for when they are collected, and left with it. One that
 * breaks off goes on after the last response that was received, where the contract says how.
 *
 * Until it has begun, it is asked for as often as the policy of retries says; after that it comes back until its
 * collector leaves.
 */
internal fun <Q, R> Connection.stream(method: Method<Q, R>, request: Q, options: CallOptions): Flow<R> =
    flow {
        val events = EventStream(this@stream, method, prepare(method, request), Deadline(options.timeout))
        try {
            // Outside of what catches errors, since those of the collector are none of the stream.
            while (true) emit(events.next() ?: break)
        } finally {
            events.leave()
        }
    }

private class EventStream<R>(
    private val connection: Connection,
    private val method: Method<*, R>,
    private val prepared: PreparedRequest,
    private val deadline: Deadline,
) {
    private var exchange: Exchange? = null
    private var response: Response? = null
    private var parser = EventParser()
    private val waiting = ArrayDeque<ServerSentEvent>()
    private var lastId = ""
    private var hasBegun = false
    private var failures = 0

    /** The next response; null when the server says that there is none. */
    suspend fun next(): R? {
        while (true) {
            try {
                return received()
            } catch (failure: ApiException) {
                leave()
                failures += 1
                val mayBegin = method.isRetriable && failures < connection.retry.attempts
                val mayGoOn = if (hasBegun) method.resumes else mayBegin
                if (!mayGoOn || !failure.isTransient) throw failure
                val wait = connection.retry.delayAfter(failures, failure)
                val asked = (parser.retryMilliseconds ?: 0).milliseconds
                deadline.within { delay(failure.retryAfter ?: maxOf(asked, wait)) }
            }
        }
    }

    fun leave() {
        exchange?.end()
        exchange = null
        response = null
        waiting.clear()
    }

    private suspend fun received(): R? {
        val open = response ?: connect()
        while (waiting.isEmpty()) {
            val piece = deadline.within { read(open) } ?: throw unavailable("the stream broke off")
            waiting += parser.feed(piece)
        }
        val event = waiting.removeAt(0)
        return when (event.type) {
            "end" -> null
            "error" -> throw errorOfEvent(event.data, method.errors)
            else -> {
                lastId = event.id
                method.answer(event.data)
            }
        }
    }

    private suspend fun connect(): Response {
        parser = EventParser()
        val headers = mutableMapOf("accept" to "text/event-stream")
        if (lastId.isNotEmpty()) headers["last-event-id"] = lastId
        val (_, opened) =
            deadline.within { connection.send(method, prepared, headers, isStream = true) { exchange = it } }
        hasBegun = true
        failures = 0
        response = opened
        return opened
    }

    private suspend fun read(open: Response): ByteArray? =
        exchange?.read(open) { source ->
            // Waits for one byte, and takes what has come with it.
            if (source.exhausted()) null else source.buffer.readByteArray()
        }
}
