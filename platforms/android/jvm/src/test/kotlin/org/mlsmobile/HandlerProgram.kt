package org.mlsmobile

import kotlinx.coroutines.runBlocking
import java.nio.file.Files
import java.nio.file.Path
import kotlin.time.Duration.Companion.milliseconds

/** What a notification extension does, as a process: the arguments are the database, and a folder of messages. */
fun main(arguments: Array<String>) {
    val (database, folder) = arguments
    val messages = Files.list(Path.of(folder)).use { files -> files.sorted().map(Files::readAllBytes).toList() }
    val before = memory("VmRSS")
    val handler = NotificationHandler(ClientConfig(database, KEY), ACCEPTS)
    val result = runBlocking { handler.handle(messages.map { IncomingMessage(it) }, 5_000.milliseconds) }
    println("handled ${result.batch.outcomes.size}, inbox ${result.inbox.size}")
    println("memory grew by at most ${memory("VmHWM") - before} KB")
}
