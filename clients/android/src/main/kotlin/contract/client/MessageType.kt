package contract.client

/**
 * How messages of one type are read from ProtoJSON and written to it.
 *
 * Reading is strict in what it knows and lenient in what it does not: members that a newer server has
 * are ignored and values of enums kept, never an error. What has its default is left out where it is
 * written, so that a server which does not know a field yet is not told of it.
 *
 * Source: ProtoJSON, https://protobuf.dev/programming-guides/json.
 *
 * @property typeName the message's full name in the contract.
 */
internal abstract class MessageType<T>(val typeName: String) : ValueType<T>() {
    private val fieldsByName = HashMap<String, Field<*>>()

    /** Make a message of the fields that were received. */
    protected abstract fun make(from: Received): T

    /** Say what the fields of a message hold. */
    protected abstract fun take(message: T, to: Written)

    override fun read(json: Json, depth: Int): T {
        if (json !is JsonObject) refuse("an object", json)
        if (depth > DEEPEST) {
            throw InvalidValueException("expected at most $DEEPEST messages inside each other")
        }
        val given = HashMap<Field<*>, Member>()
        for ((name, value) in json.members) {
            val field = fieldsByName[name]
            if (field == null || value == JsonNull) continue
            if (given.put(field, Member(name, value)) != null) {
                throw InvalidValueException("expected only one of its names and cases", name)
            }
        }
        return make(Received(given, depth))
    }

    override fun write(value: T, defaults: Boolean): JsonObject =
        Written(defaults).also { take(value, it) }.json()

    /** A field that has a default. */
    protected fun <V> always(type: DefaultType<V>, vararg names: String): Field<V> =
        known(AlwaysField(names.toList(), type))

    /** A field that can be absent. */
    protected fun <V : Any> optional(type: ValueType<V>, vararg names: String): Field<V?> =
        known(OptionalField(names.toList(), type))

    /** A field that has to be there. */
    protected fun <V : Any> required(type: ValueType<V>, vararg names: String): Field<V> =
        known(RequiredField(names.toList(), type))

    /** A repeated field. */
    protected fun <V> list(type: ValueType<V>, vararg names: String): Field<List<V>> =
        known(ListField(names.toList(), type))

    /** A map. */
    protected fun <K, V> map(key: ScalarType<K>, type: ValueType<V>, vararg names: String): Field<Map<K, V>> =
        known(MapField(names.toList(), key, type))

    /** One of several. */
    protected fun <C : Any> oneof(vararg cases: Case<C, *>): Field<C?> = known(OneofField(cases.toList()))

    private fun <F : Field<*>> known(field: F): F {
        field.names.forEach { fieldsByName[it] = field }
        return field
    }
}

private const val DEEPEST = 100

/** A member of a JSON object. */
internal class Member(val name: String, val value: Json)

/** The fields of a message that is read. */
internal class Received(private val given: Map<Field<*>, Member>, private val depth: Int) {
    operator fun <T> get(field: Field<T>): T {
        val member = given[field] ?: return field.absent()
        return at(member.name) { field.read(member, depth) }
    }
}

/** The fields of a message that is written. */
internal class Written(private val defaults: Boolean) {
    private val members = LinkedHashMap<String, Json>()

    operator fun <T> set(field: Field<T>, value: T) = field.write(value, members, defaults)

    fun json(): JsonObject = JsonObject(members)
}
