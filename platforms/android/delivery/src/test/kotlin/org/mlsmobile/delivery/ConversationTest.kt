package org.mlsmobile.delivery

import kotlinx.coroutines.async
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assumptions.assumeTrue
import org.junit.jupiter.api.Test
import java.io.File
import java.nio.file.Files

class ConversationTest {
    @Test
    fun `S109 three phones hold a conversation across restarts`() = test { converse(List(3) { kotlinPhone() }) }

    @Test
    fun `S109 a Kotlin, a Swift and a Rust phone hold a conversation across restarts`() = test {
        val swift = System.getProperty("mls.swift.phone").orEmpty()
        assumeTrue(swift.isNotEmpty(), "skipped: no Swift phone was named")
        val rust = System.getProperty("mls.rust.phone").orEmpty()
        assumeTrue(rust.isNotEmpty(), "skipped: no Rust phone was named")
        // Where Swift lives in a root of its own, this brings the program there.
        val toolchain = File("../../../scripts/swift.sh").canonicalPath
        converse(listOf(kotlinPhone(), listOf(toolchain, swift), listOf(rust)))
    }

    private suspend fun Place.converse(programs: List<List<String>>) {
        val address = service().address
        val files = Files.createDirectory(folder.toPath().resolve("phones")).toString()
        suspend fun start(): List<Pair<Program, String>> =
            programs.mapIndexed { number, program ->
                val phone = Program(program + listOf(files, "phone$number", address)).also { started += it }
                phone to phone.line().removePrefix("device ")
            }

        var (phones, devices) = start().unzip()
        assertEquals("created", phones[0].tell("create"))
        assertEquals("invited", phones[0].tell("invite ${devices[1]}"))
        assertEquals("heard ", phones[1].tell("hear"))
        assertEquals("invited", phones[1].tell("invite ${devices[2]}"))
        for (phone in listOf(phones[0], phones[2])) assertEquals("heard ", phone.tell("hear"))
        talk(phones)

        for (loser in 0..2) {
            val (winner, third) = listOf(phones[(loser + 1) % 3], phones[(loser + 2) % 3])
            assertEquals("lost 0", winner.tell("update"))
            assertEquals("lost 1", phones[loser].tell("update"))
            for (phone in listOf(winner, third)) assertEquals("heard ", phone.tell("hear"))
        }

        for (phone in phones) assertEquals(0, phone.end())
        val known = devices
        start().unzip().let {
            phones = it.first
            devices = it.second
        }
        assertEquals(known, devices)
        talk(phones)
        assertEquals(1, phones.map { it.tell("authenticator") }.toSet().size)
        for (phone in phones) assertEquals(0, phone.end())
    }

    /** Each says something while the others wait for it. */
    private suspend fun Place.talk(phones: List<Program>) {
        for ((number, speaker) in phones.withIndex()) {
            val listeners = (phones - speaker).map { scope.async { it.tell("hear") } }
            assertEquals("said", speaker.tell("say I am number $number"))
            for (listener in listeners) assertEquals("heard I am number $number", listener.await())
        }
    }

    private fun kotlinPhone(): List<String> {
        val java = File(System.getProperty("java.home"), "bin/java").path
        val library = "-Djna.library.path=${System.getProperty("jna.library.path")}"
        val classes = System.getProperty("surefire.test.class.path") ?: System.getProperty("java.class.path")
        return listOf(java, library, "-cp", classes, "org.mlsmobile.delivery.PhoneProgramKt")
    }
}
