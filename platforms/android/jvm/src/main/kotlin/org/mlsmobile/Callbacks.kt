package org.mlsmobile

/** A validator of one function; `false` and whatever it throws refuse: [MlsException.CredentialRejected]. */
public fun CredentialValidator(validate: (ValidationRequest) -> Boolean): CredentialValidator =
    object : CredentialValidator {
        override fun validate(request: ValidationRequest): Boolean = validate(request)
    }

/** A signer of one function; whatever it throws makes the call answer [MlsException.SignerFailed]. */
public fun Signer(sign: (bytes: ByteArray) -> ByteArray): Signer =
    object : Signer {
        override fun sign(bytes: ByteArray): ByteArray = sign(bytes)
    }

/** A log sink of one function; what it throws is ignored. */
public fun LogSink(log: (level: LogLevel, event: String, fields: List<LogField>) -> Unit): LogSink =
    object : LogSink {
        override fun log(level: LogLevel, event: String, fields: List<LogField>) = log(level, event, fields)
    }

/** The app's callbacks as the native side calls them. It knows when one runs, which a call back would wait for. */
internal class Callbacks(
    validator: CredentialValidator?,
    logSink: LogSink?,
) {
    private val inside = ThreadLocal<Boolean>()

    val validator: CredentialValidator? = validator?.let { app -> CredentialValidator { run { app.validate(it) } } }

    val logSink: LogSink? = logSink?.let { app -> LogSink { level, event, fields -> run { app.log(level, event, fields) } } }

    fun signer(app: Signer): Signer = Signer { run { app.sign(it) } }

    /** Every call goes to another thread, where the native side cannot see that it comes from a callback. */
    fun refuseReentry() {
        if (inside.get() == true) throw FfiException.Reentrant().typed()
    }

    private inline fun <T> run(callback: () -> T): T {
        inside.set(true)
        try {
            return answered(callback)
        } finally {
            inside.remove()
        }
    }
}

/** The generated code would let an Error pass, and leave the native side without an answer. */
internal inline fun <T> answered(callback: () -> T): T =
    try {
        callback()
    } catch (_: Throwable) {
        throw FfiCallbackException.Failed()
    }
