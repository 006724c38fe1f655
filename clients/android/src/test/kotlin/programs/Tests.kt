package programs

import contract.client.JsonObject
import contract.client.JsonString
import contract.client.text
import kotlin.system.exitProcess
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout

/** The tests of a program, by their names. Each prints a line of JSON, with what was wrong. */
internal class Tests {
    private val found = LinkedHashMap<String, suspend CoroutineScope.() -> Unit>()

    fun test(name: String, body: suspend CoroutineScope.() -> Unit) {
        check(found.put(name, body) == null) { "two tests are called: $name" }
    }

    fun run() {
        for ((name, body) in found) {
            val result = linkedMapOf("name" to JsonString(name))
            try {
                runBlocking { withTimeout(60.seconds) { body() } }
            } catch (failure: Throwable) {
                result["error"] = JsonString(failure.stackTraceToString())
            }
            println(JsonObject(result).text())
        }
        // Threads of clients that nobody has closed wait for more to do.
        exitProcess(0)
    }
}
