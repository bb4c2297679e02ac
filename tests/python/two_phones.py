"""Two phones talk through the generated Python bindings, whose folder is the only argument."""

import os
import sys
import tempfile

sys.path.insert(0, sys.argv[1])

import mls_mobile as mls  # noqa: E402

SUITE = mls.Ciphersuite.MLS_128_DHKEMX25519_CHACHA20POLY1305_SHA256_ED25519


class Throws(mls.CredentialValidator):
    def validate(self, request):
        raise RuntimeError("no opinion")


class Accepts(mls.CredentialValidator):
    def __init__(self):
        self.seen = []

    def validate(self, request):
        self.seen.append(type(request).__name__)
        return True


def open_client(folder, name, validator=None):
    config = mls.ClientConfig(database_path=os.path.join(folder, name + ".db"), database_key=bytes(range(32)))
    return mls.MlsClient.open(config, validator, None)


def identity(client, name):
    return client.create_identity(mls.Credential.BASIC(identity=name.encode()), SUITE).id


def refused(error, code, call, *arguments):
    try:
        call(*arguments)
    except error as caught:
        assert caught.error_code() == code, caught.error_code()
        return caught
    raise AssertionError("no error")


def talk(folder):
    validator = Accepts()
    alice, bob = open_client(folder, "alice", validator), open_client(folder, "bob")
    key_package = bob.create_key_packages(identity(bob, "bob"), 1)[0]
    group = alice.create_group(identity(alice, "alice"))
    bundle = group.add_members([key_package.bytes])
    assert validator.seen, "the validator was not asked"
    assert bundle.epoch == 0
    group.merge_pending_commit()
    bobs_group = bob.join_from_welcome(bundle.welcome)
    assert bobs_group.epoch_authenticator() == group.epoch_authenticator()

    message = group.create_message(b"hello")
    outcome = bobs_group.process_message(message)
    assert outcome.is_application() and outcome.plaintext == b"hello"
    assert bobs_group.process_message(message).is_duplicate()
    entries = bob.inbox(10)
    assert [entry.outcome.plaintext for entry in entries] == [b"hello"]
    bob.acknowledge([entry.id for entry in entries])
    assert bob.inbox(10) == []

    # Ids are keys of a map.
    names = {group.id(): "ours"}
    assert names[bobs_group.id()] == "ours"
    return group.id()


def errors_are_typed(folder, group_id):
    # The database is opened again: everything is still there.
    alice = open_client(folder, "alice")
    assert alice.group(group_id).info().epoch == 1
    refused(mls.MlsError.GroupNotFound, 100, alice.group, b"no such group")
    refused(mls.MlsError.MessageMalformed, 152, alice.group(group_id).process_message, b"no message")
    refused(mls.MlsError.NoPendingCommit, 141, alice.group(group_id).merge_pending_commit)
    wrong = mls.ClientConfig(database_path=os.path.join(folder, "alice.db"), database_key=bytes(32))
    refused(mls.MlsError.WrongDatabaseKey, 205, mls.MlsClient.open, wrong)
    short = mls.ClientConfig(database_path=os.path.join(folder, "alice.db"), database_key=bytes(31))
    error = refused(mls.MlsError.InvalidArgument, 171, mls.MlsClient.open, short)
    assert error.argument == "database_key" and error.reason == mls.ArgumentReason.WRONG_LENGTH


def a_validator_that_throws_rejects(folder):
    carol, dave = open_client(folder, "carol", Throws()), open_client(folder, "dave")
    key_package = dave.create_key_packages(identity(dave, "dave"), 1)[0]
    group = carol.create_group(identity(carol, "carol"))
    refused(mls.MlsError.CredentialRejected, 160, group.add_members, [key_package.bytes])
    assert group.pending_commit() is None


def a_signer_that_throws_or_returns_garbage_fails(folder):
    class Signs(mls.Signer):
        def __init__(self, signature):
            self.signature = signature

        def sign(self, bytes):
            assert bytes.startswith(b"\xffmls-mobile signer challenge")
            return self.signature or [][0]

    erin = open_client(folder, "erin")
    credential = mls.Credential.BASIC(identity=b"erin")
    for signature in [None, b"", bytes(64)]:
        create = erin.create_identity_with_signer
        refused(mls.MlsError.SignerFailed, 163, create, credential, SUITE, bytes([5] * 32), Signs(signature))
    refused(mls.MlsError.IdentityNotFound, 110, erin.attach_signer, bytes([5] * 32), Signs(None))
    assert erin.identities() == []


def a_validator_of_the_library_goes_through_the_bindings(folder):
    refused(mls.MlsError.InvalidArgument, 171, mls.x509_validator, [b"no certificate"])
    accepts = Accepts()
    roots = [open(os.path.join(os.path.dirname(__file__), "..", "fixtures", "root.der"), "rb").read()]
    strict = open_client(folder, "frank", mls.x509_validator(roots, accepts))
    key_package = strict.create_key_packages(identity(strict, "frank"), 1)[0].bytes
    group = strict.create_group(identity(strict, "frank"))
    refused(mls.MlsError.CredentialRejected, 160, group.add_members, [key_package])
    assert accepts.seen == []
    lenient = open_client(folder, "frank", mls.x509_validator_with_others(roots, accepts))
    lenient.group(group.id()).add_members([key_package])
    assert len(accepts.seen) == 1


with tempfile.TemporaryDirectory() as temporary:
    errors_are_typed(temporary, talk(temporary))
    a_validator_that_throws_rejects(temporary)
    a_signer_that_throws_or_returns_garbage_fails(temporary)
    a_validator_of_the_library_goes_through_the_bindings(temporary)
    print("two phones talked")
