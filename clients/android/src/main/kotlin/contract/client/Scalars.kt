/**
 * Scalars in ProtoJSON: what is read, and how it is written.
 *
 * Source: ProtoJSON, https://protobuf.dev/programming-guides/json.
 */
package contract.client

import java.util.Base64

internal val BOOL =
    ScalarType(false, ::readBoolean, ::JsonBoolean) { key ->
        if (key != "true" && key != "false") refuse("\"true\" or \"false\"", JsonString(key))
        key == "true"
    }
internal val INT32 = ScalarType(0, { readInteger(INT32_RANGE, it).toInt() }, { JsonNumber("$it") })
internal val UINT32 = ScalarType(0u, { readInteger(UINT32_RANGE, it).toLong().toUInt() }, { JsonNumber("$it") })
internal val INT64 = ScalarType(0L, { readInteger(INT64_RANGE, it).toLong() }, { JsonString("$it") })
internal val UINT64 = ScalarType(0uL, { readInteger(UINT64_RANGE, it).toLong().toULong() }, { JsonString("$it") })
internal val DOUBLE = ScalarType(0.0, ::readDouble, ::writeDouble)
internal val FLOAT = ScalarType(0f, ::readFloat, ::writeFloat)
internal val STRING = ScalarType("", ::readString, { readString(JsonString(it)).let(::JsonString) })
internal val BYTES = ScalarType(ByteString.EMPTY, ::readBytes, ::writeBytes)
internal val FIELD_MASK = ScalarType(FieldMask(), ::readFieldMask, ::writeFieldMask)

/** `google.protobuf.Empty`, which is `Unit` here. */
internal object EmptyType : ValueType<Unit>() {
    override fun read(json: Json, depth: Int) {
        if (json !is JsonObject) refuse("an object", json)
    }

    override fun write(value: Unit, defaults: Boolean): Json = JsonObject(emptyMap())
}

private val BASE64 = Regex("(?:[A-Za-z0-9+/]*|[A-Za-z0-9_-]*)(={0,2})")
private val FIELD_MASK_PATH = Regex("[!-+\\--^`-~]+")

private fun readBoolean(json: Json): Boolean =
    if (json is JsonBoolean) json.value else refuse("true or false", json)

private fun readString(json: Json): String {
    val text = if (json is JsonString) json.value else refuse("a string", json)
    if (hasLoneSurrogate(text)) throw InvalidValueException("expected Unicode text, got an unpaired surrogate")
    return text
}

private fun hasLoneSurrogate(text: String): Boolean {
    var at = 0
    while (at < text.length) {
        val isPair = text[at].isHighSurrogate() && text.getOrNull(at + 1)?.isLowSurrogate() == true
        if (text[at].isSurrogate() && !isPair) return true
        at += if (isPair) 2 else 1
    }
    return false
}

private fun readBytes(json: Json): ByteString {
    val text = (json as? JsonString)?.value
    val match = text?.let(BASE64::matchEntire) ?: refuse("bytes in base64", json)
    val padding = match.groupValues[1].length
    val digits = text.dropLast(padding)
    val isWhole = if (padding > 0) text.length % 4 == 0 else digits.length % 4 != 1
    if (!isWhole) refuse("bytes in base64", json)
    return ByteString.of(Base64.getUrlDecoder().decode(digits.replace('+', '-').replace('/', '_')))
}

private fun writeBytes(bytes: ByteString): Json =
    JsonString(Base64.getEncoder().encodeToString(bytes.toByteArray()))

private fun readFieldMask(json: Json): FieldMask {
    val text = (json as? JsonString)?.value
    if (text == "") return FieldMask()
    val paths = text?.split(",").orEmpty()
    if (paths.isEmpty() || !paths.all(FIELD_MASK_PATH::matches)) {
        refuse("paths in lowerCamelCase with commas between them", json)
    }
    return FieldMask(paths)
}

private fun writeFieldMask(mask: FieldMask): Json {
    val text = JsonString(mask.paths.joinToString(","))
    if (readFieldMask(text).paths.size != mask.paths.size) refuse("paths without commas", text)
    return text
}
