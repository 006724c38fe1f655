package programs

import contract.client.ClientOptions
import contract.client.RetryPolicy
import contract.client.TokenStore
import contract.client.MemoryTokenStore
import java.util.concurrent.CopyOnWriteArrayList
import kotlin.time.Duration.Companion.milliseconds
import okhttp3.Interceptor
import okhttp3.MediaType.Companion.toMediaType
import okhttp3.OkHttpClient
import okhttp3.Protocol
import okhttp3.Request
import okhttp3.Response
import okhttp3.ResponseBody
import okhttp3.ResponseBody.Companion.toResponseBody
import okio.Buffer

/** What a server was asked. */
internal class Asked(request: Request) {
    val method = request.method
    val target = request.url.encodedPath + (request.url.encodedQuery?.let { "?$it" } ?: "")
    val body = request.body?.let { body -> Buffer().also(body::writeTo).readUtf8() }
    private val headers = request.headers

    fun header(name: String): String? = headers[name]
}

/** What it answers. */
internal class Answer(
    val body: String = "{}",
    val status: Int = 200,
    val headers: Map<String, String> = emptyMap(),
)

/** A server in the place of one that answers what a test wants; it stands behind all of the client's own code. */
internal class FakeServer(private val answer: (Asked) -> Answer) : Interceptor {
    val asked = CopyOnWriteArrayList<Asked>()

    fun options(tokens: TokenStore = MemoryTokenStore()) =
        ClientOptions(
            "http://shop.test/path/",
            tokens,
            RetryPolicy(baseDelay = 1.milliseconds),
            OkHttpClient.Builder().addInterceptor(this).build(),
        )

    override fun intercept(chain: Interceptor.Chain): Response {
        val found = Asked(chain.request())
        asked += found
        val answer = answer(found)
        val response =
            Response.Builder()
                .request(chain.request())
                .protocol(Protocol.HTTP_1_1)
                .code(answer.status)
                .message("")
                .body(body(answer.body))
        answer.headers.forEach { (name, value) -> response.header(name, value) }
        return response.build()
    }

    private fun body(text: String): ResponseBody = text.toResponseBody("application/json".toMediaType())
}

/** A problem as servers of ours give it. */
internal fun problem(code: String, status: Int, more: String = "", headers: Map<String, String> = emptyMap()) =
    Answer("""{"title": "no", "status": $status, "code": "$code"$more}""", status, headers)
