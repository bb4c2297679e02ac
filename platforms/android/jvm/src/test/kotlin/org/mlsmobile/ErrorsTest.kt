package org.mlsmobile

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.lang.reflect.Constructor

class ErrorsTest {
    /** Every variant that the native side knows, with data. */
    private val native: List<FfiException> =
        FfiException::class.java.declaredClasses
            .filter { FfiException::class.java.isAssignableFrom(it) }
            .map { make(it.declaredConstructors.minBy { constructor -> constructor.parameterCount }) }

    private fun make(constructor: Constructor<*>): FfiException {
        constructor.isAccessible = true
        val arguments = constructor.parameterTypes.map {
            when {
                it == Short::class.java -> 77.toShort()
                it == Int::class.java -> 1007
                it == Long::class.java -> 8L
                it == String::class.java -> "an argument"
                it.isEnum -> it.enumConstants[1]
                else -> error("no sample of $it")
            }
        }
        return constructor.newInstance(*arguments.toTypedArray()) as FfiException
    }

    @Test
    fun `S50 every native error has its class with its data and its code`() {
        assertTrue(native.size > 40, "found only ${native.size}")
        for (error in native) {
            val typed = error.typed()
            assertEquals(error.javaClass.simpleName, typed.javaClass.simpleName)
            assertEquals(error.errorCode(), typed.code)
            for (getter in error.javaClass.declaredMethods.filter { it.name.startsWith("get") && it.name != "getMessage" }) {
                if (getter.name.startsWith("getCode")) continue // of the class above
                assertEquals(getter.invoke(error), typed.javaClass.getMethod(getter.name).invoke(typed))
            }
        }
        assertEquals(native.size, native.map { it.typed().javaClass }.toSet().size)
        assertEquals(native.size, native.map { it.typed().code }.toSet().size)
        val ours = MlsException::class.java.declaredClasses.filter { MlsException::class.java.isAssignableFrom(it) }
        assertEquals(native.map { it.javaClass.simpleName }.toSet() + "Closed", ours.map { it.simpleName }.toSet())
    }

    @Test
    fun `S51 errors carry the true values`() = test {
        val pair = pair()
        val argument = refused<MlsException.InvalidArgument> { open("short").rekey(ByteArray(31)) }
        assertEquals("new_key" to ArgumentReason.WRONG_LENGTH, argument.argument to argument.reason)
        assertEquals(9u, refused<MlsException.MemberNotFound> { pair.alices.removeMembers(listOf(9u)) }.leafIndex)

        val welcome = refused<MlsException.WelcomeInvalid> { pair.bob.joinFromWelcome(pair.alices.say("no Welcome")) }
        assertEquals(WelcomeReason.NOT_A_WELCOME, welcome.reason)
        val keyPackage = refused<MlsException.KeyPackageInvalid> { pair.bob.inspectKeyPackage(pair.alices.say("no key package")) }
        assertEquals(KeyPackageReason.NOT_A_KEY_PACKAGE, keyPackage.reason)
        val message = refused<MlsException.MessageInvalid> { pair.bobs.processMessage(pair.bob.keyPackage("bob2")) }
        assertEquals(MessageReason.NOT_A_GROUP_MESSAGE, message.reason)

        val generation = pair.bob.storageInfo().generation
        pair.bob.close()
        val config = ClientConfig(path("bob"), KEY, minimumGeneration = generation + 5u)
        val old = refused<MlsException.StorageRolledBack> { MlsClient.open(config) }
        assertEquals(generation to generation + 5u, old.found to old.minimum)
    }

    @Test
    fun `S52 the text of errors has words and no names or contents`() = test {
        for (error in native) {
            val text = error.typed().message!!
            assertTrue(text.length > 10 && ' ' in text, text)
            assertFalse("=" in text, text)
        }
        val pair = pair()
        val secret = pair.alices.say("a plaintext").also { it[it.size - 1] = (it[it.size - 1] + 1).toByte() }
        val error = refused<MlsException.MessageInvalid> { pair.bobs.processMessage(secret) }
        assertEquals("the message is invalid: DecryptionFailed", error.message)
        val absent = refused<MlsException.GroupNotFound> { pair.bob.group(GroupId("a group".toByteArray())) }
        assertEquals("there is no such group", absent.message)
        pair.bob.close()
        val config = ClientConfig(path("bob"), ByteArray(32) { 0x5a })
        assertEquals("the database key is wrong", refused<MlsException.WrongDatabaseKey> { MlsClient.open(config) }.message)
    }
}
