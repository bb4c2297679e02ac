package org.example

import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir
import org.mlsmobile.*
import java.io.File
import java.util.zip.ZipFile

class AppTest {
    @TempDir
    lateinit var folder: File

    private val archive = File("target/aar")

    @Test
    fun `the archive has what Android reads`() {
        val files = archive.walk().filter { it.isFile }.map { it.relativeTo(archive).path }
        val native = files.filter { it.startsWith("jni/") }.toSet()
        val rest = files.filter { !it.startsWith("jni/") && !it.startsWith("META-INF/") }.toSet()
        assertEquals(setOf("AndroidManifest.xml", "classes.jar", "proguard.txt", "R.txt"), rest)
        assertEquals(setOf("arm64-v8a", "armeabi-v7a", "x86_64").map { "jni/$it/libmls_mobile.so" }.toSet(), native)
        val manifest = archive.resolve("AndroidManifest.xml").readText()
        assertTrue("package=\"org.mlsmobile\"" in manifest && "minSdkVersion=\"26\"" in manifest)
    }

    @Test
    fun `the classes are ours alone, in bytecode 11`() {
        ZipFile(archive.resolve("classes.jar")).use { zip ->
            val classes = zip.entries().toList().filter { it.name.endsWith(".class") }
            assertEquals(emptyList<String>(), classes.map { it.name }.filter { !it.startsWith("org/mlsmobile/") })
            assertTrue(classes.any { it.name == "org/mlsmobile/android/DatabaseKey.class" })
            for (entry in classes) assertEquals(55, zip.getInputStream(entry).readBytes()[7].toInt(), entry.name)
        }
    }

    @Test
    fun `a unit test of an app runs on the host library`() = runBlocking {
        MlsClient.open(ClientConfig(File(folder, "mls.db").path, ByteArray(32))).use {
            assertEquals(emptyList<GroupSummary>(), it.groups())
        }
    }
}
