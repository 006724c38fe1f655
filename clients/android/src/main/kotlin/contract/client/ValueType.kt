package contract.client

/** How values of one type are read from ProtoJSON and written to it. */
internal abstract class ValueType<T> {
    /**
     * Read a value.
     *
     * @param depth how many messages the value stands in.
     * @throws InvalidValueException when it is none of this type.
     */
    abstract fun read(json: Json, depth: Int): T

    /**
     * Write a value.
     *
     * @param defaults whether to write fields that have their defaults, as servers do.
     * @throws InvalidValueException when JSON has no form for it.
     */
    abstract fun write(value: T, defaults: Boolean): Json
}

/** A type that a field without presence can have: there is a value for what is absent. */
internal abstract class DefaultType<T> : ValueType<T>() {
    /** The value of an absent field. */
    abstract val default: T

    /** Whether a value need not be sent. A zero with a sign is another value than the default. */
    open fun isDefault(value: T): Boolean = value == default
}

/** A type of single values that has no fields: it reads and writes by two functions. */
internal class ScalarType<T>(
    override val default: T,
    private val reader: (Json) -> T,
    private val writer: (T) -> Json,
    /** Reads the key of a map, which is text in JSON. */
    val readKey: (String) -> T = { reader(JsonString(it)) },
) : DefaultType<T>() {
    override fun read(json: Json, depth: Int): T = reader(json)

    override fun write(value: T, defaults: Boolean): Json = writer(value)
}

/** A message by a function that gives its type, since messages may hold themselves. */
internal class MessageValue<T>(private val type: () -> ValueType<T>) : ValueType<T>() {
    override fun read(json: Json, depth: Int): T = type().read(json, depth + 1)

    override fun write(value: T, defaults: Boolean): Json = type().write(value, defaults)
}
