package org.example.push

import android.content.Context
import androidx.work.CoroutineWorker
import androidx.work.WorkerParameters
import org.mlsmobile.ClientConfig
import org.mlsmobile.NotificationHandler
import org.mlsmobile.android.DatabaseKey
import kotlin.time.Duration.Companion.seconds

/** Fetches what has come, processes it beside the app, and shows what is in the inbox. */
class PushWorker(
    context: Context,
    parameters: WorkerParameters,
) : CoroutineWorker(context, parameters) {
    override suspend fun doWork(): Result {
        val key = DatabaseKey(applicationContext)
        val handler = NotificationHandler(ClientConfig(key.databasePath, key.load()), App.validator)
        val handled = handler.handle(App.fetch(), budget = 20.seconds)
        App.show(handled.inbox)
        return if (handled.batch.stoppedAt == null) Result.success() else Result.retry()
    }
}
