-- The embedded database. src/sql/postgres.sql says the same in PostgreSQL's types, and what each table is for.
CREATE TABLE IF NOT EXISTS setting (
    name TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT;

CREATE TABLE IF NOT EXISTS device (
    id BLOB PRIMARY KEY,
    signature_key BLOB NOT NULL,
    token_hash BLOB NOT NULL UNIQUE,
    token_expires INTEGER NOT NULL,
    head INTEGER NOT NULL DEFAULT 0,
    tail INTEGER NOT NULL DEFAULT 0,
    missed INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE IF NOT EXISTS used_challenge (
    hash BLOB PRIMARY KEY,
    expires INTEGER NOT NULL
) STRICT;

CREATE TABLE IF NOT EXISTS key_package (
    reference BLOB PRIMARY KEY,
    device BLOB NOT NULL REFERENCES device (id) ON DELETE CASCADE,
    ciphersuite INTEGER NOT NULL,
    last_resort INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    body BLOB NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS key_package_of_device ON key_package (device, ciphersuite, last_resort, expires);

CREATE TABLE IF NOT EXISTS mls_group (
    id BLOB PRIMARY KEY,
    epoch INTEGER NOT NULL,
    messages INTEGER NOT NULL DEFAULT 0,
    join_secret_hash BLOB NOT NULL,
    group_info BLOB NOT NULL,
    sealed_ratchet_tree BLOB NOT NULL
) STRICT;

CREATE TABLE IF NOT EXISTS group_device (
    group_id BLOB NOT NULL REFERENCES mls_group (id) ON DELETE CASCADE,
    device BLOB NOT NULL REFERENCES device (id) ON DELETE CASCADE,
    since INTEGER NOT NULL,
    PRIMARY KEY (group_id, device)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS groups_of_device ON group_device (device);

CREATE TABLE IF NOT EXISTS accepted_commit (
    group_id BLOB NOT NULL REFERENCES mls_group (id) ON DELETE CASCADE,
    epoch INTEGER NOT NULL,
    hash BLOB NOT NULL,
    PRIMARY KEY (group_id, epoch)
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS message (
    hash BLOB PRIMARY KEY,
    group_id BLOB NOT NULL,
    kind INTEGER NOT NULL,
    created INTEGER NOT NULL,
    body BLOB NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS message_by_age ON message (created);

CREATE TABLE IF NOT EXISTS delivery (
    device BLOB NOT NULL REFERENCES device (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    message BLOB NOT NULL REFERENCES message (hash) ON DELETE CASCADE,
    PRIMARY KEY (device, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS deliveries_of_message ON delivery (message);
