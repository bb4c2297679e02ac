-- Groups of a recovery archive that were not rejoined yet. Sealed and hashed as in 0001.
CREATE TABLE group_to_rejoin (
    id INTEGER PRIMARY KEY,           -- the order in which the archive has them
    group_key BLOB NOT NULL UNIQUE,
    identity_key BLOB NOT NULL REFERENCES identity (identity_key),
    value BLOB NOT NULL
) STRICT;
CREATE INDEX group_to_rejoin_by_identity ON group_to_rejoin (identity_key);
