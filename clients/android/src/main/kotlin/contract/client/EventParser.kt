package contract.client

import okio.Buffer

/**
 * An event, as it is dispatched.
 *
 * @property id the id that was given last, by this event or one before it.
 */
internal data class ServerSentEvent(val type: String, val data: String, val id: String)

/**
 * Splits one stream of bytes into server-sent events. Carriage return and line feed end a line, and nothing else.
 *
 * Source: https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream.
 */
internal class EventParser {
    /** Milliseconds to wait before connecting again, where the server has said so. */
    var retryMilliseconds: Long? = null
        private set

    private val line = Buffer()
    private var endsInReturn = false
    private var isFirstLine = true
    private var type = ""
    private val data = mutableListOf<String>()
    private var id = ""

    /** The events that are whole with some more bytes. */
    fun feed(piece: ByteArray): List<ServerSentEvent> {
        val found = mutableListOf<ServerSentEvent>()
        for (byte in piece) {
            val isReturn = byte == RETURN
            when {
                // A carriage return ends a line also if a line feed follows, which may be on its way.
                byte == FEED && endsInReturn -> Unit
                isReturn || byte == FEED -> endLine()?.let(found::add)
                else -> line.writeByte(byte.toInt())
            }
            endsInReturn = isReturn
        }
        return found
    }

    private fun endLine(): ServerSentEvent? {
        val text = line.readUtf8().let { if (isFirstLine) it.removePrefix("\uFEFF") else it }
        isFirstLine = false
        if (text.isNotEmpty()) {
            field(text.substringBefore(':'), text.substringAfter(':', "").removePrefix(" "))
            return null
        }
        val said = data.joinToString("\n")
        val event = if (data.isEmpty()) null else ServerSentEvent(type.ifEmpty { "message" }, said, id)
        type = ""
        data.clear()
        return event
    }

    private fun field(name: String, value: String) {
        when (name) {
            "data" -> data += value
            "event" -> type = value
            "id" -> if ('\u0000' !in value) id = value
            "retry" -> if (MILLISECONDS.matches(value)) retryMilliseconds = value.toLong()
        }
    }
}

private const val RETURN = '\r'.code.toByte()
private const val FEED = '\n'.code.toByte()
private val MILLISECONDS = Regex("[0-9]{1,9}")
