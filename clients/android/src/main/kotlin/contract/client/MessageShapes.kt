package contract.client

/**
 * A value of an enum of a contract. It is open: a newer server may have values that this version does
 * not know, so a `when` needs an `else`.
 */
interface OpenEnum {
    /**
     * The value's name in the contract, such as `ORDER_STATE_PENDING`; of a value that came as a number
     * which this version does not know, the digits of the number.
     */
    val name: String
}

/** A message that has no fields, for now. All of one class are equal. */
abstract class EmptyMessage internal constructor() {
    override fun equals(other: Any?): Boolean = other != null && other::class == this::class

    override fun hashCode(): Int = this::class.hashCode()

    override fun toString(): String = "${this::class.simpleName}()"
}

/**
 * Fields of a message by their paths, in lowerCamelCase, such as `book.isbn`.
 *
 * @property paths the paths; none of them has a comma.
 */
data class FieldMask(val paths: List<String> = emptyList()) {
    constructor(vararg paths: String) : this(paths.toList())
}
