package contract.client

import java.io.Closeable
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.channels.trySendBlocking
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.consumeAsFlow
import okhttp3.Response
import okhttp3.WebSocket
import okhttp3.WebSocketListener

/** What is said and heard over a WebSocket. */
interface Conversation<in Q, out R> : Closeable {
    /** What is heard, for one collector. It ends with the conversation, and fails as it does. */
    val responses: Flow<R>

    /**
     * Say something.
     *
     * @param request what to say; what the path of the method has is left out of it.
     * @throws ApiException when the conversation has ended.
     */
    suspend fun send(request: Q)

    /** End it. What was said before is still handled. */
    override fun close()
}

private const val DONE = 1000
private const val REFUSED = 1008
private const val DEFECT = 1011

/** The server leaves, was lost, ends what lasted as long as it may, or something is away or full. */
private val COME_BACK = setOf(1001, 1006, 1012, 1013)

private val OPENING = 10.seconds
private const val WAITING = 16
private val REASON = Regex("([A-Za-z0-9_]+): (.*)", RegexOption.DOT_MATCHES_ALL)

/** Open a conversation with its first request; [CallOptions.timeout] says how long that may take. */
internal suspend fun <Q, R> Connection.converse(
    method: Method<Q, R>,
    request: Q,
    options: CallOptions,
): Conversation<Q, R> {
    val conversation = WebSocketConversation(method)
    try {
        Deadline(options.timeout ?: OPENING).within {
            conversation.socket = open(prepare(method, request).target, conversation)
            conversation.opened.await()
        }
    } catch (failure: Throwable) {
        conversation.socket?.cancel()
        throw failure
    }
    return conversation
}

private class WebSocketConversation<Q, R>(private val method: Method<Q, R>) : WebSocketListener(), Conversation<Q, R> {
    @Volatile var socket: WebSocket? = null
    val opened = CompletableDeferred<Unit>()

    // Who does not collect is sent no more: the thread that reads waits.
    private val heard = Channel<R>(WAITING)

    override val responses: Flow<R> = heard.consumeAsFlow()

    override suspend fun send(request: Q) {
        if (socket?.send(frame(method, request)) != true) {
            throw ApiException(Code.CANCELLED, "the conversation has ended")
        }
    }

    override fun close() {
        socket?.close(DONE, null)
        heard.close()
    }

    override fun onOpen(webSocket: WebSocket, response: Response) {
        opened.complete(Unit)
    }

    override fun onMessage(webSocket: WebSocket, text: String) {
        try {
            heard.trySendBlocking(method.answer(text))
        } catch (refused: ApiException) {
            heard.close(refused)
            webSocket.close(DONE, null)
        }
    }

    override fun onClosing(webSocket: WebSocket, code: Int, reason: String) {
        webSocket.close(DONE, null)
        end(errorOfClose(code, reason))
    }

    override fun onFailure(webSocket: WebSocket, t: Throwable, response: Response?) {
        val lost = unavailable("the conversation broke off", t as? Exception)
        end(response?.let { errorOfResponse(it, it.body.string(), method.errors) } ?: lost)
    }

    private fun end(error: ApiException?) {
        opened.completeExceptionally(error ?: unavailable("the conversation has ended"))
        heard.close(error)
    }

    /** The error of a WebSocket that was closed; null when the call has come to its end. */
    private fun errorOfClose(code: Int, reason: String): ApiException? {
        if (code == DONE) return null
        if (code in COME_BACK) return unavailable(reason.ifEmpty { "the conversation broke off" })
        val (name, sentence) = REASON.matchEntire(reason)?.destructured ?: return closed(code, reason, code)
        if (code != REFUSED) return closed(code, sentence, code)
        val canonical = Code.entries.find { it.name == name }
        // A reason has no room for the fields.
        val errorName = if (canonical == null) name else null
        return ApiException(ErrorDetails(canonical ?: Code.UNKNOWN, sentence, errorName = errorName))
    }

    private fun closed(code: Int, reason: String, status: Int): ApiException =
        ApiException(
            if (code == DEFECT) Code.INTERNAL else Code.UNKNOWN,
            reason.ifEmpty { "the WebSocket was closed with $status" },
        )
}
