/** The kinds of fields that messages have. */
package contract.client

/** What becomes one property of a message. */
internal abstract class Field<T>(
    /** What JSON calls it: in lowerCamelCase, and as the contract writes it. The first is written. */
    val names: List<String>,
) {
    /** The value of a field that is not there. */
    abstract fun absent(): T

    abstract fun read(member: Member, depth: Int): T

    /** Write a value as members of the message; as none when it need not be sent. */
    abstract fun write(value: T, to: MutableMap<String, Json>, defaults: Boolean)

    protected inline fun put(to: MutableMap<String, Json>, write: () -> Json) {
        to[names[0]] = at(names[0], write)
    }
}

internal class AlwaysField<V>(names: List<String>, private val type: DefaultType<V>) : Field<V>(names) {
    override fun absent(): V = type.default

    override fun read(member: Member, depth: Int): V = type.read(member.value, depth)

    override fun write(value: V, to: MutableMap<String, Json>, defaults: Boolean) {
        if (defaults || !type.isDefault(value)) put(to) { type.write(value, defaults) }
    }
}

internal class OptionalField<V : Any>(names: List<String>, private val type: ValueType<V>) : Field<V?>(names) {
    override fun absent(): V? = null

    override fun read(member: Member, depth: Int): V = type.read(member.value, depth)

    override fun write(value: V?, to: MutableMap<String, Json>, defaults: Boolean) {
        if (value != null) put(to) { type.write(value, defaults) }
    }
}

internal class RequiredField<V : Any>(names: List<String>, private val type: ValueType<V>) : Field<V>(names) {
    override fun absent(): V = throw InvalidValueException("it is missing", names[0])

    override fun read(member: Member, depth: Int): V = type.read(member.value, depth)

    override fun write(value: V, to: MutableMap<String, Json>, defaults: Boolean) {
        put(to) { type.write(value, defaults) }
    }
}

internal class ListField<V>(names: List<String>, private val type: ValueType<V>) : Field<List<V>>(names) {
    override fun absent(): List<V> = emptyList()

    override fun read(member: Member, depth: Int): List<V> {
        val items = (member.value as? JsonArray)?.items ?: refuse("an array", member.value)
        return items.mapIndexed { index, item -> at("[$index]") { type.read(item, depth) } }
    }

    override fun write(value: List<V>, to: MutableMap<String, Json>, defaults: Boolean) {
        if (value.isEmpty() && !defaults) return
        put(to) {
            JsonArray(value.mapIndexed { index, item -> at("[$index]") { type.write(item, defaults) } })
        }
    }
}

internal class MapField<K, V>(
    names: List<String>,
    private val key: ScalarType<K>,
    private val type: ValueType<V>,
) : Field<Map<K, V>>(names) {
    override fun absent(): Map<K, V> = emptyMap()

    override fun read(member: Member, depth: Int): Map<K, V> {
        val members = (member.value as? JsonObject)?.members ?: refuse("an object", member.value)
        return members.entries.associate { (name, item) ->
            at("[$name]") { key.readKey(name) to type.read(item, depth) }
        }
    }

    override fun write(value: Map<K, V>, to: MutableMap<String, Json>, defaults: Boolean) {
        if (value.isEmpty() && !defaults) return
        put(to) {
            JsonObject(
                value.entries.associate { (key, item) ->
                    "$key" to at("[$key]") { type.write(item, defaults) }
                },
            )
        }
    }
}

/**
 * One case of a oneof.
 *
 * @property make makes the case of its value.
 * @property take gives the value of the case; null when it is another one.
 */
internal class Case<C : Any, V : Any>(
    private val type: ValueType<V>,
    vararg val names: String,
    private val make: (V) -> C,
    private val take: (C) -> V?,
) {
    fun read(json: Json, depth: Int): C = make(type.read(json, depth))

    fun write(choice: C, defaults: Boolean): Json? = take(choice)?.let { type.write(it, defaults) }
}

internal class OneofField<C : Any>(private val cases: List<Case<C, *>>) :
    Field<C?>(cases.flatMap { it.names.toList() }) {
    override fun absent(): C? = null

    override fun read(member: Member, depth: Int): C =
        cases.first { member.name in it.names }.read(member.value, depth)

    override fun write(value: C?, to: MutableMap<String, Json>, defaults: Boolean) {
        if (value == null) return
        for (case in cases) {
            val name = case.names[0]
            at(name) { case.write(value, defaults) }?.let { to[name] = it }
        }
    }
}
