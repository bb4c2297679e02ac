-- A large ratchet tree in parts, so that a Commit writes only the nodes that it changed (docs/adr/0037). Sealed as in 0001.
-- A small one, and one that was not written since schema 4, stands in one row of group_state.
CREATE TABLE tree_part (
    group_key BLOB NOT NULL REFERENCES mls_group (group_key) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
    part INTEGER NOT NULL,            -- numbered in storage/tree_parts.rs
    value BLOB NOT NULL,
    PRIMARY KEY (group_key, part)
) STRICT;
