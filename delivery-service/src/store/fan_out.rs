//! From a message to the queues of devices.

use mls_delivery_client::wire::{Bytes, Kind};
use sqlx::Row as _;

use super::{Store, Transaction};
use crate::{Time, problem::Problem};

/// Whom a message of a group goes to.
#[derive(Clone, Copy)]
pub(super) enum To<'a> {
    /// Devices of the group that were there before this epoch.
    Before(i64, &'a [u8]),
    /// Devices that came with this epoch.
    Since(i64, &'a [u8]),
}

pub(super) struct Letter<'a> {
    pub(super) group: &'a [u8],
    pub(super) hash: &'a [u8],
    pub(super) kind: Kind,
    pub(super) body: &'a [u8],
    pub(super) now: Time,
}

impl Store {
    /// Locks the rows of all devices of a group, whose own row the transaction has locked.
    pub(super) async fn lock_devices(&self, tx: &mut Transaction, group: &[u8]) -> Result<(), Problem> {
        if self.postgres {
            let sql =
                "SELECT id FROM device WHERE id IN (SELECT device FROM group_device WHERE group_id = $1)
                ORDER BY id FOR NO KEY UPDATE";
            sqlx::query(sql).bind(group).execute(&mut **tx).await?;
        }
        Ok(())
    }

    /// Puts a message into the queues, except the sender's, who has it. The devices are locked. A full queue misses it.
    /// Returns the devices to wake after the commit; nothing, and nothing was done, if the message is in queues already.
    pub(super) async fn fan_out(
        &self,
        tx: &mut Transaction,
        letter: &Letter<'_>,
        to: To<'_>,
    ) -> Result<Option<Vec<Bytes>>, Problem> {
        let (condition, epoch, sender) = match to {
            To::Before(epoch, sender) => ("since < $2", epoch, sender),
            To::Since(epoch, sender) => ("since = $2", epoch, sender),
        };
        let devices = format!(
            "id IN (SELECT device FROM group_device WHERE group_id = $1 AND {condition} AND device <> $3)"
        );
        let sql = "INSERT INTO message (hash, group_id, kind, created, body) VALUES ($1, $2, $3, $4, $5)
            ON CONFLICT (hash) DO NOTHING";
        let stored = sqlx::query(sql)
            .bind(letter.hash)
            .bind(letter.group)
            .bind(number(letter.kind))
            .bind(letter.now)
            .bind(letter.body)
            .execute(&mut **tx)
            .await?;
        if stored.rows_affected() == 0 {
            return Ok(None);
        }
        let deliver = format!(
            "INSERT INTO delivery (device, position, message)
             SELECT id, tail + 1, $4 FROM device WHERE tail - head < $5 AND {devices}"
        );
        let delivered = sqlx::query(&deliver)
            .bind(letter.group)
            .bind(epoch)
            .bind(sender)
            .bind(letter.hash)
            .bind(self.queue)
            .execute(&mut **tx)
            .await?;
        let count = format!(
            "UPDATE device SET missed = missed + CASE WHEN tail - head < $4 THEN 0 ELSE 1 END,
                tail = tail + CASE WHEN tail - head < $4 THEN 1 ELSE 0 END WHERE {devices}"
        );
        sqlx::query(&count)
            .bind(letter.group)
            .bind(epoch)
            .bind(sender)
            .bind(self.queue)
            .execute(&mut **tx)
            .await?;
        if delivered.rows_affected() == 0 {
            // Nobody waits for it, so nobody's acknowledgement would delete it.
            sqlx::query("DELETE FROM message WHERE hash = $1")
                .bind(letter.hash)
                .execute(&mut **tx)
                .await?;
        }
        // PostgreSQL tells every instance, this one too, once the transaction is committed.
        let told = if self.postgres {
            format!("SELECT pg_notify('mls_delivery', encode(id, 'hex')) FROM device WHERE {devices}")
        } else {
            format!("SELECT id FROM device WHERE {devices}")
        };
        let rows = sqlx::query(&told)
            .bind(letter.group)
            .bind(epoch)
            .bind(sender)
            .fetch_all(&mut **tx)
            .await?;
        if self.postgres {
            return Ok(Some(Vec::new()));
        }
        let ids: Result<_, sqlx::Error> = rows.iter().map(|row| Ok(Bytes(row.try_get(0)?))).collect();
        Ok(Some(ids?))
    }
}

/// Kinds in the database.
pub(super) fn number(kind: Kind) -> i64 {
    match kind {
        Kind::Application => 1,
        Kind::Proposal => 2,
        Kind::Commit => 3,
        Kind::Welcome => 4,
    }
}

pub(super) fn kind(number: i64) -> Option<Kind> {
    [Kind::Application, Kind::Proposal, Kind::Commit, Kind::Welcome]
        .into_iter()
        .find(|kind| self::number(*kind) == number)
}
