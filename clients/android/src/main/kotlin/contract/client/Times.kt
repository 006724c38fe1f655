/**
 * Instants and spans of time, to the nanosecond.
 *
 * Sources: RFC 3339, https://www.rfc-editor.org/rfc/rfc3339, and ProtoJSON.
 */
package contract.client

import java.time.DateTimeException
import java.time.Duration
import java.time.Instant
import java.time.LocalDateTime
import java.time.ZoneOffset

/** `google.protobuf.Timestamp`: the years 1 to 9999. */
internal val TIMESTAMP = ScalarType(Instant.EPOCH, ::readTimestamp, ::writeTimestamp)

/** `google.protobuf.Duration`: up to 10,000 years. */
internal val DURATION = ScalarType(Duration.ZERO, ::readDuration, ::writeDuration)

private const val A_TIMESTAMP = "an RFC 3339 date and time such as 2024-05-31T12:00:00Z"
private const val A_DURATION = "a duration such as \"1.5s\""

private val RFC_3339 =
    Regex(
        "([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\\.([0-9]{1,9}))?" +
            "(?:Z|([+-])([01][0-9]|2[0-3]):([0-5][0-9]))",
    )
private val SECONDS = Regex("(-?)([0-9]{1,12})(?:\\.([0-9]{1,9}))?s")
private val FIRST = Instant.ofEpochSecond(-62_135_596_800)
private val LAST = Instant.ofEpochSecond(253_402_300_799, 999_999_999)
private const val LONGEST = 315_576_000_000

private fun readTimestamp(json: Json): Instant {
    val match = (json as? JsonString)?.let { RFC_3339.matchEntire(it.value) } ?: refuse(A_TIMESTAMP, json)
    val (year, month, day, hour, minute, second, digits, sign, hours, minutes) = match.destructured
    val local =
        try {
            LocalDateTime.of(
                year.toInt(),
                month.toInt(),
                day.toInt(),
                hour.toInt(),
                minute.toInt(),
                second.toInt(),
                nanoseconds(digits),
            )
        } catch (_: DateTimeException) {
            refuse(A_TIMESTAMP, json)
        }
    val offset = if (sign.isEmpty()) 0L else "${sign}1".toLong() * (hours.toLong() * 60 + minutes.toLong()) * 60
    val found = local.toInstant(ZoneOffset.UTC).minusSeconds(offset)
    return if (found in FIRST..LAST) found else refuse(A_TIMESTAMP, json)
}

private fun writeTimestamp(instant: Instant): Json {
    if (instant !in FIRST..LAST) {
        throw InvalidValueException("expected an instant of the years 1 to 9999, got $instant")
    }
    val clock = LocalDateTime.ofEpochSecond(instant.epochSecond, 0, ZoneOffset.UTC)
    val seconds = if (clock.second == 0) "$clock:00" else "$clock"
    return JsonString("$seconds${fraction(instant.nano)}Z")
}

private fun readDuration(json: Json): Duration {
    val match = (json as? JsonString)?.let { SECONDS.matchEntire(it.value) } ?: refuse(A_DURATION, json)
    val (sign, seconds, digits) = match.destructured
    if (seconds.toLong() > LONGEST) refuse(A_DURATION, json)
    val span = Duration.ofSeconds(seconds.toLong(), nanoseconds(digits).toLong())
    return if (sign.isEmpty()) span else span.negated()
}

private fun writeDuration(duration: Duration): Json {
    val span = duration.abs()
    if (span.seconds > LONGEST) {
        throw InvalidValueException("expected a duration of at most $LONGEST s, got $duration")
    }
    val sign = if (duration.isNegative) "-" else ""
    return JsonString("$sign${span.seconds}${fraction(span.nano)}s")
}

private fun nanoseconds(digits: String): Int = digits.padEnd(9, '0').toInt()

/** The part after the point, in groups of three digits: empty when there is none. */
private fun fraction(nanoseconds: Int): String {
    if (nanoseconds == 0) return ""
    var digits = nanoseconds.toString().padStart(9, '0')
    while (digits.endsWith("000")) digits = digits.dropLast(3)
    return ".$digits"
}
