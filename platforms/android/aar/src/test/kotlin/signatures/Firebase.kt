// Signatures of com.google.firebase:firebase-messaging, as far as the adapters use them.

package com.google.firebase.messaging

import android.app.Service
import android.content.Intent
import android.os.IBinder

open class FirebaseMessagingService : Service() {
    open fun onMessageReceived(message: RemoteMessage): Unit = throw UnsupportedOperationException()

    override fun onBind(intent: Intent): IBinder? = null
}

class RemoteMessage
