package org.mlsmobile.benches

import org.mlsmobile.ClientConfig
import java.io.DataInputStream
import java.io.File
import kotlin.io.path.createTempDirectory

/** What `benches/ffi_cost` has prepared for all languages. */
internal object Fixture {
    private val folder = File(System.getProperty("mls.fixture"))

    private val bytes = mapOf("small" to 1024, "large" to 1024 * 1024)

    fun plaintext(size: String) = ByteArray(bytes.getValue(size)) { 7 }

    /** Each message behind its length. */
    fun messages(size: String): List<ByteArray> =
        DataInputStream(folder.resolve(size).inputStream().buffered()).use { file ->
            buildList { while (file.available() > 0) add(ByteArray(file.readInt()).also(file::readFully)) }
        }

    /** The phone on a fresh copy of its database, beside the original. */
    fun phone(): Pair<File, ClientConfig> {
        val copy = createTempDirectory(folder.toPath()).toFile()
        folder.resolve("phone").copyRecursively(copy)
        return copy to ClientConfig(copy.resolve("mls.db").path, ByteArray(32) { 7 })
    }
}
