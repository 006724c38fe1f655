package contract.client

/** A text is no JSON. */
internal class MalformedJsonException(reason: String, at: Int) :
    Exception("no JSON: expected $reason at character ${at + 1}")

/**
 * Read a JSON document, which has to be one to the letter.
 *
 * Source: RFC 8259, https://www.rfc-editor.org/rfc/rfc8259. Of members with one name, the last counts.
 *
 * @throws MalformedJsonException when it is none, or is nested deeper than any message can be.
 */
internal fun parseJson(text: String): Json = JsonReader(text).document()

private const val DEEPEST = 500

private val NUMBER = Regex("-?(?:0|[1-9][0-9]*)(?:\\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")

private class JsonReader(private val text: String) {
    private var at = 0
    private var depth = 0

    fun document(): Json {
        val value = value()
        skipSpace()
        if (at < text.length) refuse("the end")
        return value
    }

    private fun value(): Json {
        skipSpace()
        return when (peek()) {
            '{' -> nested(::members)
            '[' -> nested(::items)
            '"' -> JsonString(string())
            't' -> word("true", JsonBoolean(true))
            'f' -> word("false", JsonBoolean(false))
            'n' -> word("null", JsonNull)
            else -> number()
        }
    }

    private fun nested(read: () -> Json): Json {
        depth += 1
        if (depth > DEEPEST) refuse("at most $DEEPEST values inside each other")
        at += 1
        return read().also { depth -= 1 }
    }

    private fun members(): Json {
        val found = LinkedHashMap<String, Json>()
        if (comes('}')) return JsonObject(found)
        do {
            skipSpace()
            if (peek() != '"') refuse("a name in quotes")
            val name = string()
            if (!comes(':')) refuse("a colon")
            found[name] = value()
        } while (comes(','))
        if (!comes('}')) refuse("a comma or }")
        return JsonObject(found)
    }

    private fun items(): Json {
        val found = mutableListOf<Json>()
        if (comes(']')) return JsonArray(found)
        do found += value() while (comes(','))
        if (!comes(']')) refuse("a comma or ]")
        return JsonArray(found)
    }

    private fun number(): Json {
        val digits = NUMBER.matchAt(text, at)?.value ?: refuse("a value")
        at += digits.length
        return JsonNumber(digits)
    }

    private fun <T : Json> word(word: String, value: T): T {
        if (!text.startsWith(word, at)) refuse(word)
        at += word.length
        return value
    }

    private fun string(): String {
        at += 1
        val start = at
        while (peek() != '"' && peek() != '\\') plain()
        // Most texts have nothing to unescape.
        if (peek() == '"') return text.substring(start, at++)
        val found = StringBuilder().append(text, start, at)
        while (peek() != '"') {
            if (peek() == '\\') found.append(escaped()) else found.append(plain())
        }
        at += 1
        return found.toString()
    }

    private fun plain(): Char {
        val char = peek()
        if (char == null || char < ' ') refuse("a character of a text")
        at += 1
        return char
    }

    private fun escaped(): Char {
        at += 1
        val char = peek()
        at += 1
        return when (char) {
            '"', '\\', '/' -> char
            'b' -> '\b'
            'f' -> '\u000c'
            'n' -> '\n'
            'r' -> '\r'
            't' -> '\t'
            'u' -> {
                val digits = text.substring(at, minOf(at + 4, text.length))
                if (digits.length < 4 || !digits.all(::isHexDigit)) refuse("four hexadecimal digits")
                at += 4
                digits.toInt(16).toChar()
            }
            else -> refuse("an escape sequence")
        }
    }

    private fun comes(char: Char): Boolean {
        skipSpace()
        val found = peek() == char
        if (found) at += 1
        return found
    }

    private fun skipSpace() {
        while (at < text.length && text[at] in " \t\r\n") at += 1
    }

    private fun peek(): Char? = text.getOrNull(at)

    private fun refuse(expected: String): Nothing = throw MalformedJsonException(expected, at)
}

private fun isHexDigit(char: Char): Boolean = char in '0'..'9' || char in 'a'..'f' || char in 'A'..'F'
