package contract.client

import java.security.SecureRandom
import java.time.Duration as JavaDuration
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.withContext
import okhttp3.HttpUrl.Companion.toHttpUrl
import okhttp3.MediaType
import okhttp3.MediaType.Companion.toMediaType
import okhttp3.OkHttpClient
import okhttp3.Request
import okhttp3.RequestBody
import okhttp3.Response
import okhttp3.WebSocket
import okhttp3.WebSocketListener
import okio.BufferedSink

/** A server, and who is signed in there. */
internal class Connection(options: ClientOptions, methods: SessionMethods = SessionMethods()) {
    private val baseUrl = options.baseUrl.trimEnd('/')
    private val own = options.http ?: OkHttpClient()
    private val isShared = options.http != null

    // How long something takes, and how often it is tried, is for calls to say.
    private val http = own.newBuilder().readTimeout(JavaDuration.ZERO).callTimeout(JavaDuration.ZERO).build()
    private val streams = http.newBuilder().readTimeout(SILENCE).build()
    private val sockets = http.newBuilder().pingInterval(BETWEEN_PINGS).build()

    /** When calls are made again. */
    val retry: RetryPolicy = options.retry

    /** Who is signed in. */
    val session: Session =
        Session(
            options.tokens,
            // Once: a refresh token is refused the second time.
            SessionCalls(
                refresh = methods.refresh?.let { refresh -> { granted(refresh, it) } },
                revoke = methods.revoke?.let { revoke -> { once(revoke, it) } },
            ),
        )

    init {
        // Says what is wrong with the address before anything is called.
        baseUrl.toHttpUrl()
    }

    /**
     * Call a method that answers with one response.
     *
     * @throws ApiException when it fails.
     */
    suspend fun <Q, R> call(method: Method<Q, R>, request: Q, options: CallOptions): R {
        val prepared = prepare(method, request)
        val headers =
            if (method.takesKey) mapOf("idempotency-key" to (options.idempotencyKey ?: randomKey())) else emptyMap()
        val policy = if (method.isRetriable || method.takesKey) retry else retry.copy(attempts = 1)
        val deadline = Deadline(options.timeout ?: method.timeout)
        val response =
            deadline.within { retrying(policy, deadline) { exchange(method, prepared, headers) } }
        // What is known of the session by now is kept, also if nobody waits for it any more.
        withContext(NonCancellable) {
            when (val role = method.session) {
                null -> Unit
                is SessionRole.Begins -> session.begin(role.grant(response))
                is SessionRole.Ends -> role.refreshToken(request)?.let { session.forget(it) }
            }
        }
        return response
    }

    /**
     * Send a request. One that is refused because of its token is sent again with a new one.
     *
     * @param opened is told of each exchange before it begins, to end it.
     * @return an answer of success, whose body is still to be read.
     * @throws ApiException when the answer is none, or there is no answer.
     */
    suspend fun send(
        method: Method<*, *>,
        prepared: PreparedRequest,
        headers: Map<String, String>,
        isStream: Boolean = false,
        opened: (Exchange) -> Unit = {},
    ): Pair<Exchange, Response> {
        // Who begins or ends a session proves who they are by what is in the request.
        val shown = if (method.session != null && method.isPublic) null else session.accessToken()
        val client = if (isStream) streams else http
        val first = Exchange(client.newCall(request(method, prepared, headers, shown))).also(opened)
        val answer = first.response()
        if (answer.isSuccessful) return first to answer
        val refused = errorOf(first, answer, method)
        if (answer.code != UNAUTHORIZED || shown == null || refused.errorName != null) throw refused
        val renewed = session.renewed(shown)
        if (renewed == null || renewed == shown) throw refused
        val second = Exchange(client.newCall(request(method, prepared, headers, renewed))).also(opened)
        val other = second.response()
        return if (other.isSuccessful) second to other else throw errorOf(second, other, method)
    }

    /** Open a WebSocket at a path and query. */
    suspend fun open(target: String, listener: WebSocketListener): WebSocket {
        val request = Request.Builder().url(baseUrl + target)
        session.accessToken()?.let { request.header("authorization", "Bearer $it") }
        return sockets.newWebSocket(request.build(), listener)
    }

    /** Give back threads and connections, if nobody else uses them. */
    fun close() {
        session.close()
        if (!isShared) {
            own.dispatcher.executorService.shutdown()
            own.connectionPool.evictAll()
        }
    }

    private suspend fun granted(refresh: SessionMethod<*, *>, refreshToken: String): Grant =
        grantOf(refresh.method, refresh.prepared(refreshToken))

    private suspend fun <R> grantOf(method: Method<*, R>, prepared: PreparedRequest): Grant {
        val response = Deadline(method.timeout).let { it.within { exchange(method, prepared, emptyMap()) } }
        val role = method.session
        check(role is SessionRole.Begins) { "${method.name} gives no tokens" }
        return role.grant(response)
    }

    private suspend fun once(revoke: SessionMethod<*, *>, refreshToken: String) {
        val prepared = revoke.prepared(refreshToken)
        Deadline(revoke.method.timeout).within { exchange(revoke.method, prepared, emptyMap()) }
    }

    private suspend fun <R> exchange(
        method: Method<*, R>,
        prepared: PreparedRequest,
        headers: Map<String, String>,
    ): R {
        val (exchange, response) = send(method, prepared, headers)
        return method.answer(exchange.read(response) { it.readUtf8() })
    }

    private suspend fun errorOf(exchange: Exchange, response: Response, method: Method<*, *>): ApiException {
        val text =
            try {
                exchange.read(response) { it.readUtf8() }
            } catch (_: ApiException) {
                ""
            }
        return errorOfResponse(response, text, method.errors)
    }

    private fun request(
        method: Method<*, *>,
        prepared: PreparedRequest,
        headers: Map<String, String>,
        token: String?,
    ): Request {
        val body = prepared.body?.let(::OneShotBody)
        val request = Request.Builder().url(baseUrl + prepared.target).method(method.verb, body)
        headers.forEach { (name, value) -> request.header(name, value) }
        if (token != null) request.header("authorization", "Bearer $token")
        return request.build()
    }
}

private const val UNAUTHORIZED = 401

// Servers say something at least every 15 seconds.
private val SILENCE = JavaDuration.ofSeconds(45)

// A link that is dead is noticed after as long.
private val BETWEEN_PINGS = JavaDuration.ofSeconds(20)

private val JSON = "application/json".toMediaType()

/** A body that the platform does not send twice by itself: whether that is right, it cannot know. */
private class OneShotBody(text: String) : RequestBody() {
    private val bytes = text.encodeToByteArray()

    override fun contentType(): MediaType = JSON

    override fun contentLength(): Long = bytes.size.toLong()

    override fun isOneShot(): Boolean = true

    override fun writeTo(sink: BufferedSink) {
        sink.write(bytes)
    }
}

private val random = SecureRandom()

/** 128 random bits. */
private fun randomKey(): String =
    ByteArray(16).also(random::nextBytes).joinToString("") { "%02x".format(it) }
