package org.mlsmobile.android

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.io.File

class AdaptersTest {
    @Test
    fun `S72 an adapter compiles here and has at most 30 lines`() {
        val adapters = File("adapters").walk().filter { it.extension == "kt" }.toList()
        assertEquals(setOf("PushService.kt", "PushWorker.kt"), adapters.map { it.name }.toSet())
        for (adapter in adapters) {
            val lines = adapter.readLines().size
            assertTrue(lines <= 30, "${adapter.name} has $lines lines")
            Class.forName("org.example.push.${adapter.nameWithoutExtension}", false, javaClass.classLoader)
        }
    }
}
