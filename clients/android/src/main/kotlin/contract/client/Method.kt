package contract.client

import kotlin.time.Duration

/** What a method does to the session of a client. */
internal sealed interface SessionRole<in Q, in R> {
    /** Its answer begins one. */
    class Begins<in R>(val grant: (R) -> Grant) : SessionRole<Any?, R>

    /** It ends the one of its refresh token. */
    class Ends<in Q>(val refreshToken: (Q) -> String?) : SessionRole<Q, Any?>
}

/**
 * A method of a contract, as it is bound to HTTP.
 *
 * @property name its full name, such as `library.v1.LibraryApi.GetBook`.
 * @property path its path, in which `{isbn}` stands for a member of the request.
 * @property query the members that go into the query.
 * @property body the member that is the body; `*` for all that are not in the path.
 * @property timeout how long a call may take when nothing else is said.
 * @property isRetriable whether it may be called again when nobody knows if the call before took effect.
 * @property takesKey whether a call has a key, by which the server knows it again.
 * @property errors the errors that it declares.
 * @property isPublic whether nobody need be signed in.
 * @property resumes whether a stream can go on where it broke off.
 */
internal class Method<Q, R>(
    val name: String,
    val verb: String,
    val path: String,
    val request: ValueType<Q>,
    val response: ValueType<R>,
    val timeout: Duration,
    val query: List<String> = emptyList(),
    val body: String? = null,
    val isRetriable: Boolean = false,
    val takesKey: Boolean = false,
    val errors: Map<String, DeclaredError<*>> = emptyMap(),
    val session: SessionRole<Q, R>? = null,
    val isPublic: Boolean = false,
    val resumes: Boolean = false,
) {
    /** Read an answer. */
    fun answer(text: String): R =
        try {
            response.read(parseJson(text), 1)
        } catch (refused: InvalidValueException) {
            throw notOfContract("answer of $name", refused)
        } catch (refused: MalformedJsonException) {
            throw notOfContract("answer of $name", refused)
        }
}

/** A method that is called with a refresh token. */
internal class SessionMethod<Q, R>(val method: Method<Q, R>, private val request: (String) -> Q) {
    fun prepared(refreshToken: String): PreparedRequest = prepare(method, request(refreshToken))
}

/** The methods of a contract that keep a session alive and end it. */
internal class SessionMethods(
    val refresh: SessionMethod<*, *>? = null,
    val revoke: SessionMethod<*, *>? = null,
)
