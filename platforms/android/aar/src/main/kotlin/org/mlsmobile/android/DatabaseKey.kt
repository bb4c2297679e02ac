package org.mlsmobile.android

import android.content.Context
import android.security.keystore.KeyGenParameterSpec
import android.security.keystore.KeyProperties
import java.io.File
import java.security.KeyStore
import javax.crypto.KeyGenerator
import javax.crypto.SecretKey

/**
 * The key of a database, kept by the Android Keystore: 32 random bytes, sealed under a key that never leaves the
 * Keystore, in a file beside the database. Both are in `noBackupFilesDir`, because a restored database would use its
 * keys a second time (docs/backups.md).
 *
 * All of it blocks: call it where files may be read, such as `Dispatchers.IO`.
 */
public class DatabaseKey(
    context: Context,
    name: String = "mls",
) {
    private val folder = File(context.noBackupFilesDir, name)
    private val alias = "org.mlsmobile.$name"

    /** For `ClientConfig.databasePath`, in a folder of its own. */
    public val databasePath: String = File(folder, "mls.db").path

    /**
     * The key for `ClientConfig.databaseKey`; the first call makes it. Overwrite the bytes when the client is open.
     *
     * @throws DatabaseKeyMissing if there is a database and its key is gone.
     */
    public fun load(): ByteArray = SealedKey(folder, ::find, ::make).load()

    private fun find(): SecretKey? = store().getKey(alias, null) as SecretKey?

    private fun make(): SecretKey {
        val purposes = KeyProperties.PURPOSE_ENCRYPT or KeyProperties.PURPOSE_DECRYPT
        val specification =
            KeyGenParameterSpec
                .Builder(alias, purposes)
                .setBlockModes(KeyProperties.BLOCK_MODE_GCM)
                .setEncryptionPaddings(KeyProperties.ENCRYPTION_PADDING_NONE)
                .setKeySize(256)
                .build()
        val generator = KeyGenerator.getInstance(KeyProperties.KEY_ALGORITHM_AES, PROVIDER)
        generator.init(specification)
        return generator.generateKey()
    }

    private fun store(): KeyStore = KeyStore.getInstance(PROVIDER).apply { load(null) }

    private companion object {
        const val PROVIDER = "AndroidKeyStore"
    }
}
