package org.mlsmobile.delivery

import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.withContext
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds

/**
 * A device's connection to the reference delivery service. It moves bytes that `mls-mobile` has made, or will process, and
 * knows nothing of MLS itself.
 *
 * A call is one request, on threads of its own. It throws [DeliveryException], and nothing else but the cancellation of its
 * coroutine: then it ends at once, and whether the service did what was asked is unknown, as after
 * [DeliveryException.NoAnswer]. Nothing is written to disk. Certificates are the platform's to judge, and so is whether an
 * address may be `http`: on Android both stand in the app's network security configuration. Android asks for the permission
 * `INTERNET`, and answers `SecurityException` without it.
 */
public class DeliveryClient private constructor(private val http: Http, private val token: AccessToken?) {
    /**
     * A connection to the service at [address], such as `https://delivery.example.org`. [token] is that of an earlier
     * registration.
     */
    public constructor(address: String, token: AccessToken? = null) : this(Http(address), token)

    /** The same, with the token of a registration. */
    public fun with(token: AccessToken): DeliveryClient = DeliveryClient(http, token)

    /** What the next registration must prove. It can be used once, for five minutes. */
    public suspend fun challenge(): ByteArray =
        call("POST", "/v1/challenge", { byteArrayOf() }) { it.json().bytes("challenge") }

    /**
     * Registers the device whose key package [proof] is, or gives it another token. The `applicationId` of its leaf is a
     * [challenge], so that the signature key signs it. Delete the key package afterwards: nobody is added with it.
     *
     * Refused: `wrong_challenge` (fetch another), `invalid_key_package`.
     */
    public suspend fun register(proof: ByteArray): Registered =
        call("POST", "/v1/devices", { json("proof" to proof) }) { it.json().registered() }

    /** Deletes the device and all that waits for it. */
    public suspend fun deleteDevice(): Unit = nothing("DELETE", "/v1/device")

    /**
     * Publishes key packages of this device, at most 200, all or none, and returns what is there afterwards.
     *
     * Refused: `invalid_key_package`, `anothers_key_package`, `too_many_key_packages`.
     */
    public suspend fun publishKeyPackages(keyPackages: List<ByteArray>): List<KeyPackageStock> =
        call("POST", "/v1/key-packages", { json("key_packages" to keyPackages) }) { it.json().stocks() }

    /** How many key packages of this device wait: publish more before there are none. */
    public suspend fun keyPackageStock(): List<KeyPackageStock> = call("GET", "/v1/key-packages") { it.json().stocks() }

    /** Withdraws all key packages of this device, after their private keys were lost. */
    public suspend fun withdrawKeyPackages(): Unit = nothing("DELETE", "/v1/key-packages")

    /**
     * Takes a key package of another device, to add it to a group. Nobody else gets the same, unless it is of last resort.
     *
     * Refused: `no_key_package`.
     */
    public suspend fun claimKeyPackage(device: DeviceId, ciphersuite: UShort): ByteArray =
        call("POST", "/v1/devices/$device/key-packages/$ciphersuite", { byteArrayOf() }) { it.success() }

    /**
     * Makes a group known, with this device in it. Who has [joinSecret] can join by itself; the service gets its hash.
     * Without one nobody can. The same again is no error.
     *
     * Refused: `group_exists`.
     */
    public suspend fun createGroup(group: ByteArray, epoch: ULong = 0u, joinSecret: ByteArray? = null): Unit =
        nothing("POST", "/v1/groups") {
            json("group" to group, "epoch" to epoch, "join_secret_hash" to joinSecret?.let { sha256(it) })
        }

    /** The group's epoch and devices. Refused: `no_such_group`. */
    public suspend fun group(group: ByteArray): GroupStatus =
        call("GET", place(group)) { answer ->
            val status = answer.json()
            GroupStatus(status.epoch("epoch"), status.devices("devices"))
        }

    /**
     * Submits a Commit. [SendOutcome.Accepted]: merge it. [SendOutcome.WrongEpoch]: clear it, read the queue, begin again.
     * After a lost answer or a crash submit the same bytes again (`pendingCommit` has them).
     *
     * [welcome] goes to the devices that it adds, which get later messages too; those that it removes get this Commit and
     * nothing afterwards. [groupInfo] is that of the next epoch, if it is at hand. [newJoinSecret] replaces the group's; empty,
     * nobody can join by itself any more.
     * Refused: `no_such_group`, `invalid_message`, `another_group`, `too_many_devices`, `ratchet_tree_included`.
     */
    public suspend fun submit(
        group: ByteArray,
        commit: ByteArray,
        welcome: ByteArray? = null,
        added: List<DeviceId> = emptyList(),
        removed: List<DeviceId> = emptyList(),
        groupInfo: PublishedGroupInfo? = null,
        newJoinSecret: ByteArray? = null,
    ): SendOutcome =
        sending(place(group, "/commits")) {
            json(
                "commit" to commit,
                "added" to added.map { it.bytes },
                "removed" to removed.map { it.bytes },
                "welcome" to welcome,
                "group_info" to groupInfo?.members()?.toMap(),
                "join_secret_hash" to newJoinSecret?.let { if (it.isEmpty()) it else sha256(it) },
            )
        }

    /**
     * Submits an external Commit, by who has the group's join secret. [SendOutcome.Accepted]: confirm the join.
     * [SendOutcome.WrongEpoch]: abandon it, and begin again with another [groupInfo].
     *
     * Refused: `no_such_group` (or another secret), `invalid_message`, `another_group`.
     */
    public suspend fun join(group: ByteArray, commit: ByteArray, joinSecret: ByteArray): SendOutcome =
        sending(place(group, "/commits"), joinSecret = joinSecret) { json("commit" to commit) }

    /**
     * Sends an application message, or a proposal, which must be of the group's epoch.
     *
     * Refused: `no_such_group` (also once this device was removed), `invalid_message`, `another_group`.
     */
    public suspend fun sendMessage(group: ByteArray, message: ByteArray): SendOutcome =
        sending(place(group, "/messages"), "message/mls") { message }

    /**
     * Publishes what those who join by themselves need, after a merge.
     *
     * Refused: `wrong_epoch` (whoever made the Commit since publishes), `ratchet_tree_included`, `no_such_group`.
     */
    public suspend fun publishGroupInfo(group: ByteArray, info: PublishedGroupInfo): Unit =
        nothing("PUT", place(group, "/group-info")) { json(*info.members()) }

    /**
     * What an external Commit needs. Devices of the group need no join secret.
     *
     * Refused: `no_group_info` (nobody has published that of the present epoch yet), `no_such_group` (or another secret).
     */
    public suspend fun groupInfo(group: ByteArray, joinSecret: ByteArray? = null): PublishedGroupInfo =
        call("GET", place(group, "/group-info"), joinSecret = joinSecret) { it.json().publishedGroupInfo() }

    /** Gets no more messages of a group. Refused: `no_such_group`. */
    public suspend fun leave(group: ByteArray): Unit = nothing("DELETE", place(group, "/device"))

    /**
     * What stands in the queue behind the cursor, at most [limit] messages, at most 1000. If that is nothing, it waits for a
     * message, up to [wait] in whole seconds, at most [LONGEST_WAIT], and gives an empty page then. What was acknowledged is
     * gone: 0 reads from the beginning.
     *
     * Refused: `wrong_cursor` (it is of before the device was deleted: begin at 0).
     */
    public suspend fun readQueue(after: Long = 0, limit: Int = 100, wait: Duration = Duration.ZERO): Page {
        val seconds = wait.coerceIn(Duration.ZERO, LONGEST_WAIT).inWholeSeconds
        return call("GET", "/v1/queue?after=$after&limit=$limit&wait=$seconds") { it.json().page() }
    }

    /**
     * Lets the service delete what is safe on this device: all up to the cursor. [missed] messages were dealt with, by joining
     * again. Without this they come again; the library knows duplicates.
     *
     * Refused: `wrong_cursor`.
     */
    public suspend fun acknowledge(cursor: Long, missed: Long = 0): Unit =
        nothing("POST", "/v1/queue/acknowledged") { json("cursor" to cursor, "missed" to missed) }

    private suspend fun nothing(method: String, path: String, body: (() -> ByteArray)? = null): Unit =
        call(method, path, body) { it.success() }

    private suspend fun sending(
        path: String,
        mediaType: String = JSON,
        joinSecret: ByteArray? = null,
        body: () -> ByteArray,
    ): SendOutcome = call("POST", path, body, mediaType, joinSecret) { it.outcome() }

    /** A body is written, and an answer read, where the caller's thread does not wait for it: both may be large. */
    private suspend fun <T> call(
        method: String,
        path: String,
        body: (() -> ByteArray)? = null,
        mediaType: String = JSON,
        joinSecret: ByteArray? = null,
        read: (Answer) -> T,
    ): T =
        withContext(Dispatchers.IO) {
            read(http.exchange(Request(method, path, token, body?.invoke(), mediaType, joinSecret)))
        }

    public companion object {
        /** The longest that [readQueue] waits. */
        public val LONGEST_WAIT: Duration = 50.seconds

        private const val JSON = "application/json"
    }
}

private fun place(group: ByteArray, part: String = "") = "/v1/groups/${group.toText()}$part"

private fun PublishedGroupInfo.members() =
    arrayOf("group_info" to groupInfo, "sealed_ratchet_tree" to sealedRatchetTree)

private fun Answer.json() = JsonObject.of(success())

private fun Answer.outcome(): SendOutcome {
    wrongEpoch()?.let { return SendOutcome.WrongEpoch(it) }
    val accepted = json()
    return SendOutcome.Accepted(
        accepted.epoch("epoch"),
        accepted.truth("duplicate"),
        accepted.devices("unknown_devices"),
    )
}

private fun JsonObject.registered() = Registered(device("device"), token("token"), number("expires_in").seconds)

private fun JsonObject.stocks() =
    objects("suites").map {
        KeyPackageStock(it.number("ciphersuite").toUShort(), it.number("single_use"), it.truth("last_resort"))
    }

private fun JsonObject.publishedGroupInfo() =
    PublishedGroupInfo(bytes("group_info"), if (has("sealed_ratchet_tree")) bytes("sealed_ratchet_tree") else null)

private fun JsonObject.page() =
    Page(objects("deliveries").map { it.delivery() }, number("cursor"), number("missed"))

private fun JsonObject.delivery(): Delivery {
    val kind = Delivery.Kind.entries.find { it.name.lowercase() == text("kind") }
    return Delivery(
        number("position"),
        kind ?: throw DeliveryException.NotUnderstood(),
        bytes("group"),
        bytes("bytes"),
    )
}
