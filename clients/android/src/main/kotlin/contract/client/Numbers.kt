/** Numbers in ProtoJSON, which may be texts as well, and are exact whatever their length. */
package contract.client

import java.math.BigDecimal
import java.math.BigInteger
import java.math.MathContext

private val NUMBER = Regex("(-?)(0|[1-9][0-9]*)(?:\\.([0-9]+))?(?:[eE]([+-]?[0-9]{1,6}))?")
private const val LONGEST_NUMBER = 1_000
private const val MOST_DIGITS = 21
private val NAMED_NUMBERS =
    mapOf("NaN" to Double.NaN, "Infinity" to Double.POSITIVE_INFINITY, "-Infinity" to Double.NEGATIVE_INFINITY)

/** The values of a kind of integer, and what it is called. */
internal class IntegerRange(val kind: String, private val low: BigInteger, private val high: BigInteger) {
    operator fun contains(value: BigInteger): Boolean = value in low..high
}

internal val INT32_RANGE = signed("an int32", 31)
internal val INT64_RANGE = signed("an int64", 63)
internal val UINT32_RANGE = unsigned("a uint32", 32)
internal val UINT64_RANGE = unsigned("a uint64", 64)

private fun signed(kind: String, bits: Int): IntegerRange {
    val end = BigInteger.ONE.shiftLeft(bits)
    return IntegerRange(kind, end.negate(), end - BigInteger.ONE)
}

private fun unsigned(kind: String, bits: Int) =
    IntegerRange(kind, BigInteger.ZERO, BigInteger.ONE.shiftLeft(bits) - BigInteger.ONE)

/**
 * Read an integer.
 *
 * @throws InvalidValueException when it is none of the range.
 */
internal fun readInteger(range: IntegerRange, json: Json): BigInteger =
    digitsOf(json)?.let(::integer)?.takeIf { it in range } ?: refuse(range.kind, json)

internal fun readDouble(json: Json): Double = readReal(json, "a double", String::toDouble, Double::isFinite) { it }

/** Read a float. Its digits are rounded once: through a double, some would be rounded twice. */
internal fun readFloat(json: Json): Float =
    readReal(json, "a float", String::toFloat, Float::isFinite, Double::toFloat)

internal fun writeDouble(value: Double): Json =
    if (value.isFinite()) JsonNumber(digitsOf(value)) else JsonString("$value")

internal fun writeFloat(value: Float): Json =
    if (value.isFinite()) JsonNumber(digitsOf(value)) else JsonString("$value")

private fun <T> readReal(
    json: Json,
    kind: String,
    parse: (String) -> T,
    isFinite: (T) -> Boolean,
    named: (Double) -> T,
): T {
    val text = digitsOf(json)
    if (json is JsonString) NAMED_NUMBERS[text]?.let { return named(it) }
    if (text == null || text.length > LONGEST_NUMBER || !NUMBER.matches(text)) refuse(kind, json)
    val number = parse(text)
    return if (isFinite(number)) number else refuse(kind, json)
}

private fun digitsOf(json: Json): String? =
    when (json) {
        is JsonNumber -> json.digits
        is JsonString -> json.value
        else -> null
    }

private fun integer(text: String): BigInteger? {
    val match = (if (text.length <= LONGEST_NUMBER) NUMBER.matchEntire(text) else null) ?: return null
    val (sign, whole, fraction, exponent) = match.destructured
    val digits = (whole + fraction).trimStart('0')
    val shift = (exponent.ifEmpty { "0" }).removePrefix("+").toInt() - fraction.length
    // An exponent can stand for more digits than there is memory.
    return when {
        digits.isEmpty() -> BigInteger.ZERO
        digits.length + shift > MOST_DIGITS -> null
        shift >= 0 -> BigInteger(sign + digits + "0".repeat(shift))
        digits.takeLast(-shift).any { it != '0' } -> null
        else -> BigInteger(sign + digits.dropLast(-shift).ifEmpty { "0" })
    }
}

// What the platform writes has two digits at least, and on some versions more than are needed.
private fun digitsOf(value: Double): String =
    if (value == 0.0) "$value" else shortest(BigDecimal(value), 1..17) { it.toDouble() == value }

private fun digitsOf(value: Float): String =
    // Six to nine significant digits tell all 32-bit floats apart.
    if (value == 0f) "$value" else shortest(BigDecimal(value.toDouble()), 6..9) { it.toFloat() == value }

private fun shortest(exact: BigDecimal, digits: IntRange, isSame: (BigDecimal) -> Boolean): String =
    digits
        .asSequence()
        .map { exact.round(MathContext(it)) }
        .first(isSame)
        .stripTrailingZeros()
        .toString()
