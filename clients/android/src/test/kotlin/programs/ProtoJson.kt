/**
 * Goes through the table of ProtoJSON cases: reads lines `{"message": NAME, "json": TEXT}` and answers each with
 * `{"json": TEXT}` or `{"error": TEXT}`. With the argument `sent` it writes what a request has, without defaults.
 */
package programs

import contract.client.InvalidValueException
import contract.client.Json
import contract.client.JsonObject
import contract.client.JsonString
import contract.client.MalformedJsonException
import contract.client.MessageType
import contract.client.parseJson
import contract.client.text
import library.library.v1.BookType
import library.library.v1.EveryChoiceType
import library.library.v1.EveryListType
import library.library.v1.EveryMapType
import library.library.v1.EveryOptionalType
import library.library.v1.EveryScalarType
import library.library.v1.EveryWellKnownType
import library.library.v1.EveryWrapperType
import library.library.v1.EverythingType

private val TYPES: Map<String, MessageType<*>> =
    listOf(
        BookType,
        EveryChoiceType,
        EveryListType,
        EveryMapType,
        EveryOptionalType,
        EveryScalarType,
        EveryWellKnownType,
        EveryWrapperType,
        EverythingType,
    ).associateBy { it.typeName }

fun main(arguments: Array<String>) {
    val defaults = "sent" !in arguments
    generateSequence(::readlnOrNull).forEach { line ->
        val asked = parseJson(line)
        val type = TYPES.getValue(asked.text("message"))
        println(answer(type, asked.text("json"), defaults).text())
    }
}

private fun <T> answer(type: MessageType<T>, json: String, defaults: Boolean): Json =
    try {
        val written = type.write(type.read(parseJson(json), 1), defaults)
        JsonObject(mapOf("json" to JsonString(written.text())))
    } catch (refused: InvalidValueException) {
        JsonObject(mapOf("error" to JsonString("${refused.message}")))
    } catch (refused: MalformedJsonException) {
        JsonObject(mapOf("error" to JsonString("${refused.message}")))
    }

private fun Json.text(member: String): String = ((this as JsonObject).members[member] as JsonString).value
