//! The only place with SQL. Each call is a transaction; what it answers was committed, and the disk has it.
//!
//! Locks are taken in one order: the group's row, then rows of devices by their ids. SQLite has one lock instead, which
//! `BEGIN IMMEDIATE` takes.

mod devices;
mod fan_out;
mod group_info;
mod groups;
mod key_packages;
mod queue;

use std::{future::Future, sync::Arc, time::Duration};

use sqlx::{Any, AnyPool, Executor as _, Row as _, any::AnyPoolOptions};

pub(crate) use self::groups::{Commit, Outgoing};
use crate::{Time, arguments::Arguments, auth, problem::Problem, wake::Wake};

type Transaction = sqlx::Transaction<'static, Any>;

/// The tables' version. A database with a later one is refused.
const SCHEMA: &[u8] = &[1];
/// Started once by whoever comes first; the number is arbitrary.
const STARTING: &str = "SELECT pg_advisory_xact_lock(7702001)";
const ATTEMPTS: u32 = 8;

pub(crate) struct Store {
    pool: AnyPool,
    postgres: bool,
    wake: Arc<Wake>,
    /// Messages that wait for one device at most.
    queue: i64,
    /// How long a token lasts.
    token_time: Time,
}

impl Store {
    pub(crate) async fn open(arguments: &Arguments, wake: Arc<Wake>) -> Result<Self, sqlx::Error> {
        sqlx::any::install_default_drivers();
        let postgres = arguments.on_postgres();
        let pool = AnyPoolOptions::new()
            // SQLite has one writer; the second connection reads meanwhile.
            .max_connections(if postgres { arguments.connections } else { 2 })
            .acquire_timeout(Duration::from_secs(5))
            .after_connect(move |connection, _| {
                Box::pin(async move {
                    if !postgres {
                        // Deleted messages are overwritten; what was acknowledged is on the disk.
                        let settings = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; \
                                        PRAGMA secure_delete = ON; PRAGMA busy_timeout = 10000";
                        connection.execute(settings).await?;
                    }
                    Ok(())
                })
            })
            .connect(&arguments.database)
            .await?;
        let store = Self {
            pool,
            postgres,
            wake,
            queue: arguments.queue,
            token_time: arguments.token_days * 86400,
        };
        store.start().await?;
        Ok(store)
    }

    async fn start(&self) -> Result<(), sqlx::Error> {
        let mut tx = self.begin().await?;
        if self.postgres {
            sqlx::query(STARTING).execute(&mut *tx).await?;
        }
        let tables = if self.postgres {
            include_str!("../sql/postgres.sql")
        } else {
            include_str!("../sql/sqlite.sql")
        };
        tx.execute(tables).await?;
        let found = setting(&mut tx, "schema", SCHEMA).await?;
        if found != SCHEMA {
            return Err(sqlx::Error::Configuration(
                "the database is of a later version".into(),
            ));
        }
        tx.commit().await
    }

    /// The key of the challenges, the same for all instances.
    pub(crate) async fn challenge_key(&self) -> Result<Vec<u8>, Problem> {
        let proposed = auth::random::<32>()?;
        let mut tx = self.begin().await?;
        let key = setting(&mut tx, "challenge_key", &proposed).await?;
        tx.commit().await?;
        Ok(key)
    }

    pub(crate) async fn check_health(&self) -> Result<(), Problem> {
        sqlx::query("SELECT 1").execute(&self.pool).await?;
        Ok(())
    }

    async fn begin(&self) -> Result<Transaction, sqlx::Error> {
        let statement = if self.postgres { "BEGIN" } else { "BEGIN IMMEDIATE" };
        self.pool.begin_with(statement).await
    }

    /// Tries again what the database gave up in favour of another transaction.
    async fn again<T, F: Future<Output = Result<T, Problem>>>(
        &self,
        work: impl Fn() -> F,
    ) -> Result<T, Problem> {
        for attempt in 1..ATTEMPTS {
            match work().await {
                Err(Problem::Contended) => tokio::time::sleep(Duration::from_millis(5 << attempt)).await,
                done => return done,
            }
        }
        work().await
    }
}

/// The value of a setting, which is `proposed` if it had none.
async fn setting(tx: &mut Transaction, name: &str, proposed: &[u8]) -> Result<Vec<u8>, sqlx::Error> {
    sqlx::query("INSERT INTO setting (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING")
        .bind(name)
        .bind(proposed)
        .execute(&mut **tx)
        .await?;
    sqlx::query("SELECT value FROM setting WHERE name = $1")
        .bind(name)
        .fetch_one(&mut **tx)
        .await?
        .try_get(0)
}

/// `$2, $3, $4` for three values, the first of which is number two.
fn placeholders(first: usize, count: usize) -> String {
    let names: Vec<String> = (first..first + count)
        .map(|number| format!("${number}"))
        .collect();
    names.join(", ")
}

/// Numbers are signed in SQL; what does not fit is nothing that was ever stored.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}
