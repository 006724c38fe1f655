package contract.client

/**
 * The values of an enum.
 *
 * @property typeName its full name in the contract.
 */
internal abstract class EnumType<T : OpenEnum>(
    val typeName: String,
    private val make: (String) -> T,
    private val numbers: Map<String, Int>,
) : DefaultType<T>() {
    private val names = numbers.entries.reversed().associate { (name, number) -> number to name }

    override val default: T = make(names[0] ?: "0")

    override fun isDefault(value: T): Boolean = value == default || numbers[value.name] == 0 || value.name == "0"

    override fun read(json: Json, depth: Int): T {
        if (json is JsonString) {
            numbers[json.value]?.let { return make(nameOf(it)) }
            // A newer server has names that are not known here.
            if (NAME.matches(json.value)) return make(json.value)
        }
        return make(nameOf(readInteger(INT32_RANGE, json).toInt()))
    }

    override fun write(value: T, defaults: Boolean): Json {
        val name = JsonString(value.name)
        if (NAME.matches(value.name)) return name
        return JsonNumber("${readInteger(INT32_RANGE, name)}")
    }

    private fun nameOf(number: Int): String = names[number] ?: "$number"
}

private val NAME = Regex("[A-Za-z_][A-Za-z0-9_]*")
