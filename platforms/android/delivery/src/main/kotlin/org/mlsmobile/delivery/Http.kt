package org.mlsmobile.delivery

import kotlinx.coroutines.CancellableContinuation
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.suspendCancellableCoroutine
import kotlinx.coroutines.withTimeoutOrNull
import java.io.ByteArrayOutputStream
import java.io.IOException
import java.io.InputStream
import java.net.HttpURLConnection
import java.net.URI
import java.util.concurrent.atomic.AtomicBoolean
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/** A request. With a body, empty or not, it is one of the methods that take one. */
internal class Request(
    val method: String,
    val path: String,
    val token: AccessToken?,
    val body: ByteArray?,
    val mediaType: String,
    val joinSecret: ByteArray?,
)

/** An answer, whatever it says. */
internal class Answer(val status: Int, private val body: ByteArray) {
    /** The body of an answer that says that it was done. */
    fun success(): ByteArray =
        when (status) {
            in 200..299 -> body
            401 -> throw DeliveryException.Unauthorized()
            429, 503 -> throw DeliveryException.Wait()
            else -> throw DeliveryException.Refused(JsonObject.of(body).text("code"))
        }

    /** The epoch that the group is in, if the answer is that another was first. */
    fun wrongEpoch(): ULong? {
        if (status != 409) return null
        val problem = JsonObject.of(body)
        return if (problem.has("epoch")) problem.epoch("epoch") else null
    }
}

/** One client's requests, by the platform's own HTTP, which blocks: on threads beyond those of [Dispatchers.IO] itself. */
internal class Http(address: String) {
    private val address = address.trimEnd('/')
    private val threads = Dispatchers.IO.limitedParallelism(8)

    init {
        require(URI.create(address).scheme in listOf("https", "http")) { "this is no address of a service" }
    }

    /** Cancelled, or without an answer in time, it returns at once, and the connection is closed behind it. */
    suspend fun exchange(request: Request): Answer =
        withTimeoutOrNull(TIME) {
            suspendCancellableCoroutine { waiting -> begin(request, waiting) }
        } ?: throw DeliveryException.NoAnswer()

    private fun begin(request: Request, waiting: CancellableContinuation<Answer>) {
        val connection = URI.create(address + request.path).toURL().openConnection() as HttpURLConnection
        val ended = AtomicBoolean()
        // Closing may block too, and Android lets no main thread do it. What is still connecting is not closed by it, hence again.
        waiting.invokeOnCancellation {
            CoroutineScope(Dispatchers.IO).launch {
                while (!ended.get()) {
                    connection.disconnect()
                    delay(100.milliseconds)
                }
            }
        }
        threads.dispatch(waiting.context) {
            val answer = runCatching {
                if (!waiting.isActive) throw DeliveryException.NoAnswer()
                exchange(request, connection)
            }
            ended.set(true)
            waiting.resumeWith(answer)
        }
    }

    private fun exchange(request: Request, connection: HttpURLConnection): Answer =
        try {
            connection.prepare(request)
            request.body?.let { body -> connection.outputStream.use { it.write(body) } }
            val status = connection.responseCode
            val stream = if (status < 400) connection.inputStream else connection.errorStream
            Answer(status, stream?.use { it.readUpTo(LARGEST_ANSWER) } ?: byteArrayOf())
        } catch (_: IOException) {
            throw DeliveryException.NoAnswer()
        }

    private fun HttpURLConnection.prepare(request: Request) {
        requestMethod = request.method
        doOutput = request.body != null
        connectTimeout = 10.seconds.inWholeMilliseconds.toInt()
        readTimeout = TIME.inWholeMilliseconds.toInt()
        useCaches = false
        // The token is for this service only.
        instanceFollowRedirects = false
        // The platform's own would name the phone.
        setRequestProperty("User-Agent", "mls-mobile")
        setRequestProperty("Accept", "*/*")
        request.token?.let { setRequestProperty("Authorization", "Bearer ${it.text}") }
        if (doOutput) setRequestProperty("Content-Type", request.mediaType)
        request.joinSecret?.let { setRequestProperty("mls-join-secret", it.toText()) }
    }

    private fun InputStream.readUpTo(largest: Int): ByteArray {
        val content = ByteArrayOutputStream()
        val buffer = ByteArray(64 shl 10)
        while (true) {
            val count = read(buffer)
            if (count < 0) return content.toByteArray()
            if (content.size() + count > largest) throw DeliveryException.NotUnderstood()
            content.write(buffer, 0, count)
        }
    }

    private companion object {
        val TIME = 60.seconds

        /** A page, or one message of the largest that the service takes. */
        const val LARGEST_ANSWER = 16 shl 20
    }
}
