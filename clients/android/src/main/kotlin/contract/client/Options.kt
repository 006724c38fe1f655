/** What callers may say of a client and of one call. */
package contract.client

import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import okhttp3.OkHttpClient

/**
 * What a client is made of.
 *
 * @property baseUrl where the server is, such as `https://shop.example.com`. A path in it is kept.
 * @property tokens where the tokens of a session are kept.
 * @property retry when calls are made again that the contract lets be made again.
 * @property http what sends requests, if not one of the client's own: for interceptors, certificates, or to share
 * a pool of connections with the rest of an app.
 */
class ClientOptions(
    val baseUrl: String,
    val tokens: TokenStore = MemoryTokenStore(),
    val retry: RetryPolicy = RetryPolicy(),
    val http: OkHttpClient? = null,
)

/**
 * What a caller may say of one call.
 *
 * @property timeout how long it may take, over all attempts, until it fails with [Code.DEADLINE_EXCEEDED];
 * what the contract says when null.
 * @property idempotencyKey the key of a method that takes one. Without it each call makes its own, which its
 * attempts share; give one to ask again after your program was restarted.
 */
data class CallOptions(
    val timeout: Duration? = null,
    val idempotencyKey: String? = null,
)

/**
 * When a call is made again.
 *
 * @property attempts how often it is made at the most, the first time included: 1 makes it once.
 * @property baseDelay the longest wait before the second attempt; it doubles each time.
 * @property maximumDelay the longest wait of all.
 */
data class RetryPolicy(
    val attempts: Int = 4,
    val baseDelay: Duration = 200.milliseconds,
    val maximumDelay: Duration = 5.seconds,
) {
    init {
        require(attempts >= 1) { "attempts: expected 1 or more, got $attempts" }
    }
}
