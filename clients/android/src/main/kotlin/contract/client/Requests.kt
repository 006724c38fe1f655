/** How the members of a request become a path, a query and a body. */
package contract.client

/**
 * What is sent.
 *
 * @property target the path and the query.
 */
internal class PreparedRequest(val target: String, val body: String?)

// Names are percent-encoded, since one may have braces.
private val VARIABLE = Regex("\\{([^{}]+)\\}")

/**
 * Prepare a request.
 *
 * @throws ApiException INVALID_ARGUMENT when a member is no value of its type, or no path can hold it.
 */
internal fun <Q> prepare(method: Method<Q, *>, request: Q): PreparedRequest {
    val written = writeRequest(method, request)
    val members = LinkedHashMap((written as? JsonObject)?.members.orEmpty())
    val path =
        VARIABLE.replace(method.path) { variable ->
            val name = percentDecoded(variable.groupValues[1])
            segment(name, members.remove(name))
        }
    val query =
        method.query.flatMap { name -> members[name].texts().map { "${percentEncoded(name)}=${percentEncoded(it)}" } }
    val content =
        when (method.body) {
            null -> null
            "*" -> if (written is JsonObject) JsonObject(members) else written
            else -> members[method.body] ?: JsonObject(emptyMap())
        }
    return PreparedRequest(if (query.isEmpty()) path else "$path?${query.joinToString("&")}", content?.text())
}

/** Write what follows the first request of a conversation, without what its path says. */
internal fun <Q> frame(method: Method<Q, *>, request: Q): String {
    val members = LinkedHashMap((writeRequest(method, request) as? JsonObject)?.members.orEmpty())
    VARIABLE.findAll(method.path).forEach { members.remove(percentDecoded(it.groupValues[1])) }
    return JsonObject(members).text()
}

private fun <Q> writeRequest(method: Method<Q, *>, request: Q): Json =
    try {
        method.request.write(request, defaults = false)
    } catch (refused: InvalidValueException) {
        throw ApiException(Code.INVALID_ARGUMENT, "${refused.message}", refused)
    }

private fun segment(name: String, value: Json?): String {
    val text = value.texts().firstOrNull().orEmpty()
    // Of these, platforms make another path before they send it.
    if (text.isEmpty() || text == "." || text == "..") {
        throw ApiException(Code.INVALID_ARGUMENT, "$name: \"$text\" cannot be part of a path")
    }
    return percentEncoded(text)
}

private fun Json?.texts(): List<String> =
    when (this) {
        null -> emptyList()
        is JsonString -> listOf(value)
        is JsonArray -> items.flatMap { it.texts() }
        else -> listOf(text())
    }

/** Source: https://www.rfc-editor.org/rfc/rfc3986#section-2. */
private fun percentEncoded(text: String): String {
    val encoded = StringBuilder()
    for (byte in text.encodeToByteArray()) {
        val char = byte.toInt().toChar()
        if (char in 'a'..'z' || char in 'A'..'Z' || char in '0'..'9' || char in "-._~") {
            encoded.append(char)
        } else {
            encoded.append('%').append((byte.toInt() and 0xff).toString(16).uppercase().padStart(2, '0'))
        }
    }
    return encoded.toString()
}

private fun percentDecoded(text: String): String {
    if ('%' !in text) return text
    val bytes = mutableListOf<Byte>()
    var at = 0
    while (at < text.length) {
        if (text[at] == '%') {
            bytes += text.substring(at + 1, at + 3).toInt(16).toByte()
            at += 3
        } else {
            bytes += text[at].code.toByte()
            at += 1
        }
    }
    return bytes.toByteArray().decodeToString()
}
