package contract.client

/** A value of JSON. Numbers keep their digits, since a `Double` would round what is long. */
internal sealed interface Json

internal data object JsonNull : Json

internal data class JsonBoolean(val value: Boolean) : Json

/** A number, as the document writes it. */
internal data class JsonNumber(val digits: String) : Json

internal data class JsonString(val value: String) : Json

internal data class JsonArray(val items: List<Json>) : Json

internal data class JsonObject(val members: Map<String, Json>) : Json

/** The text of a value, without spaces. */
internal fun Json.text(): String = StringBuilder().also { it.appendJson(this) }.toString()

private fun StringBuilder.appendJson(json: Json) {
    when (json) {
        JsonNull -> append("null")
        is JsonBoolean -> append(json.value)
        is JsonNumber -> append(json.digits)
        is JsonString -> appendQuoted(json.value)
        is JsonArray -> {
            append('[')
            json.items.forEachIndexed { at, item ->
                if (at > 0) append(',')
                appendJson(item)
            }
            append(']')
        }
        is JsonObject -> {
            append('{')
            json.members.entries.forEachIndexed { at, (name, value) ->
                if (at > 0) append(',')
                appendQuoted(name)
                append(':')
                appendJson(value)
            }
            append('}')
        }
    }
}

private fun StringBuilder.appendQuoted(text: String) {
    append('"')
    for (char in text) {
        when (char) {
            '"' -> append("\\\"")
            '\\' -> append("\\\\")
            '\n' -> append("\\n")
            '\r' -> append("\\r")
            '\t' -> append("\\t")
            else ->
                if (char < ' ' || char.isSurrogate() || char == '\u2028' || char == '\u2029') {
                    append("\\u").append(char.code.toString(16).padStart(4, '0'))
                } else {
                    append(char)
                }
        }
    }
    append('"')
}
