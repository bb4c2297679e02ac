-- What receiving needs to remember. Sealed and hashed as in 0001; what stands in clear is said beside it.

-- The received Commit that waits for the app's decision.
CREATE TABLE staged_commit (
    group_key BLOB PRIMARY KEY REFERENCES mls_group (group_key) ON DELETE CASCADE,
    value BLOB NOT NULL
) STRICT;

-- Own Commits of this epoch that were cleared. The delivery service may have accepted one all the same: when it comes
-- back, it is merged.
CREATE TABLE cleared_commit (
    group_key BLOB NOT NULL REFERENCES mls_group (group_key) ON DELETE CASCADE,
    commit_key BLOB NOT NULL,
    id INTEGER PRIMARY KEY,
    identity_key BLOB REFERENCES identity (identity_key), -- the identity that it would move the group to
    value BLOB NOT NULL,
    UNIQUE (group_key, commit_key)
) STRICT;
CREATE INDEX cleared_commit_by_identity ON cleared_commit (identity_key);

-- What the own Commit changed whose echo began the current epoch: the app's merge, which may come later, answers it.
CREATE TABLE merged_commit (
    group_key BLOB PRIMARY KEY REFERENCES mls_group (group_key) ON DELETE CASCADE,
    value BLOB NOT NULL
) STRICT;

-- Messages that came before their group could read them. Epoch and kind are in clear in the message itself, to the
-- delivery service too. Rows may come before their group: an external join that waits has none yet.
CREATE TABLE early_message (
    id INTEGER PRIMARY KEY,           -- the order in which they came
    group_key BLOB NOT NULL,
    message_key BLOB NOT NULL,
    epoch INTEGER NOT NULL,
    is_commit INTEGER NOT NULL,
    received INTEGER NOT NULL,        -- seconds since 1970
    rejected INTEGER NOT NULL DEFAULT 0, -- whether the app was told that its validator refused it
    value BLOB NOT NULL,
    UNIQUE (group_key, message_key)
) STRICT;
CREATE INDEX early_message_by_epoch ON early_message (group_key, epoch, is_commit, id);
CREATE INDEX early_message_by_age ON early_message (received);

-- An external join that waits for the delivery service's answer: the Commit, and the group as it will be.
CREATE TABLE external_join (
    group_key BLOB PRIMARY KEY,
    identity_key BLOB NOT NULL REFERENCES identity (identity_key),
    value BLOB NOT NULL
) STRICT;
CREATE INDEX external_join_by_identity ON external_join (identity_key);

-- Authenticators of past epochs, to compare with those of other members. The epoch is in clear, for its order.
CREATE TABLE past_epoch (
    group_key BLOB NOT NULL REFERENCES mls_group (group_key) ON DELETE CASCADE,
    epoch INTEGER NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY (group_key, epoch)
) STRICT;

-- When the oldest past epoch's keys are due to be deleted, in seconds since 1970; in clear for the index.
ALTER TABLE mls_group ADD COLUMN past_keys_due INTEGER;
CREATE INDEX mls_group_by_past_keys_due ON mls_group (past_keys_due) WHERE past_keys_due IS NOT NULL;
