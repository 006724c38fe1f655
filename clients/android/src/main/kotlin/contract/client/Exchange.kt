package contract.client

import java.io.IOException
import kotlin.coroutines.EmptyCoroutineContext
import kotlin.coroutines.resume
import kotlin.coroutines.resumeWithException
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.suspendCancellableCoroutine
import okhttp3.Call
import okhttp3.Callback
import okhttp3.Response
import okio.BufferedSource

/** One request and its answer, which ends when its coroutine is cancelled. */
internal class Exchange(private val call: Call) {
    /**
     * Send the request, and wait until the answer begins.
     *
     * @throws ApiException UNAVAILABLE when there is none.
     */
    suspend fun response(): Response =
        suspendCancellableCoroutine { waiting ->
            waiting.invokeOnCancellation { call.cancel() }
            call.enqueue(
                object : Callback {
                    override fun onFailure(call: Call, e: IOException) =
                        waiting.resumeWithException(unavailable("the server cannot be reached", e))

                    override fun onResponse(call: Call, response: Response) =
                        if (waiting.isActive) waiting.resume(response) else response.close()
                },
            )
        }

    /**
     * Read from an answer, which takes a thread meanwhile.
     *
     * @throws ApiException UNAVAILABLE when it breaks off.
     */
    suspend fun <T> read(response: Response, work: (BufferedSource) -> T): T =
        suspendCancellableCoroutine { waiting ->
            // The thread cannot be interrupted, so what it reads from is ended.
            waiting.invokeOnCancellation { call.cancel() }
            Dispatchers.IO.dispatch(EmptyCoroutineContext) {
                try {
                    waiting.resume(work(response.body.source()))
                } catch (broken: IOException) {
                    waiting.resumeWithException(unavailable("the answer broke off", broken))
                }
            }
        }

    /** End it, whatever is still to come. */
    fun end() = call.cancel()
}
