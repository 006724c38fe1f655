package contract.client

/** A value that is not what the contract says; its path grows while it passes through readers. */
internal class InvalidValueException(
    /** What was expected instead. */
    val reason: String,
    /** Where it stands, such as `lines[2].quantity`. */
    val path: String = "",
) : Exception(if (path.isEmpty()) reason else "$path: $reason") {
    /** The same inside of a field or an element. */
    fun under(part: String): InvalidValueException {
        val dot = if (path.isEmpty() || path.startsWith("[")) "" else "."
        return InvalidValueException(reason, part + dot + path)
    }
}

/** Refuse a value. */
internal fun refuse(expected: String, value: Json): Nothing {
    val shown =
        when (value) {
            is JsonObject -> "an object"
            is JsonArray -> "an array"
            else -> value.text().let { if (it.length > LONGEST_SHOWN) it.take(LONGEST_SHOWN) + "…" else it }
        }
    throw InvalidValueException("expected $expected, got $shown")
}

private const val LONGEST_SHOWN = 60

/** Work on a part of a value; what is refused in it names the part. */
internal inline fun <T> at(part: String, work: () -> T): T =
    try {
        work()
    } catch (refused: InvalidValueException) {
        throw refused.under(part)
    }
