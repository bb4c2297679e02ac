package org.example.push

import androidx.work.OneTimeWorkRequest
import androidx.work.WorkManager
import com.google.firebase.messaging.FirebaseMessagingService
import com.google.firebase.messaging.RemoteMessage

/** Firebase gives a service some seconds, and WorkManager minutes, so the message only says that there is work. */
class PushService : FirebaseMessagingService() {
    override fun onMessageReceived(message: RemoteMessage) {
        WorkManager.getInstance(this).enqueue(OneTimeWorkRequest.from(PushWorker::class.java))
    }
}
