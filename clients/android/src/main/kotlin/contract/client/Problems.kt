/**
 * Reads errors from answers.
 *
 * Source: RFC 9457, https://www.rfc-editor.org/rfc/rfc9457, with the members `code`, `error`, `fields`
 * and `errors`.
 */
package contract.client

import java.time.DateTimeException
import java.time.Instant
import java.time.ZonedDateTime
import java.time.format.DateTimeFormatter
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import okhttp3.Response

/**
 * An error that a contract declares.
 *
 * @property type the message that has its fields.
 * @property make makes its exception.
 */
internal class DeclaredError<F>(
    private val type: ValueType<F>,
    private val make: (F, ErrorDetails) -> ApiException,
) {
    fun read(fields: Json, details: ErrorDetails): ApiException = make(type.read(fields, 1), details)
}

/** Of answers that are no problems, since something between wrote them. */
private val CODES =
    mapOf(
        400 to Code.INVALID_ARGUMENT,
        401 to Code.UNAUTHENTICATED,
        403 to Code.PERMISSION_DENIED,
        404 to Code.NOT_FOUND,
        408 to Code.DEADLINE_EXCEEDED,
        413 to Code.INVALID_ARGUMENT,
        429 to Code.RESOURCE_EXHAUSTED,
        500 to Code.INTERNAL,
        501 to Code.UNIMPLEMENTED,
        502 to Code.UNAVAILABLE,
        503 to Code.UNAVAILABLE,
        504 to Code.DEADLINE_EXCEEDED,
    )

private val DIGITS = Regex("[0-9]{1,9}")

/** The error that an answer is, whose text is given apart. */
internal fun errorOfResponse(
    response: Response,
    text: String,
    errors: Map<String, DeclaredError<*>>,
): ApiException =
    errorOfProblem(problemOf(text), errors, response.code).let { (problem, make) ->
        make(
            problem.copy(
                retryAfter = retryAfter(response.header("retry-after"), Instant.now()),
                requestId = response.header("x-request-id"),
            ),
        )
    }

/** The error that a stream has ended with. */
internal fun errorOfEvent(data: String, errors: Map<String, DeclaredError<*>>): ApiException {
    val problem = problemOf(data)
    val status = (problem["status"] as? JsonNumber)?.digits?.toIntOrNull()
    return errorOfProblem(problem, errors, status).let { (details, make) -> make(details) }
}

/**
 * How long a header `Retry-After` says, which has seconds or a date.
 *
 * Source: https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3.
 */
internal fun retryAfter(header: String?, now: Instant): Duration? {
    if (header == null) return null
    if (DIGITS.matches(header)) return header.toInt().seconds
    return try {
        val then = ZonedDateTime.parse(header, DateTimeFormatter.RFC_1123_DATE_TIME).toInstant()
        (then.toEpochMilli() - now.toEpochMilli()).coerceAtLeast(0).milliseconds
    } catch (_: DateTimeException) {
        null
    }
}

private fun problemOf(text: String): Map<String, Json> =
    try {
        (parseJson(text) as? JsonObject)?.members.orEmpty()
    } catch (_: MalformedJsonException) {
        emptyMap()
    }

private fun errorOfProblem(
    problem: Map<String, Json>,
    errors: Map<String, DeclaredError<*>>,
    status: Int?,
): Pair<ErrorDetails, (ErrorDetails) -> ApiException> {
    val code = problem.text("code")?.let { name -> Code.entries.find { it.name == name } ?: Code.UNKNOWN }
    val name = problem.text("error")
    val details =
        ErrorDetails(
            code = code ?: CODES[status] ?: Code.UNKNOWN,
            message = problem.text("detail") ?: problem.text("title") ?: "the answer has status $status",
            status = status,
            errorName = name,
            fieldProblems = (problem["errors"] as? JsonArray)?.items.orEmpty().mapNotNull(::fieldProblem),
        )
    // One that a newer server has is told by its name.
    val declared = errors[name] ?: return details to ::ApiException
    return details to { found ->
        try {
            declared.read(problem["fields"] ?: JsonObject(emptyMap()), found)
        } catch (refused: InvalidValueException) {
            notOfContract("$name", refused)
        }
    }
}

private fun fieldProblem(json: Json): FieldProblem? {
    val members = (json as? JsonObject)?.members ?: return null
    return FieldProblem(members.text("field") ?: return null, members.text("detail").orEmpty())
}

private fun Map<String, Json>.text(name: String): String? = (this[name] as? JsonString)?.value
