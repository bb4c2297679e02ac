package org.mlsmobile

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.io.File
import java.lang.reflect.Method
import java.lang.reflect.Modifier

class CounterpartsTest {
    @Test
    fun `every native call has its counterpart in the layer`() {
        val ours = layer()
        val client = names(FfiClientInterface::class.java)
        val group = names(FfiGroupInterface::class.java)
        assertTrue(client.size > 25 && group.size > 25, "found only ${client.size} and ${group.size}")
        assertEquals(emptySet<String>(), client - ours.getValue(MlsClient::class.java), "MlsClient lacks")
        assertEquals(emptySet<String>(), group - ours.getValue(MlsGroup::class.java), "MlsGroup lacks")
        val makers = names(FfiClient.Companion::class.java)
        assertEquals(setOf("open", "importTransfer", "recover"), makers)
        assertEquals(emptySet<String>(), makers - names(MlsClient.Companion::class.java), "MlsClient.Companion lacks")
    }

    @Test
    fun `every native function has its counterpart under its plain name`() {
        val native = Class.forName("org.mlsmobile.Mls_mobileKt").declaredMethods.map { plain(it.name) }
        val plainly = native.filter { it.startsWith("ffi") }.map { it.removePrefix("ffi").replaceFirstChar(Char::lowercase) }.toSet()
        assertTrue("defaultCiphersuite" in plainly, "found only $plainly")
        assertEquals(emptySet<String>(), plainly - functions().map { plain(it.name) }.toSet(), "the layer lacks")
    }

    /** The functions for each class, which are its own or stand in files of their area, with the class in front. */
    private fun layer(): Map<Class<*>, Set<String>> {
        val functions = functions()
        return listOf(MlsClient::class.java, MlsGroup::class.java).associateWith { owner ->
            names(owner) + functions.filter { it.parameterTypes.firstOrNull() == owner }.map { plain(it.name) }
        }
    }

    /** What stands in the layer's files outside classes. */
    private fun functions(): List<Method> {
        val folder = File(MlsClient::class.java.protectionDomain.codeSource.location.toURI()).resolve("org/mlsmobile")
        val files = folder.list().orEmpty().filter { it.endsWith("Kt.class") }.map { it.removeSuffix(".class") }
        return files.flatMap { Class.forName("org.mlsmobile.$it").declaredMethods.toList() }
    }

    private fun names(owner: Class<*>): Set<String> =
        owner.declaredMethods
            .filter { Modifier.isPublic(it.modifiers) && !it.isSynthetic && !it.name.endsWith("\$default") }
            .map { plain(it.name) }
            .filter { it != "destroy" && it != "close" && !it.startsWith("uniffi") }
            .toSet()

    /** As in the source: without what the compiler adds for unsigned numbers, and a property without its "get". */
    private fun plain(name: String): String {
        val bare = name.substringBefore('-').substringBefore('$')
        return if (bare == "getId") "id" else bare
    }
}
