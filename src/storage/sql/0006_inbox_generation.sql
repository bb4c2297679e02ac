-- An inbox entry's id is the generation that it raised (docs/adr/0036), so a message that is received does not write the
-- header. Ids that were given must not come again.
UPDATE header SET generation = max(generation, next_inbox_id);
ALTER TABLE header DROP COLUMN next_inbox_id;
