-- Every `value` is sealed and every `*_key` a keyed hash (docs/storage-format.md).
-- What stands in clear is said beside it, with the reason.

-- One row, rewritten by every transaction that changes anything; so what changes often stands here.
CREATE TABLE header (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    database_id BLOB NOT NULL,       -- random, binds the key slots to this database
    index_key BLOB NOT NULL,         -- sealed: the key of the keyed hashes
    generation INTEGER NOT NULL,     -- grows with every change: an app that remembers it can tell an old copy
    key_epoch INTEGER NOT NULL,      -- grows with every new data key, so that other processes fetch it
    transfer INTEGER NOT NULL CHECK (transfer IN (0, 1, 2)), -- 0 in use, 1 being moved away, 2 moved away
    next_inbox_id INTEGER NOT NULL,
    cursor BLOB                      -- sealed: the app's resume point
) STRICT;

-- The data key, wrapped by the app's key. Two slots from `rekey` to `confirm_rekey`, and both keys open; the newer one
-- has the larger number.
CREATE TABLE key_slot (
    slot INTEGER PRIMARY KEY,
    wrapped BLOB NOT NULL
) STRICT;

CREATE TABLE identity (
    identity_key BLOB PRIMARY KEY,
    position INTEGER NOT NULL UNIQUE, -- order of creation
    value BLOB NOT NULL
) STRICT;

-- `bundle` is OpenMLS's (private keys), `value` ours (what listing needs). The lifetime and the last-resort mark are
-- in clear for the index; they are public in the key package itself.
CREATE TABLE key_package (
    reference_key BLOB PRIMARY KEY,
    bundle BLOB NOT NULL,
    identity_key BLOB REFERENCES identity (identity_key) DEFERRABLE INITIALLY DEFERRED,
    not_after INTEGER,
    last_resort INTEGER,
    value BLOB
) STRICT;
CREATE INDEX key_package_by_identity ON key_package (identity_key, last_resort, not_after);

-- A group that the app knows; everything else of the group goes with this row.
CREATE TABLE mls_group (
    group_key BLOB PRIMARY KEY,
    identity_key BLOB NOT NULL REFERENCES identity (identity_key),
    position INTEGER NOT NULL UNIQUE, -- order of creation or joining
    value BLOB NOT NULL
) STRICT;
CREATE INDEX mls_group_by_identity ON mls_group (identity_key);

-- OpenMLS's state of a group, one row for each kind of value; `kind` is listed in storage/openmls/group_state.rs.
CREATE TABLE group_state (
    group_key BLOB NOT NULL REFERENCES mls_group (group_key) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
    kind INTEGER NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY (group_key, kind)
) STRICT;

CREATE TABLE proposal (
    id INTEGER PRIMARY KEY,           -- the order in which proposals were queued
    group_key BLOB NOT NULL REFERENCES mls_group (group_key) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
    reference_key BLOB NOT NULL,
    value BLOB NOT NULL,
    UNIQUE (group_key, reference_key)
) STRICT;

CREATE TABLE own_leaf_node (
    id INTEGER PRIMARY KEY,           -- the order in which they were appended
    group_key BLOB NOT NULL REFERENCES mls_group (group_key) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
    value BLOB NOT NULL
) STRICT;
CREATE INDEX own_leaf_node_by_group ON own_leaf_node (group_key);

-- HPKE key pairs of the own leaf and its direct path, one row an epoch and leaf.
CREATE TABLE epoch_key_pairs (
    group_key BLOB NOT NULL REFERENCES mls_group (group_key) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
    epoch_key BLOB NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY (group_key, epoch_key)
) STRICT;

-- Key pairs that belong to no epoch yet: those of leaf nodes in update proposals.
CREATE TABLE encryption_key_pair (
    public_key_key BLOB PRIMARY KEY,
    value BLOB NOT NULL
) STRICT;

CREATE TABLE signature_key_pair (
    public_key_key BLOB PRIMARY KEY,
    value BLOB NOT NULL
) STRICT;

CREATE TABLE psk (
    psk_key BLOB PRIMARY KEY,
    value BLOB NOT NULL
) STRICT;

-- The own Commit that waits to be merged or cleared, with its Welcome and GroupInfo.
CREATE TABLE pending_commit (
    group_key BLOB PRIMARY KEY REFERENCES mls_group (group_key) ON DELETE CASCADE,
    value BLOB NOT NULL
) STRICT;

-- Commits that ended an epoch, by the keyed hash of their bytes: the same bytes again are a duplicate.
CREATE TABLE handled_commit (
    group_key BLOB NOT NULL REFERENCES mls_group (group_key) ON DELETE CASCADE,
    commit_key BLOB NOT NULL,
    id INTEGER PRIMARY KEY,
    UNIQUE (group_key, commit_key)
) STRICT;

-- What a user would see, until the app acknowledges it. Ids are never used twice. An entry outlives its group: the
-- app may not have read yet what happened in it.
CREATE TABLE inbox (
    id INTEGER PRIMARY KEY,
    value BLOB NOT NULL
) STRICT;
