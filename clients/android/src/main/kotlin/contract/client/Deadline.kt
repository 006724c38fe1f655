package contract.client

import kotlin.time.Duration
import kotlin.time.TimeSource
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.delay
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeoutOrNull

/**
 * When a call has to be over.
 *
 * @property timeout how long it may take from now on; for ever when null.
 */
internal class Deadline(private val timeout: Duration?) {
    private val end = timeout?.let { TimeSource.Monotonic.markNow() + it }

    /** How much time is left. */
    val remaining: Duration
        get() = end?.elapsedNow()?.unaryMinus() ?: Duration.INFINITE

    /**
     * Work no longer than the call may take.
     *
     * @throws ApiException DEADLINE_EXCEEDED when the time is over.
     */
    suspend fun <T> within(work: suspend () -> T): T =
        // Time passes there as on the wall, also where a test of the caller's makes it fly.
        withContext(Dispatchers.Default) {
            val done =
                if (end == null) Done(work()) else withTimeoutOrNull(remaining) { Done(work()) }
            done ?: throw ApiException(Code.DEADLINE_EXCEEDED, "there was no answer within $timeout")
        }.value

    private class Done<T>(val value: T)
}

/** Work until it succeeds, fails for good, or has no time left for another attempt. */
internal suspend fun <T> retrying(policy: RetryPolicy, deadline: Deadline, work: suspend () -> T): T {
    var attempt = 1
    while (true) {
        try {
            return work()
        } catch (failure: ApiException) {
            if (!failure.isTransient || attempt >= policy.attempts) throw failure
            val wait = policy.delayAfter(attempt, failure)
            if (wait >= deadline.remaining) throw failure
            delay(wait)
            attempt += 1
        }
    }
}

/**
 * How long to wait after an attempt: what the server says, else anything up to a bound that doubles, so that
 * clients which failed together do not come back together.
 *
 * @param attempt which attempt has failed, from 1.
 */
internal fun RetryPolicy.delayAfter(attempt: Int, failure: ApiException): Duration {
    var bound = baseDelay
    repeat(attempt - 1) { bound = minOf(bound * 2, maximumDelay) }
    return failure.retryAfter ?: (minOf(bound, maximumDelay) * kotlin.random.Random.nextDouble())
}
