package org.mlsmobile.android

import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir
import java.io.File
import javax.crypto.KeyGenerator
import javax.crypto.SecretKey

class SealedKeyTest {
    @TempDir
    lateinit var folder: File

    private var inKeystore: SecretKey? = null

    private fun key() =
        SealedKey(folder, { inKeystore }, {
            KeyGenerator.getInstance("AES").apply { init(256) }.generateKey().also { inKeystore = it }
        })

    @Test
    fun `the same key comes back, and the file does not contain it`() {
        val first = key().load()
        assertEquals(32, first.size)
        assertArrayEquals(first, key().load())
        val sealed = folder.resolve("key").readBytes()
        assertFalse(sealed.toList().windowed(8).any { it == first.take(8) })
        assertEquals(listOf("key"), folder.list()!!.toList())
    }

    @Test
    fun `a database without its key is told, and never gets a new one`() {
        folder.resolve("mls.db").writeText("database")
        assertThrows(DatabaseKeyMissing::class.java) { key().load() }
        assertEquals(null, inKeystore)
        assertEquals(listOf("mls.db"), folder.list()!!.toList())
    }

    @Test
    fun `a key that the Keystore has lost or changed is told`() {
        key().load()
        val before = inKeystore
        inKeystore = null
        assertThrows(DatabaseKeyMissing::class.java) { key().load() }
        inKeystore = KeyGenerator.getInstance("AES").apply { init(256) }.generateKey()
        assertThrows(DatabaseKeyMissing::class.java) { key().load() }
        inKeystore = before
        folder.resolve("key").writeBytes(ByteArray(5))
        assertThrows(DatabaseKeyMissing::class.java) { key().load() }
    }
}
