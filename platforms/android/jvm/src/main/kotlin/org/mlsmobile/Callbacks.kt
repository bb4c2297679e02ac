package org.mlsmobile

/**
 * Decides who is let in: whether credentials are genuine, and whether changes are wanted.
 *
 * It runs inside the call's transaction, on the call's thread: answer within a second, without a user interface, and
 * without calling this client, which answers [MlsException.Reentrant]; do not wait for another thread that calls it,
 * which would wait for you.
 */
public fun interface CredentialValidator {
    /** `true` lets it happen; `false` and whatever is thrown refuse it: [MlsException.CredentialRejected]. */
    public fun validate(request: ValidationRequest): Boolean
}

/** Takes the library's log: verbs, counts and codes, nothing secret. */
public fun interface LogSink {
    /** What is thrown is ignored. The same rules as for a validator: quick, and no calls back. */
    public fun log(level: LogLevel, event: String, fields: List<LogField>)
}

/** The app's callbacks as the native side calls them. It knows when one runs, which a call back would wait for. */
internal class Callbacks(validator: CredentialValidator?, logSink: LogSink?) {
    private val inside = ThreadLocal<Boolean>()

    val validator: FfiCredentialValidator? = validator?.let {
        object : FfiCredentialValidator {
            override fun validate(request: ValidationRequest): Boolean = run { it.validate(request) }
        }
    }

    val logSink: FfiLogSink? = logSink?.let {
        object : FfiLogSink {
            override fun log(level: LogLevel, event: String, fields: List<LogField>) = run { it.log(level, event, fields) }
        }
    }

    /** Every call goes to another thread, where the native side cannot see that it comes from a callback. */
    fun refuseReentry() {
        if (inside.get() == true) throw FfiException.Reentrant().typed()
    }

    // The generated code would let an Error pass, and leave the native side without an answer.
    @Suppress("TooGenericExceptionCaught")
    private inline fun <T> run(callback: () -> T): T {
        inside.set(true)
        try {
            return callback()
        } catch (_: Throwable) {
            throw FfiCallbackException.Failed()
        } finally {
            inside.remove()
        }
    }
}
