package contract.client

/** Bytes that do not change, and are equal to others by what they hold. */
class ByteString private constructor(private val bytes: ByteArray) {
    /** How many bytes there are. */
    val size: Int
        get() = bytes.size

    /** One of the bytes, counted from 0. */
    operator fun get(index: Int): Byte = bytes[index]

    /** A copy as an array. */
    fun toByteArray(): ByteArray = bytes.copyOf()

    override fun equals(other: Any?): Boolean = other is ByteString && bytes.contentEquals(other.bytes)

    override fun hashCode(): Int = bytes.contentHashCode()

    override fun toString(): String = "ByteString(size=$size)"

    companion object {
        /** No bytes. */
        val EMPTY: ByteString = ByteString(ByteArray(0))

        /** A copy of an array. */
        fun of(bytes: ByteArray): ByteString = ByteString(bytes.copyOf())
    }
}
