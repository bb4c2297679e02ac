//! Devices, their tokens and their challenges.

use mls_delivery_client::wire::{self, Bytes};
use sqlx::Row as _;

use super::Store;
use crate::{Time, auth, problem::Problem};

impl Store {
    /// Registers the device of `signature_key`, or gives the one that is registered another token. The challenge is used up.
    pub(crate) async fn register(
        &self,
        signature_key: &[u8],
        challenge: &[u8],
        challenge_expires: Time,
        now: Time,
    ) -> Result<wire::Registered, Problem> {
        let (device, token) = (wire::device_id(signature_key), auth::new_token()?);
        let mut tx = self.begin().await?;
        let used = sqlx::query(
            "INSERT INTO used_challenge (hash, expires) VALUES ($1, $2) ON CONFLICT (hash) DO NOTHING",
        )
        .bind(auth::sha256(challenge))
        .bind(challenge_expires)
        .execute(&mut *tx)
        .await?;
        if used.rows_affected() == 0 {
            return Err(Problem::WrongChallenge);
        }
        let sql = "INSERT INTO device (id, signature_key, token_hash, token_expires) VALUES ($1, $2, $3, $4)
            ON CONFLICT (id) DO UPDATE SET token_hash = excluded.token_hash, token_expires = excluded.token_expires";
        sqlx::query(sql)
            .bind(&*device.0)
            .bind(signature_key)
            .bind(auth::sha256(&token.0))
            .bind(now + self.token_time)
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(wire::Registered {
            device,
            token: token.to_string(),
            expires_in: super::unsigned(self.token_time),
        })
    }

    /// The device whose token has this hash.
    pub(crate) async fn device(&self, token_hash: &[u8], now: Time) -> Result<Option<Bytes>, Problem> {
        let row = sqlx::query("SELECT id FROM device WHERE token_hash = $1 AND token_expires > $2")
            .bind(token_hash)
            .bind(now)
            .fetch_optional(&self.pool)
            .await?;
        let id: Option<Vec<u8>> = row.map(|row| row.try_get(0)).transpose()?;
        Ok(id.map(Bytes))
    }

    /// Forgets a device with its key packages, its queue and its places in groups; groups without a device go too.
    pub(crate) async fn delete_device(&self, device: &[u8]) -> Result<(), Problem> {
        self.again(|| self.try_delete_device(device)).await
    }

    async fn try_delete_device(&self, device: &[u8]) -> Result<(), Problem> {
        let mut tx = self.begin().await?;
        let groups: Vec<Vec<u8>> =
            sqlx::query("SELECT group_id FROM group_device WHERE device = $1 ORDER BY group_id")
                .bind(device)
                .fetch_all(&mut *tx)
                .await?
                .iter()
                .map(|row| row.try_get(0))
                .collect::<Result<_, _>>()?;
        for group in groups {
            self.leave(&mut tx, &group, device).await?;
        }
        self.forget_messages(&mut tx, device, i64::MAX).await?;
        sqlx::query("DELETE FROM device WHERE id = $1")
            .bind(device)
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(())
    }
}
