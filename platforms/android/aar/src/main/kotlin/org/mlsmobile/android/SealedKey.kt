package org.mlsmobile.android

import java.io.File
import java.io.FileOutputStream
import java.security.GeneralSecurityException
import java.security.SecureRandom
import javax.crypto.Cipher
import javax.crypto.SecretKey
import javax.crypto.spec.GCMParameterSpec

/**
 * There is a database, but the key that opens it is gone: the app's data were restored without the Keystore, or the
 * Keystore lost its key. The database can never be opened again. Delete its folder, and join the groups anew.
 */
public class DatabaseKeyMissing internal constructor(
    cause: Throwable?,
) : Exception("there is a database, and its key is gone", cause)

/** A database key in a file, sealed with AES-GCM under a key that [find] gets and [make] creates. */
internal class SealedKey(
    private val folder: File,
    private val find: () -> SecretKey?,
    private val make: () -> SecretKey,
) {
    private val file = File(folder, "key")

    @Synchronized
    fun load(): ByteArray =
        when {
            file.exists() -> unseal(find() ?: throw DatabaseKeyMissing(null), file.readBytes())
            // Never a new key beside an old database: it would only hide that the right one is lost.
            databaseExists() -> throw DatabaseKeyMissing(null)
            else -> create()
        }

    private fun databaseExists() = folder.list().orEmpty().any { it.startsWith("mls.db") }

    private fun create(): ByteArray {
        val key = ByteArray(KEY_BYTES).also { SecureRandom().nextBytes(it) }
        // The Keystore chooses the nonce.
        val cipher = Cipher.getInstance(ALGORITHM).apply { init(Cipher.ENCRYPT_MODE, find() ?: make()) }
        val sealed = cipher.iv + cipher.doFinal(key)
        folder.mkdirs()
        // Whole or not at all, and on the disk before a database depends on it.
        val draft = File(folder, "key.new")
        FileOutputStream(draft).use {
            it.write(sealed)
            it.fd.sync()
        }
        check(draft.renameTo(file)) { "the key file cannot be written" }
        return key
    }

    private fun unseal(sealing: SecretKey, sealed: ByteArray): ByteArray =
        try {
            val cipher = Cipher.getInstance(ALGORITHM)
            cipher.init(Cipher.DECRYPT_MODE, sealing, GCMParameterSpec(TAG_BITS, sealed, 0, NONCE_BYTES))
            cipher.doFinal(sealed, NONCE_BYTES, sealed.size - NONCE_BYTES)
        } catch (error: GeneralSecurityException) {
            throw DatabaseKeyMissing(error)
        } catch (error: IllegalArgumentException) {
            throw DatabaseKeyMissing(error) // the file is cut short
        }

    private companion object {
        const val ALGORITHM = "AES/GCM/NoPadding"
        const val KEY_BYTES = 32
        const val NONCE_BYTES = 12
        const val TAG_BITS = 128
    }
}
