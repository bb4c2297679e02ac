//! Key packages that wait to be claimed.

use mls_delivery_client::wire::{Bytes, Stock};
use sqlx::Row as _;

use super::{Store, unsigned};
use crate::{Time, limits, mls::Valid, problem::Problem};

impl Store {
    /// Stores all of them or none. One that is there already stays; one of last resort replaces the suite's earlier ones.
    pub(crate) async fn publish(
        &self,
        device: &[u8],
        key_packages: &[(Valid, Bytes)],
        now: Time,
    ) -> Result<(), Problem> {
        self.again(|| self.try_publish(device, key_packages, now)).await
    }

    async fn try_publish(
        &self,
        device: &[u8],
        key_packages: &[(Valid, Bytes)],
        now: Time,
    ) -> Result<(), Problem> {
        let mut tx = self.begin().await?;
        // The row's lock makes two calls of the device count one after the other.
        sqlx::query("UPDATE device SET missed = missed WHERE id = $1")
            .bind(device)
            .execute(&mut *tx)
            .await?;
        sqlx::query("DELETE FROM key_package WHERE device = $1 AND expires <= $2")
            .bind(device)
            .bind(now)
            .execute(&mut *tx)
            .await?;
        for (key_package, body) in key_packages {
            if key_package.last_resort {
                sqlx::query(
                    "DELETE FROM key_package WHERE device = $1 AND ciphersuite = $2 AND last_resort = 1",
                )
                .bind(device)
                .bind(i64::from(key_package.ciphersuite))
                .execute(&mut *tx)
                .await?;
            }
            let sql = "INSERT INTO key_package (reference, device, ciphersuite, last_resort, expires, body)
                VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (reference) DO NOTHING";
            sqlx::query(sql)
                .bind(&*key_package.reference)
                .bind(device)
                .bind(i64::from(key_package.ciphersuite))
                .bind(i64::from(key_package.last_resort))
                .bind(key_package.expires)
                .bind(&*body.0)
                .execute(&mut *tx)
                .await?;
        }
        let count: i64 = sqlx::query("SELECT COUNT(*) FROM key_package WHERE device = $1")
            .bind(device)
            .fetch_one(&mut *tx)
            .await?
            .try_get(0)?;
        if count > limits::KEY_PACKAGES {
            return Err(Problem::TooManyKeyPackages);
        }
        tx.commit().await?;
        Ok(())
    }

    pub(crate) async fn stock(&self, device: &[u8], now: Time) -> Result<Vec<Stock>, Problem> {
        let sql = "SELECT ciphersuite, COUNT(*), COUNT(CASE WHEN last_resort = 1 THEN 1 END) FROM key_package
            WHERE device = $1 AND expires > $2 GROUP BY ciphersuite ORDER BY ciphersuite";
        let rows = sqlx::query(sql)
            .bind(device)
            .bind(now)
            .fetch_all(&self.pool)
            .await?;
        rows.iter()
            .map(|row| {
                let (ciphersuite, all, last_resort): (i64, i64, i64) =
                    (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
                Ok(Stock {
                    ciphersuite: u16::try_from(ciphersuite).unwrap_or_default(),
                    single_use: unsigned(all - last_resort),
                    last_resort: last_resort > 0,
                })
            })
            .collect()
    }

    /// Takes one of the device's key packages away, the one that expires first; the last resort stays.
    pub(crate) async fn claim(&self, device: &[u8], ciphersuite: u16, now: Time) -> Result<Vec<u8>, Problem> {
        loop {
            let sql = "SELECT reference, last_resort, body FROM key_package
                WHERE device = $1 AND ciphersuite = $2 AND expires > $3 ORDER BY last_resort, expires LIMIT 1";
            let row = sqlx::query(sql)
                .bind(device)
                .bind(i64::from(ciphersuite))
                .bind(now)
                .fetch_optional(&self.pool)
                .await?
                .ok_or(Problem::NoKeyPackage)?;
            let (reference, last_resort, body): (Vec<u8>, i64, Vec<u8>) =
                (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
            if last_resort == 1 || self.consume(&reference).await? {
                return Ok(body);
            }
            // Somebody else was faster, and has that one; look for the next.
        }
    }

    async fn consume(&self, reference: &[u8]) -> Result<bool, Problem> {
        self.again(|| async {
            let done = sqlx::query("DELETE FROM key_package WHERE reference = $1")
                .bind(reference)
                .execute(&self.pool)
                .await?;
            Ok(done.rows_affected() == 1)
        })
        .await
    }

    pub(crate) async fn withdraw(&self, device: &[u8]) -> Result<(), Problem> {
        self.again(|| async {
            sqlx::query("DELETE FROM key_package WHERE device = $1")
                .bind(device)
                .execute(&self.pool)
                .await?;
            Ok(())
        })
        .await
    }
}
