-- The database of several instances. src/sql/sqlite.sql says the same in SQLite's types. Times are seconds since 1970.
-- Empty bytes stand for what is not there.

-- What all instances share: the key of the challenges.
CREATE TABLE IF NOT EXISTS setting (
    name TEXT PRIMARY KEY,
    value BYTEA NOT NULL
);

-- `id` is the SHA-256 of the signature key, `token_hash` that of the token. The queue has the positions above `head`, up to
-- `tail`. A position is given out under the row's lock, so no reader sees a later one before an earlier one.
CREATE TABLE IF NOT EXISTS device (
    id BYTEA PRIMARY KEY,
    signature_key BYTEA NOT NULL,
    token_hash BYTEA NOT NULL UNIQUE,
    token_expires BIGINT NOT NULL,
    head BIGINT NOT NULL DEFAULT 0,
    tail BIGINT NOT NULL DEFAULT 0,
    missed BIGINT NOT NULL DEFAULT 0
);

-- So that a challenge works once.
CREATE TABLE IF NOT EXISTS used_challenge (
    hash BYTEA PRIMARY KEY,
    expires BIGINT NOT NULL
);

CREATE TABLE IF NOT EXISTS key_package (
    reference BYTEA PRIMARY KEY,
    device BYTEA NOT NULL REFERENCES device (id) ON DELETE CASCADE,
    ciphersuite BIGINT NOT NULL,
    last_resort BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    body BYTEA NOT NULL
);
CREATE INDEX IF NOT EXISTS key_package_of_device ON key_package (device, ciphersuite, last_resort, expires);

-- Whatever is sent to a group updates its row first: the row's lock is the order of the group's messages.
CREATE TABLE IF NOT EXISTS mls_group (
    id BYTEA PRIMARY KEY,
    epoch BIGINT NOT NULL,
    messages BIGINT NOT NULL DEFAULT 0,
    join_secret_hash BYTEA NOT NULL,
    group_info BYTEA NOT NULL,
    sealed_ratchet_tree BYTEA NOT NULL
);

-- Where a group's messages go. `since` is the epoch with which the device came.
CREATE TABLE IF NOT EXISTS group_device (
    group_id BYTEA NOT NULL REFERENCES mls_group (id) ON DELETE CASCADE,
    device BYTEA NOT NULL REFERENCES device (id) ON DELETE CASCADE,
    since BIGINT NOT NULL,
    PRIMARY KEY (group_id, device)
);
CREATE INDEX IF NOT EXISTS groups_of_device ON group_device (device);

-- The Commit that ended each of the last epochs, so that a repeated one is recognised.
CREATE TABLE IF NOT EXISTS accepted_commit (
    group_id BYTEA NOT NULL REFERENCES mls_group (id) ON DELETE CASCADE,
    epoch BIGINT NOT NULL,
    hash BYTEA NOT NULL,
    PRIMARY KEY (group_id, epoch)
);

-- A message stays until every device that it waits for has acknowledged it.
CREATE TABLE IF NOT EXISTS message (
    hash BYTEA PRIMARY KEY,
    group_id BYTEA NOT NULL,
    kind BIGINT NOT NULL,
    created BIGINT NOT NULL,
    body BYTEA NOT NULL
);
CREATE INDEX IF NOT EXISTS message_by_age ON message (created);

CREATE TABLE IF NOT EXISTS delivery (
    device BYTEA NOT NULL REFERENCES device (id) ON DELETE CASCADE,
    position BIGINT NOT NULL,
    message BYTEA NOT NULL REFERENCES message (hash) ON DELETE CASCADE,
    PRIMARY KEY (device, position)
);
CREATE INDEX IF NOT EXISTS deliveries_of_message ON delivery (message);
