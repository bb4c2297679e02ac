package org.mlsmobile.delivery

import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNotEquals
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.mlsmobile.*
import java.io.File
import java.net.ServerSocket
import java.security.KeyStore
import javax.net.ssl.HttpsURLConnection
import javax.net.ssl.KeyManagerFactory
import javax.net.ssl.SSLContext
import javax.net.ssl.TrustManagerFactory
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.seconds

class DeliveryTest {
    @Test
    fun `S101 a device registers by its key and its token shows nowhere`() = test {
        val stranger = DeliveryClient(service().address)
        val alice = device("alice", stranger)
        assertEquals(DeviceId.ofSignatureKey(alice.identity.bytes), alice.id)
        assertEquals(alice.id, DeviceId.ofText(alice.id.toString()))
        assertNull(DeviceId.ofText("a/b"))
        assertTrue(alice.registered.lifetime > 1.hours)
        val again = register(alice.client, alice.identity, stranger)
        assertEquals(alice.id, again.device)
        assertNotEquals(alice.registered.token, again.token)
        refused<DeliveryException.Unauthorized> { alice.delivery.keyPackageStock() }
        assertEquals(0, stranger.with(again.token).keyPackageStock().size)

        val leafNode = LeafNodeOptions(applicationId = stranger.challenge())
        val proof = alice.client.createKeyPackages(alice.identity, 1u, KeyPackageOptions(leafNode = leafNode)).single()
        val last = stranger.register(proof.bytes)
        assertRefused("wrong_challenge") { stranger.register(proof.bytes) }
        val delivery = stranger.with(last.token)
        for (text in listOf("$last", "${last.token}", "$delivery")) assertFalse(last.token.text in text)
        assertThrows(IllegalArgumentException::class.java) { AccessToken("not\na token") }
            .also { assertFalse("token\n" in it.message.orEmpty()) }
        delivery.deleteDevice()
        refused<DeliveryException.Unauthorized> { delivery.readQueue() }
    }

    @Test
    fun `S102 key packages are claimed once each and the last resort after them`() = test {
        val stranger = DeliveryClient(service().address)
        val (alice, bob) = listOf("alice", "bob").map { device(it, stranger) }
        val single = bob.client.createKeyPackages(bob.identity, 2u).map { it.bytes }
        val last = bob.client.createKeyPackages(bob.identity, 1u, KeyPackageOptions(lastResort = true)).single().bytes
        val stock = bob.delivery.publishKeyPackages(single + last).single()
        assertEquals(Triple(3.toUShort(), 2L, true), Triple(stock.ciphersuite, stock.singleUse, stock.lastResort))
        val claimed = List(4) { alice.delivery.claimKeyPackage(bob.id, 3u).toList() }
        assertEquals(single.map { it.toList() }.toSet(), claimed.take(2).toSet())
        assertEquals(List(2) { last.toList() }, claimed.takeLast(2))
        assertEquals(0, bob.delivery.keyPackageStock().single().singleUse)
        assertRefused("no_key_package") { alice.delivery.claimKeyPackage(bob.id, 1u) }
        assertRefused("anothers_key_package") { alice.delivery.publishKeyPackages(single) }
        bob.delivery.withdrawKeyPackages()
        assertEquals(0, bob.delivery.keyPackageStock().size)
    }

    @Test
    fun `S103 of two Commits the first wins and the other is told the epoch`() = test {
        val stranger = DeliveryClient(service().address)
        val (alice, bob) = listOf("alice", "bob").map { device(it, stranger) }
        val (alices, bobs) = alice.group(bob)
        val id = alices.id.bytes

        val first = alices.selfUpdate().commit
        val second = bobs.selfUpdate().commit
        assertAccepted(alice.delivery.submit(id, first), 2u)
        // The answer was lost: the same again.
        assertAccepted(alice.delivery.submit(id, first), 2u, duplicate = true)
        assertEquals(2uL, (bob.delivery.submit(id, second) as SendOutcome.WrongEpoch).epoch)
        alices.mergePendingCommit()
        bobs.clearPendingCommit()
        bob.take(Delivery.Kind.COMMIT).forEach { bobs.processMessage(it) }
        assertAgreement(alices, bobs)

        val late = bobs.selfUpdate().commit
        assertAccepted(bob.delivery.submit(id, late), 3u)
        // A proposal is of its epoch only.
        val proposal = alices.leave().proposal
        assertEquals(3uL, (alice.delivery.sendMessage(id, proposal) as SendOutcome.WrongEpoch).epoch)
        assertRefused("another_group") { bob.delivery.submit(byteArrayOf(1), late) }
        val status = alice.delivery.group(id)
        assertEquals(3uL to setOf(alice.id, bob.id), status.epoch to status.devices.toSet())
        bob.delivery.leave(id)
        assertRefused("no_such_group") { bob.delivery.group(id) }
        assertRefused("group_exists") { bob.delivery.createGroup(id, 3u) }
    }

    @Test
    fun `S104 a wrong token gets nowhere`() = test {
        val address = service().address
        for (token in listOf(null, AccessToken(""), AccessToken("wrong"), AccessToken("A".repeat(43)))) {
            val delivery = DeliveryClient(address, token)
            refused<DeliveryException.Unauthorized> { delivery.readQueue(wait = 50.seconds) }
            refused<DeliveryException.Unauthorized> { delivery.publishKeyPackages(listOf(byteArrayOf(1))) }
            refused<DeliveryException.Unauthorized> { delivery.sendMessage(byteArrayOf(1), byteArrayOf(1)) }
            refused<DeliveryException.Unauthorized> { delivery.acknowledge(0) }
        }
    }

    @Test
    fun `S105 without the service there is no answer`() = test {
        val service = service()
        val delivery = DeliveryClient(service.address, AccessToken("token"))
        delivery.challenge()
        service.stop()
        refused<DeliveryException.NoAnswer> { delivery.challenge() }
        refused<DeliveryException.NoAnswer> { delivery.readQueue(wait = 50.seconds) }
        refused<DeliveryException.NoAnswer> { delivery.sendMessage(byteArrayOf(1), byteArrayOf(1)) }
        refused<DeliveryException.NoAnswer> { DeliveryClient("https://delivery.invalid").challenge() }
        for (address in listOf("delivery.example.org", "ftp://delivery.example.org", "")) {
            assertThrows(IllegalArgumentException::class.java) { DeliveryClient(address) }
        }
    }

    @Test
    fun `S106 another server is not understood and gets no token by redirection`() = test {
        fun server(answer: String) = AnotherServer(answer).also { started += it }
        fun answering(body: String, status: Int = 200) =
            server("HTTP/1.1 $status Oh\r\nContent-Length: ${body.length}\r\n\r\n$body")
        val bodies = listOf(
            "<html>", "", "{}", "{", "[]", "null", "{\"suites\":[[]]", "{\"suites\":[3]}", "{\"suites\":\"\\u12\"}",
            "[".repeat(100_000), "{\"suites\":[]} more", "{\"suites\":99999999999999999999}", "x".repeat(20_000_000),
        )
        for (server in bodies.map { answering(it) } + answering("<html>", 500) + answering("{\"epoch\":-}", 409)) {
            val delivery = DeliveryClient(server.address, AccessToken("token"))
            refused<DeliveryException.NotUnderstood> { delivery.keyPackageStock() }
        }
        val asking = server("HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n")
        refused<DeliveryException.Unauthorized> { DeliveryClient(asking.address).challenge() }
        val target = answering("")
        val server = server("HTTP/1.1 307 Elsewhere\r\nLocation: ${target.address}/\r\nContent-Length: 0\r\n\r\n")
        val delivery = DeliveryClient(server.address, AccessToken("token"))
        refused<DeliveryException.NotUnderstood> { delivery.keyPackageStock() }
        assertEquals(emptyList<String>(), target.heads)
        // What is told about the phone.
        val head = server.heads.single().lines()
        assertEquals("GET /v1/key-packages HTTP/1.1", head.first())
        assertTrue("User-Agent: mls-mobile" in head && "Authorization: Bearer token" in head, "$head")
        val names = head.drop(1).map { it.substringBefore(':') }.toSet()
        val harmless = setOf("Accept", "Accept-Encoding", "Cache-Control", "Connection", "Host", "Pragma")
        assertEquals(setOf("User-Agent", "Authorization"), names - harmless)
    }

    @Test
    fun `a certificate that nobody vouches for is no answer`() = test {
        val (file, password) = File(folder, "server.p12") to "password"
        val keytool = File(System.getProperty("java.home"), "bin/keytool").path
        val certificate = "-genkeypair -alias server -keyalg EC -dname CN=localhost -ext san=dns:localhost".split(' ')
        val made = ProcessBuilder(listOf(keytool) + certificate + listOf("-keystore", "$file", "-storepass", password))
        assertEquals(0, made.start().waitFor())
        val keys = KeyStore.getInstance(file, password.toCharArray())
        val own = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm())
        own.init(keys, password.toCharArray())
        val known = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm())
        known.init(keys)
        val tls = SSLContext.getInstance("TLS").apply { init(own.keyManagers, known.trustManagers, null) }
        val socket = tls.serverSocketFactory.createServerSocket(0)
        val server = AnotherServer("HTTP/1.1 204 Done\r\n\r\n", socket).also { started += it }
        val delivery = DeliveryClient(server.address, AccessToken("token"))
        refused<DeliveryException.NoAnswer> { delivery.withdrawKeyPackages() }
        assertEquals(emptyList<String>(), server.heads)
        val before = HttpsURLConnection.getDefaultSSLSocketFactory()
        try {
            HttpsURLConnection.setDefaultSSLSocketFactory(tls.socketFactory)
            delivery.withdrawKeyPackages()
            assertEquals(1, server.heads.size)
        } finally {
            HttpsURLConnection.setDefaultSSLSocketFactory(before)
        }
    }

    @Test
    fun `S107 a waiting read ends with a message or when it is cancelled`() = test {
        val stranger = DeliveryClient(service().address)
        val (alice, bob) = listOf("alice", "bob").map { device(it, stranger) }
        val (alices, bobs) = alice.group(bob)
        val before = bob.delivery.readQueue()
        assertEquals(0, before.deliveries.size)

        // Cancelled before it begins, while it waits, and somewhere in between.
        for (pause in listOf(0L, 1, 5, 200)) {
            var outcome: Result<Page>? = null
            val reading = scope.launch(start = CoroutineStart.UNDISPATCHED) {
                outcome = runCatching { bob.delivery.readQueue(before.cursor, wait = 50.seconds) }
            }
            delay(pause)
            reading.cancelAndJoin()
            assertTrue(outcome?.exceptionOrNull() is CancellationException, "$outcome")
        }
        // The connection is closed behind it.
        ServerSocket(0).use { silent ->
            val nowhere = DeliveryClient("http://localhost:${silent.localPort}")
            val reading = scope.launch { nowhere.readQueue(wait = 50.seconds) }
            withContext(Dispatchers.IO) {
                silent.accept().use { connection ->
                    connection.soTimeout = 30.seconds.inWholeMilliseconds.toInt()
                    val request = connection.getInputStream()
                    assertEquals('G', request.read().toChar())
                    reading.cancelAndJoin()
                    while (request.read() >= 0) continue
                }
            }
        }

        val reading = scope.async { bob.delivery.readQueue(before.cursor, wait = 50.seconds) }
        delay(200)
        val message = alices.createMessage("hello".toByteArray())
        alice.delivery.sendMessage(alices.id.bytes, message)
        val delivered = reading.await().deliveries.single()
        assertEquals(Delivery.Kind.APPLICATION to before.cursor + 1, delivered.kind to delivered.position)
        assertArrayEquals(alices.id.bytes, delivered.group)
        val heard = bobs.processMessage(delivered.bytes) as ProcessedMessage.Application
        assertEquals("hello", String(heard.plaintext))
        // Until it is acknowledged it comes again.
        assertArrayEquals(message, bob.take(Delivery.Kind.APPLICATION).single())
        assertEquals(0, bob.take(Delivery.Kind.APPLICATION).size)
        assertRefused("wrong_cursor") { bob.delivery.acknowledge(1000) }
    }

    @Test
    fun `S108 a device with the join secret joins by itself`() = test {
        val stranger = DeliveryClient(service().address)
        val (alice, bob, carol) = listOf("alice", "bob", "carol").map { device(it, stranger) }
        val (secret, other) = listOf(5, 6).map { byte -> ByteArray(32) { byte.toByte() } }
        val (alices, bobs) = alice.group(bob, secret)
        val id = alices.id.bytes

        assertRefused("no_group_info") { alice.delivery.groupInfo(id) }
        val withTree = PublishedGroupInfo(alices.exportGroupInfo(true))
        assertRefused("ratchet_tree_included") { alice.delivery.publishGroupInfo(id, withTree) }
        // An app encrypts the tree.
        val info = PublishedGroupInfo(alices.exportGroupInfo(false), alices.exportRatchetTree())
        alice.delivery.publishGroupInfo(id, info)
        assertArrayEquals(info.groupInfo, bob.delivery.groupInfo(id).groupInfo)
        assertRefused("no_such_group") { carol.delivery.groupInfo(id, other) }
        val found = carol.delivery.groupInfo(id, secret)
        val join = carol.client.joinByExternalCommit(carol.identity, found.groupInfo, found.sealedRatchetTree)
        assertRefused("no_such_group") { carol.delivery.join(id, join.commit, other) }
        assertAccepted(carol.delivery.join(id, join.commit, secret), 2u)
        carol.client.confirmExternalJoin(join.groupId)
        for ((device, group) in listOf(alice to alices, bob to bobs)) {
            device.take(Delivery.Kind.COMMIT).forEach { group.processMessage(it) }
        }
        assertAgreement(alices, bobs, carol.client.group(join.groupId))

        // With the next Commit nobody else can.
        assertAccepted(bob.delivery.submit(id, bobs.selfUpdate().commit, newJoinSecret = byteArrayOf()), 3u)
        carol.delivery.leave(id)
        assertRefused("no_such_group") { carol.delivery.groupInfo(id, secret) }
    }

    @Test
    fun `S110 every operation of the interface has a call`() = test {
        val server = AnotherServer("HTTP/1.1 204 Done\r\n\r\n").also { started += it }
        val delivery = DeliveryClient(server.address)
        val (group, device) = byteArrayOf(0) to DeviceId(ByteArray(32))
        val calls = listOf<suspend () -> Unit>(
            { delivery.challenge() },
            { delivery.register(group) },
            { delivery.deleteDevice() },
            { delivery.publishKeyPackages(listOf(group)) },
            { delivery.keyPackageStock() },
            { delivery.withdrawKeyPackages() },
            { delivery.claimKeyPackage(device, 3u) },
            { delivery.createGroup(group) },
            { delivery.group(group) },
            { delivery.submit(group, group) },
            { delivery.join(group, group, group) },
            { delivery.sendMessage(group, group) },
            { delivery.publishGroupInfo(group, PublishedGroupInfo(group)) },
            { delivery.groupInfo(group) },
            { delivery.leave(group) },
            { delivery.readQueue() },
            { delivery.acknowledge(0) },
        )
        for (call in calls) {
            try {
                call()
            } catch (_: DeliveryException.NotUnderstood) {
                // What it expects is not in this answer.
            }
        }
        val asked = server.heads.map { head ->
            val (method, place) = head.lines().first().split(' ')
            val path = place.substringBefore('?').replace("$device", "{device}").replace("AA", "{group}")
            "${method.lowercase()} ${path.replace("/3", "/{ciphersuite}")}"
        }
        var path = ""
        val operations = File("../../../delivery-service/src/openapi.json").readLines().mapNotNull { line ->
            Regex("""^    "(/v1/.*)": \{""").find(line)?.let { path = it.groupValues[1] }
            Regex("""^      "(get|post|put|delete)": \{""").find(line)?.let { "${it.groupValues[1]} $path" }
        }
        assertEquals(operations.filter { "/v1/" in it }.sorted(), asked.toSet().sorted())
        assertTrue(asked.size > 15)
    }
}
