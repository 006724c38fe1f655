package contract.client

import java.time.Instant
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.async
import kotlinx.coroutines.cancel
import kotlinx.coroutines.isActive
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock

/**
 * What proves who is signed in.
 *
 * @property accessToken goes with each request.
 * @property refreshToken gives new tokens, once.
 * @property renewAt when to get new ones: a little before the access token expires.
 */
data class Tokens(val accessToken: String, val refreshToken: String, val renewAt: Instant) {
    override fun toString(): String = "Tokens(renewAt=$renewAt)"
}

/** Where tokens are kept. Implement it to keep them longer than a process lives. */
interface TokenStore {
    /** The tokens; null when nobody is signed in. */
    suspend fun load(): Tokens?

    /** Keep tokens, or forget those that were kept. */
    suspend fun save(tokens: Tokens?)
}

/** Keeps tokens as long as the process lives. */
class MemoryTokenStore(@Volatile private var tokens: Tokens? = null) : TokenStore {
    override suspend fun load(): Tokens? = tokens

    override suspend fun save(tokens: Tokens?) {
        this.tokens = tokens
    }
}

/** What a method that signs in answers; its life counts seconds. */
internal class Grant(val accessToken: String, val refreshToken: String, val expiresIn: Long)

/** The calls that keep a session alive and end it, by a refresh token, where the contract has them. */
internal class SessionCalls(
    val refresh: (suspend (String) -> Grant)? = null,
    val revoke: (suspend (String) -> Unit)? = null,
)

/** Who is signed in; methods that sign in or out keep it up to date. */
class Session internal constructor(private val store: TokenStore, private val calls: SessionCalls) {
    // A refresh outlives who has asked for it, so that nobody loses the tokens that it gives.
    private val scope = CoroutineScope(SupervisorJob() + Dispatchers.Default)
    private val turn = Mutex()

    /** Whether there are tokens. The server may refuse them all the same. */
    suspend fun isSignedIn(): Boolean = store.load() != null

    /** End the session, here first and then at the server. */
    suspend fun signOut() {
        val tokens = turn.withLock { store.load().also { store.save(null) } }
        if (tokens != null) calls.revoke?.invoke(tokens.refreshToken)
    }

    internal suspend fun begin(grant: Grant) = store.save(tokensOf(grant))

    /** Forget a session that was ended, by its refresh token. */
    internal suspend fun forget(refreshToken: String) {
        if (store.load()?.refreshToken == refreshToken) store.save(null)
    }

    /**
     * An access token to show, a new one when the time has come; null when nobody is signed in.
     *
     * @throws ApiException UNAUTHENTICATED when the session has ended. It is forgotten then, and who calls again
     * is nobody.
     */
    internal suspend fun accessToken(): String? {
        val tokens = store.load()
        if (tokens == null || Instant.now() < tokens.renewAt) return tokens?.accessToken
        return try {
            renewed(tokens.accessToken)
        } catch (failure: ApiException) {
            if (failure.code == Code.UNAUTHENTICATED) throw failure
            // It may be good for a little longer.
            tokens.accessToken
        }
    }

    /**
     * Another access token than one that is refused, or about to be.
     *
     * A refresh token is good once, and one that is used again ends the session. So tokens are asked for by one at
     * a time, and whoever comes next finds those that were given to the one before.
     */
    internal suspend fun renewed(accessToken: String): String? {
        check(scope.isActive) { "the client is closed" }
        return scope.async { turn.withLock { renewedAlone(accessToken) } }.await()
    }

    internal fun close() = scope.cancel()

    private suspend fun renewedAlone(accessToken: String): String? {
        val tokens = store.load()
        val refresh = calls.refresh
        if (tokens == null || tokens.accessToken != accessToken || refresh == null) return tokens?.accessToken
        try {
            val renewed = tokensOf(refresh(tokens.refreshToken))
            // Whoever signed in meanwhile has the last word.
            val now = store.load()
            if (now?.refreshToken != tokens.refreshToken) return now?.accessToken
            store.save(renewed)
            return renewed.accessToken
        } catch (failure: ApiException) {
            if (failure.code == Code.UNAUTHENTICATED) forget(tokens.refreshToken)
            throw failure
        }
    }
}

private const val EARLIER_MILLISECONDS = 30_000L

private fun tokensOf(grant: Grant): Tokens {
    val lasts = grant.expiresIn * 1_000
    // Of one that lasts a moment, half is left to be used.
    val until = maxOf(lasts - EARLIER_MILLISECONDS, lasts / 2)
    return Tokens(grant.accessToken, grant.refreshToken, Instant.now().plusMillis(until))
}
