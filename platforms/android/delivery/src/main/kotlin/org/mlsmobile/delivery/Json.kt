package org.mlsmobile.delivery

// JSON as the service speaks it (RFC 8259): no platform that has HTTP alone brings it, and whole numbers are all it counts with.

/** An object's text. `null` leaves its member out. */
internal fun json(vararg members: Pair<String, Any?>): ByteArray =
    buildString { writeObject(members.toMap()) }.toByteArray()

private fun StringBuilder.writeObject(members: Map<*, *>) {
    append('{')
    members.entries.filter { it.value != null }.forEachIndexed { index, (name, value) ->
        if (index > 0) append(',')
        writeValue(name)
        append(':')
        writeValue(value)
    }
    append('}')
}

private fun StringBuilder.writeValue(value: Any?) {
    when (value) {
        is Map<*, *> -> writeObject(value)
        is List<*> -> {
            append('[')
            value.forEachIndexed { index, item ->
                if (index > 0) append(',')
                writeValue(item)
            }
            append(']')
        }
        // Names, and base64url: nothing in them needs to be escaped.
        is String -> append('"').append(value).append('"')
        is ByteArray -> append('"').append(value.toText()).append('"')
        else -> append(value)
    }
}

/** An object of an answer, whose members are of the expected types, or the answer was not understood. */
internal class JsonObject(private val members: Map<*, *>) {
    fun text(name: String): String = value(name)

    fun number(name: String): Long = value(name)

    fun truth(name: String): Boolean = value(name)

    fun bytes(name: String): ByteArray = bytesOf(text(name)) ?: throw DeliveryException.NotUnderstood()

    fun device(name: String): DeviceId = DeviceId(bytes(name))

    fun token(name: String): AccessToken =
        try {
            AccessToken(text(name))
        } catch (_: IllegalArgumentException) {
            throw DeliveryException.NotUnderstood()
        }

    fun epoch(name: String): ULong = number(name).toULong()

    fun has(name: String): Boolean = members[name] != null

    fun objects(name: String): List<JsonObject> = value<List<*>>(name).map { JsonObject(typed<Map<*, *>>(it)) }

    /** None if the member is not there. */
    fun devices(name: String): List<DeviceId> {
        if (!has(name)) return emptyList()
        val texts = value<List<*>>(name).map { typed<String>(it) }
        return texts.map { DeviceId.ofText(it) ?: throw DeliveryException.NotUnderstood() }
    }

    private inline fun <reified T> value(name: String): T = typed(members[name])

    private inline fun <reified T> typed(value: Any?): T = value as? T ?: throw DeliveryException.NotUnderstood()

    companion object {
        fun of(text: ByteArray): JsonObject {
            val value = JsonText(String(text)).whole()
            return JsonObject(value as? Map<*, *> ?: throw DeliveryException.NotUnderstood())
        }
    }
}

/** Reads maps, lists, strings, whole numbers, truth values and null. */
private class JsonText(private val text: String) {
    private var at = 0

    fun whole(): Any? {
        val value = value(DEPTH)
        skipSpace()
        if (at < text.length) refuse()
        return value
    }

    private fun value(depth: Int): Any? {
        // Deeper than any answer is, and far from the end of a stack.
        if (depth == 0) refuse()
        skipSpace()
        return when (val first = peek()) {
            '{' -> members(depth)
            '[' -> sequence(']') { value(depth - 1) }
            '"' -> string()
            't' -> word("true", true)
            'f' -> word("false", false)
            'n' -> word("null", null)
            else -> if (first == '-' || first in '0'..'9') number() else refuse()
        }
    }

    private fun members(depth: Int): Map<String, Any?> =
        sequence('}') {
            skipSpace()
            val name = string()
            skipSpace()
            take(':')
            name to value(depth - 1)
        }.toMap()

    /** What stands between the bracket here and its end, with commas in between. */
    private inline fun <T> sequence(end: Char, item: () -> T): List<T> {
        at += 1
        val items = mutableListOf<T>()
        skipSpace()
        if (peek() == end) {
            at += 1
            return items
        }
        while (true) {
            items += item()
            skipSpace()
            if (peek() == end) break
            take(',')
        }
        at += 1
        return items
    }

    private fun string(): String {
        take('"')
        val start = at
        while (peek() != '"' && peek() != '\\') at += 1
        // Bytes in base64url have no escapes, and are nearly all that comes.
        if (peek() == '"') return text.substring(start, at++)
        val content = StringBuilder(text.substring(start, at))
        while (peek() != '"') {
            if (peek() == '\\') {
                at += 1
                content.append(escaped())
            } else {
                content.append(text[at++])
            }
        }
        at += 1
        return content.toString()
    }

    private fun escaped(): Char {
        val letter = peek()
        at += 1
        return when (letter) {
            '"', '\\', '/' -> letter
            'b' -> '\b'
            'f' -> '\u000c'
            'n' -> '\n'
            'r' -> '\r'
            't' -> '\t'
            'u' -> {
                if (at + 4 > text.length) refuse()
                val code = text.substring(at, at + 4).toIntOrNull(16) ?: refuse()
                at += 4
                code.toChar()
            }
            else -> refuse()
        }
    }

    private fun number(): Long {
        val start = at
        while (at < text.length && (text[at] == '-' || text[at] in '0'..'9')) at += 1
        return text.substring(start, at).toLongOrNull() ?: refuse()
    }

    private fun <T> word(word: String, value: T): T {
        if (!text.startsWith(word, at)) refuse()
        at += word.length
        return value
    }

    private fun skipSpace() {
        while (at < text.length && text[at] in " \t\r\n") at += 1
    }

    private fun take(expected: Char) {
        if (peek() != expected) refuse()
        at += 1
    }

    private fun peek(): Char = if (at < text.length) text[at] else refuse()

    private fun refuse(): Nothing = throw DeliveryException.NotUnderstood()

    private companion object {
        const val DEPTH = 32
    }
}
