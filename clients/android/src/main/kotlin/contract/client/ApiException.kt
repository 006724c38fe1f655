package contract.client

import kotlin.time.Duration

/** A canonical status code. Source: https://grpc.github.io/grpc/core/md_doc_statuscodes.html. */
enum class Code {
    CANCELLED,
    UNKNOWN,
    INVALID_ARGUMENT,
    DEADLINE_EXCEEDED,
    NOT_FOUND,
    ALREADY_EXISTS,
    PERMISSION_DENIED,
    RESOURCE_EXHAUSTED,
    FAILED_PRECONDITION,
    ABORTED,
    OUT_OF_RANGE,
    UNIMPLEMENTED,
    INTERNAL,
    UNAVAILABLE,
    DATA_LOSS,
    UNAUTHENTICATED,
}

/**
 * A field of a request that is refused.
 *
 * @property field where it stands, such as `lines[2].quantity`.
 * @property detail what was expected.
 */
data class FieldProblem(val field: String, val detail: String)

/**
 * A call has failed. What a service's contract declares is a subclass: `InventoryException.ItemNotFound`.
 *
 * @property code the canonical code.
 */
open class ApiException internal constructor(internal val details: ErrorDetails) :
    Exception(details.message, details.cause) {
    val code: Code
        get() = details.code

    /** The HTTP status; null when there was no answer. */
    val status: Int?
        get() = details.status

    /** What the contract calls the error, if it declares it; also of one that this version does not know. */
    val errorName: String?
        get() = details.errorName

    /** The fields of the request that are refused, where the answer names them. */
    val fieldProblems: List<FieldProblem>
        get() = details.fieldProblems

    /** After how long the server wants to be asked again, where it says so. */
    val retryAfter: Duration?
        get() = details.retryAfter

    /** The id by which the server's log knows the request. */
    val requestId: String?
        get() = details.requestId

    /**
     * An error as calls throw it, for doubles of a server.
     *
     * @param message what has happened, in one sentence.
     */
    constructor(code: Code, message: String, cause: Throwable? = null) :
        this(ErrorDetails(code, message, cause = cause))
}

/** What is known of an error. */
internal data class ErrorDetails(
    val code: Code,
    val message: String,
    val status: Int? = null,
    val errorName: String? = null,
    val fieldProblems: List<FieldProblem> = emptyList(),
    val retryAfter: Duration? = null,
    val requestId: String? = null,
    val cause: Throwable? = null,
)

/** The error of an answer that is not what the contract says. */
internal fun notOfContract(what: String, cause: Exception): ApiException =
    ApiException(Code.INTERNAL, "the answer is no $what: ${cause.message}", cause)

/** The error of a server that is not there, or not any more. */
internal fun unavailable(reason: String, cause: Exception? = null): ApiException =
    ApiException(Code.UNAVAILABLE, reason, cause)

/** Whether a call failed in a way that may be over soon, be it before or after it took effect. */
internal val ApiException.isTransient: Boolean
    get() = errorName == null && (code == Code.UNAVAILABLE || code == Code.RESOURCE_EXHAUSTED)
