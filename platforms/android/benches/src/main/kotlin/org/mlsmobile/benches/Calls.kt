package org.mlsmobile.benches

import kotlinx.coroutines.runBlocking
import org.mlsmobile.ClientConfig
import org.mlsmobile.FfiClient
import org.mlsmobile.FfiGroup
import org.mlsmobile.GroupId
import org.mlsmobile.MessageInfo
import org.mlsmobile.MlsClient
import org.mlsmobile.MlsGroup
import org.mlsmobile.ProcessedMessage
import org.mlsmobile.createMessage
import org.mlsmobile.group
import org.mlsmobile.messageInfo
import org.mlsmobile.processMessage
import org.openjdk.jmh.annotations.Benchmark
import org.openjdk.jmh.annotations.Level
import org.openjdk.jmh.annotations.Param
import org.openjdk.jmh.annotations.Scope
import org.openjdk.jmh.annotations.Setup
import org.openjdk.jmh.annotations.State
import org.openjdk.jmh.annotations.TearDown
import java.io.File

/** A phone, opened anew on a fresh copy for each iteration, in which its messages are read from the first on. */
@State(Scope.Thread)
abstract class Phone {
    @Param("small", "large")
    lateinit var size: String

    protected lateinit var plaintext: ByteArray

    private lateinit var messages: List<ByteArray>
    private lateinit var folder: File
    private var read = 0

    @Setup
    fun load() {
        plaintext = Fixture.plaintext(size)
        messages = Fixture.messages(size)
    }

    @Setup(Level.Iteration)
    fun begin() {
        val (folder, config) = Fixture.phone()
        this.folder = folder
        read = 0
        open(config, GroupId(size.toByteArray()))
    }

    @TearDown(Level.Iteration)
    fun end() {
        close()
        folder.deleteRecursively()
    }

    /** For a call that changes nothing. */
    protected val first: ByteArray
        get() = messages[0]

    protected fun next(): ByteArray = messages[read++]

    protected abstract fun open(config: ClientConfig, group: GroupId)

    protected abstract fun close()
}

/** The generated code, called where it is: blocking. */
open class Generated : Phone() {
    private lateinit var client: FfiClient
    private lateinit var group: FfiGroup

    override fun open(config: ClientConfig, group: GroupId) {
        client = FfiClient.open(config, null, null)
        this.group = client.group(group)
    }

    override fun close() {
        group.destroy()
        client.destroy()
    }

    @Benchmark
    fun id(): GroupId = group.id()

    @Benchmark
    fun info(): MessageInfo = client.messageInfo(first)

    @Benchmark
    fun create(): ByteArray = group.createMessage(plaintext, EMPTY)

    @Benchmark
    fun process(): ProcessedMessage = group.processMessage(next())
}

/** What apps call: suspending, on threads of the library's own. */
open class Layer : Phone() {
    private lateinit var client: MlsClient
    private lateinit var group: MlsGroup

    override fun open(config: ClientConfig, group: GroupId) =
        runBlocking {
            client = MlsClient.open(config)
            this@Layer.group = client.group(group)
        }

    override fun close() = runBlocking { client.close() }

    @Benchmark
    fun info(): MessageInfo = runBlocking { client.messageInfo(first) }

    @Benchmark
    fun create(): ByteArray = runBlocking { group.createMessage(plaintext) }

    @Benchmark
    fun process(): ProcessedMessage = runBlocking { group.processMessage(next()) }
}

private val EMPTY = ByteArray(0)
