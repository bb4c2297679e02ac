package org.mlsmobile

import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.withContext
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Assumptions.assumeTrue
import org.junit.jupiter.api.Test
import java.io.File
import java.nio.file.Files

class ProcessesTest {
    @Test
    fun `S70 the handler returns batch and inbox and holds no file`() = test {
        val pair = pair()
        val message = pair.alices.say("pushed")
        pair.bob.close()
        val handler = NotificationHandler(ClientConfig(path("bob"), KEY), ACCEPTS)
        val result = handler.handle(listOf(IncomingMessage(message)))
        assertEquals(1, result.batch.outcomes.size)
        assertEquals(listOf("pushed"), result.inbox.texts())
        val wrong = NotificationHandler(ClientConfig(path("bob"), ByteArray(32)))
        refused<MlsException.WrongDatabaseKey> { wrong.handle(emptyList()) }
        val held = File("/proc/self/fd").listFiles().orEmpty().filter { it.canonicalPath == path("bob") }
        assertEquals(emptyList<File>(), held)
    }

    @Test
    fun `S71 the handler works in a second process beside the app`() = test {
        val pair = pair()
        pair.bobs.hear(pair.alices.say("before"))
        val messages = Files.createDirectory(folder.resolve("messages"))
        repeat(30) { Files.write(messages.resolve("%02d".format(it)), pair.alices.say("pushed $it")) }
        val output = program("HandlerProgramKt", path("bob"), messages.toString())
        assertTrue("handled 30, inbox 31" in output, output)
        println(output.lines().single { it.startsWith("memory") })
        pair.bob.refresh()
        assertEquals(listOf("before") + List(30) { "pushed $it" }, pair.bob.inbox(100u).texts())
        assertEquals("after", pair.bobs.hear(pair.alices.say("after")))
    }

    @Test
    fun `S80 two devices in two processes talk through files`() = test {
        val devices = listOf(
            scope.async { program("DeviceProgramKt", folder.toString(), "create", "alice", "bob") },
            scope.async { program("DeviceProgramKt", folder.toString(), "join", "bob", "alice") },
        )
        assertEquals(1, devices.map { it.await() }.toSet().size)
    }

    @Test
    fun `S80 Kotlin and Swift talk through files`() = test {
        val swift = System.getProperty("mls.swift.device").orEmpty()
        assumeTrue(swift.isNotEmpty(), "skipped: no Swift device program was named")
        // Where Swift lives in a root of its own, it brings the program there, and the folder.
        val toolchain = File("../../../scripts/swift.sh").canonicalPath
        for ((kotlins, swifts) in listOf("create" to "join", "join" to "create")) {
            val place = Files.createDirectory(folder.resolve(kotlins)).toString()
            val devices = listOf(
                scope.async { program("DeviceProgramKt", place, kotlins, "kotlin", "swift") },
                scope.async { run(listOf(toolchain, swift, place, swifts, "swift", "kotlin")) },
            )
            assertEquals(1, devices.map { it.await() }.toSet().size)
        }
    }

    /** Runs a program of these tests in a process of its own, and gives what it printed. */
    private suspend fun program(name: String, vararg arguments: String): String {
        val java = File(System.getProperty("java.home"), "bin/java").path
        val library = "-Djna.library.path=${System.getProperty("jna.library.path")}"
        val classes = System.getProperty("surefire.test.class.path") ?: System.getProperty("java.class.path")
        return run(listOf(java, library, "-cp", classes, "org.mlsmobile.$name") + arguments)
    }

    private suspend fun run(command: List<String>): String =
        withContext(Dispatchers.IO) {
            val errors = Files.createTempFile("errors", "").toFile()
            val process = ProcessBuilder(command).redirectError(errors).start()
            val output = process.inputStream.bufferedReader().readText()
            val status = process.waitFor()
            val told = errors.readText().also { errors.delete() }
            assertEquals(0, status, told)
            output
        }
}
