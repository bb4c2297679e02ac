//! Queues of devices.

use mls_delivery_client::wire::{Acknowledge, Bytes, Delivery, Page};
use sqlx::Row as _;

use super::{Store, Transaction, fan_out, signed, unsigned};
use crate::{Time, limits, problem::Problem};

impl Store {
    /// What stands behind the cursor, oldest first; at most `limit`, and at most a page's bytes.
    pub(crate) async fn page(&self, device: &[u8], after: u64, limit: i64) -> Result<Page, Problem> {
        let row = sqlx::query("SELECT missed, tail FROM device WHERE id = $1")
            .bind(device)
            .fetch_optional(&self.pool)
            .await?
            .ok_or(Problem::Unauthorized)?;
        let (missed, tail): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
        if signed(after) > tail {
            // The cursor of a device that was deleted and registered again: it would hide what comes.
            return Err(Problem::WrongCursor);
        }
        let mut page = Page {
            deliveries: Vec::new(),
            cursor: after,
            missed: unsigned(missed),
        };
        for position in self.positions(device, after, limit).await? {
            // One by one, because together they might be gigabytes.
            let Some(delivery) = self.delivery(device, position).await? else {
                continue;
            };
            page.cursor = delivery.position;
            page.deliveries.push(delivery);
        }
        if page.deliveries.is_empty() {
            // Up to there nothing is left; positions are seen in their order.
            page.cursor = unsigned(tail);
        }
        Ok(page)
    }

    /// Positions whose messages fit into a page.
    async fn positions(&self, device: &[u8], after: u64, limit: i64) -> Result<Vec<i64>, Problem> {
        let sql = "SELECT position, CAST(LENGTH(body) AS BIGINT) FROM delivery JOIN message ON delivery.message = hash
            WHERE device = $1 AND position > $2 ORDER BY position LIMIT $3";
        let rows = sqlx::query(sql)
            .bind(device)
            .bind(signed(after))
            .bind(limit)
            .fetch_all(&self.pool)
            .await?;
        let (mut positions, mut bytes) = (Vec::new(), 0);
        for row in rows {
            let (position, length): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
            bytes += usize::try_from(length).unwrap_or(usize::MAX);
            if bytes > limits::PAGE && !positions.is_empty() {
                break;
            }
            positions.push(position);
        }
        Ok(positions)
    }

    async fn delivery(&self, device: &[u8], position: i64) -> Result<Option<Delivery>, Problem> {
        let sql = "SELECT group_id, kind, body FROM delivery JOIN message ON delivery.message = hash
            WHERE device = $1 AND position = $2";
        let row = sqlx::query(sql)
            .bind(device)
            .bind(position)
            .fetch_optional(&self.pool)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let (group, kind, body): (Vec<u8>, i64, Vec<u8>) =
            (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        Ok(Some(Delivery {
            position: unsigned(position),
            kind: fan_out::kind(kind).ok_or(Problem::Internal)?,
            group: Bytes(group),
            bytes: Bytes(body),
        }))
    }

    /// Deletes what the device has safe. The same again is no error.
    pub(crate) async fn acknowledge(&self, device: &[u8], through: &Acknowledge) -> Result<(), Problem> {
        self.again(|| self.try_acknowledge(device, through)).await
    }

    async fn try_acknowledge(&self, device: &[u8], through: &Acknowledge) -> Result<(), Problem> {
        let cursor = signed(through.cursor);
        let mut tx = self.begin().await?;
        let sql = "UPDATE device SET head = CASE WHEN head > $2 THEN head ELSE $2 END,
            missed = CASE WHEN missed > $3 THEN missed - $3 ELSE 0 END WHERE id = $1 AND tail >= $2";
        let done = sqlx::query(sql)
            .bind(device)
            .bind(cursor)
            .bind(signed(through.missed))
            .execute(&mut *tx)
            .await?;
        if done.rows_affected() == 0 {
            return Err(Problem::WrongCursor);
        }
        self.forget_messages(&mut tx, device, cursor).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Deletes deliveries up to `position`, and messages that nobody else waits for.
    pub(super) async fn forget_messages(
        &self,
        tx: &mut Transaction,
        device: &[u8],
        position: i64,
    ) -> Result<(), Problem> {
        let sql = "DELETE FROM message WHERE hash IN (SELECT message FROM delivery WHERE device = $1 AND position <= $2)
            AND NOT EXISTS (SELECT 1 FROM delivery WHERE delivery.message = hash AND device <> $1)";
        sqlx::query(sql)
            .bind(device)
            .bind(position)
            .execute(&mut **tx)
            .await?;
        sqlx::query("DELETE FROM delivery WHERE device = $1 AND position <= $2")
            .bind(device)
            .bind(position)
            .execute(&mut **tx)
            .await?;
        Ok(())
    }

    /// Deletes what is too old: messages, which the devices that still waited for them then miss, key packages, challenges.
    pub(crate) async fn sweep(&self, now: Time, keep: Time) -> Result<(), Problem> {
        self.again(|| self.try_sweep(now, keep)).await
    }

    async fn try_sweep(&self, now: Time, keep: Time) -> Result<(), Problem> {
        let mut tx = self.begin().await?;
        let sql = "UPDATE device SET missed = missed + (SELECT COUNT(*) FROM delivery JOIN message ON delivery.message = hash
                WHERE delivery.device = device.id AND created < $1)
            WHERE id IN (SELECT delivery.device FROM delivery JOIN message ON delivery.message = hash WHERE created < $1)";
        sqlx::query(sql).bind(now - keep).execute(&mut *tx).await?;
        sqlx::query("DELETE FROM message WHERE created < $1")
            .bind(now - keep)
            .execute(&mut *tx)
            .await?;
        for table in ["key_package", "used_challenge"] {
            sqlx::query(&format!("DELETE FROM {table} WHERE expires <= $1"))
                .bind(now)
                .execute(&mut *tx)
                .await?;
        }
        tx.commit().await?;
        Ok(())
    }
}
