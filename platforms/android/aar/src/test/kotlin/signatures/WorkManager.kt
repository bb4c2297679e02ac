// Signatures of androidx.work:work-runtime-ktx, as far as the adapters use them.

package androidx.work

import android.content.Context

abstract class WorkManager {
    abstract fun enqueue(request: OneTimeWorkRequest): Any

    companion object {
        @JvmStatic
        fun getInstance(context: Context): WorkManager = throw UnsupportedOperationException("$context")
    }
}

class OneTimeWorkRequest {
    companion object {
        @JvmStatic
        fun from(worker: Class<out CoroutineWorker>): OneTimeWorkRequest = throw UnsupportedOperationException("$worker")
    }
}

class WorkerParameters

abstract class CoroutineWorker(
    val applicationContext: Context,
    @Suppress("unused") parameters: WorkerParameters,
) {
    abstract suspend fun doWork(): Result

    sealed class Result {
        companion object {
            fun success(): Result = throw UnsupportedOperationException()

            fun retry(): Result = throw UnsupportedOperationException()
        }
    }
}
