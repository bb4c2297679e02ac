package org.example.push

import org.mlsmobile.CredentialValidator
import org.mlsmobile.InboxEntry
import org.mlsmobile.IncomingMessage

/** What the adapters take from the app. */
object App {
    val validator = CredentialValidator { true }

    suspend fun fetch(): List<IncomingMessage> = emptyList()

    fun show(inbox: List<InboxEntry>): Unit = println(inbox.size)
}
