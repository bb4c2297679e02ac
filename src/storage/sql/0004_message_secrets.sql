-- OpenMLS's message secrets in parts, so that a message writes only what it changed (docs/adr/0032). Sealed as in 0001.
-- A group whose secrets were not written since schema 3 has them in one row of group_state.
CREATE TABLE message_secrets (
    group_key BLOB NOT NULL REFERENCES mls_group (group_key) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
    part INTEGER NOT NULL,            -- numbered in storage/openmls/message_secrets/parts.rs
    value BLOB NOT NULL,
    PRIMARY KEY (group_key, part)
) STRICT;
