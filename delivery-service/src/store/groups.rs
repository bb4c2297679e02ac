//! Groups: one Commit an epoch, and messages in the order of the group.

use mls_delivery_client::wire::{Accepted, Bytes, CreateGroup, GroupStatus, Kind, PublishedGroupInfo};
use sqlx::Row as _;

use super::{
    Store, Transaction,
    fan_out::{Letter, To},
    placeholders, signed, unsigned,
};
use crate::{Time, auth, limits, problem::Problem};

/// A message that was checked.
pub(crate) struct Outgoing<'a> {
    pub(crate) sender: &'a [u8],
    /// Lets a device that is not of the group send, if it is the group's.
    pub(crate) join_secret_hash: Option<Vec<u8>>,
    pub(crate) group: &'a [u8],
    pub(crate) epoch: u64,
    pub(crate) kind: Kind,
    pub(crate) body: &'a [u8],
    pub(crate) now: Time,
}

/// What goes with a Commit.
pub(crate) struct Commit<'a> {
    pub(crate) added: &'a [Bytes],
    pub(crate) removed: &'a [Bytes],
    pub(crate) welcome: Option<&'a [u8]>,
    pub(crate) group_info: Option<&'a PublishedGroupInfo>,
    pub(crate) join_secret_hash: Option<&'a [u8]>,
}

/// Devices in one statement: both databases take thousands of parameters, and this is far below.
const CHUNK: usize = 500;

impl Outgoing<'_> {
    fn hash(&self) -> Vec<u8> {
        hash(self.group, self.body)
    }
}

/// Names a message of a group. The length keeps a group's id apart from what follows.
fn hash(group: &[u8], body: &[u8]) -> Vec<u8> {
    let length = u64::try_from(group.len()).unwrap_or(u64::MAX).to_be_bytes();
    auth::sha256(&[&length, group, body].concat())
}

impl Store {
    /// The same creation again is no error, so a lost answer does no harm.
    pub(crate) async fn create_group(&self, device: &[u8], new: &CreateGroup) -> Result<(), Problem> {
        self.again(|| self.try_create_group(device, new)).await
    }

    async fn try_create_group(&self, device: &[u8], new: &CreateGroup) -> Result<(), Problem> {
        let mut tx = self.begin().await?;
        let sql = "INSERT INTO mls_group (id, epoch, join_secret_hash, group_info, sealed_ratchet_tree)
            VALUES ($1, $2, $3, $4, $4) ON CONFLICT (id) DO NOTHING";
        let created = sqlx::query(sql)
            .bind(&*new.group.0)
            .bind(signed(new.epoch))
            .bind(new.join_secret_hash.as_ref().map_or(&[][..], |hash| &hash.0))
            .bind(&[][..])
            .execute(&mut *tx)
            .await?;
        if created.rows_affected() == 0 {
            let status = self
                .read_status(&mut tx, &new.group.0)
                .await?
                .ok_or(Problem::GroupExists)?;
            let same = status.epoch == new.epoch && status.devices.iter().map(|id| &*id.0).eq([device]);
            return if same { Ok(()) } else { Err(Problem::GroupExists) };
        }
        sqlx::query("INSERT INTO group_device (group_id, device, since) VALUES ($1, $2, $3)")
            .bind(&*new.group.0)
            .bind(device)
            .bind(signed(new.epoch))
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(())
    }

    /// For its devices only.
    pub(crate) async fn status(&self, device: &[u8], group: &[u8]) -> Result<GroupStatus, Problem> {
        let mut tx = self.begin().await?;
        let status = self
            .read_status(&mut tx, group)
            .await?
            .ok_or(Problem::NoSuchGroup)?;
        if status.devices.iter().any(|id| id.0 == device) {
            Ok(status)
        } else {
            Err(Problem::NoSuchGroup)
        }
    }

    async fn read_status(&self, tx: &mut Transaction, group: &[u8]) -> Result<Option<GroupStatus>, Problem> {
        let Some(epoch) = epoch(tx, group).await? else {
            return Ok(None);
        };
        let rows = sqlx::query("SELECT device FROM group_device WHERE group_id = $1 ORDER BY device")
            .bind(group)
            .fetch_all(&mut **tx)
            .await?;
        let devices: Result<_, sqlx::Error> = rows.iter().map(|row| Ok(Bytes(row.try_get(0)?))).collect();
        Ok(Some(GroupStatus {
            epoch,
            devices: devices?,
        }))
    }

    /// Sends an application message or a proposal to the group.
    pub(crate) async fn send(&self, message: &Outgoing<'_>) -> Result<Accepted, Problem> {
        self.again(|| self.try_send(message)).await
    }

    async fn try_send(&self, message: &Outgoing<'_>) -> Result<Accepted, Problem> {
        let mut tx = self.begin().await?;
        let sql = format!("UPDATE mls_group SET messages = messages + 1 WHERE id = $1 AND {MAY_SEND}");
        let locked = sqlx::query(&sql)
            .bind(message.group)
            .bind(message.sender)
            .bind(message.join_secret_hash.as_deref().unwrap_or_default())
            .execute(&mut *tx)
            .await?;
        if locked.rows_affected() == 0 {
            return Err(Problem::NoSuchGroup);
        }
        let current = epoch(&mut tx, message.group).await?.ok_or(Problem::NoSuchGroup)?;
        // Members keep keys of past epochs for late messages, but a proposal is of its epoch only.
        let fits = message.epoch == current || (message.kind == Kind::Application && message.epoch < current);
        if !fits {
            return Err(Problem::WrongEpoch(current));
        }
        self.lock_devices(&mut tx, message.group).await?;
        let letter = Letter {
            group: message.group,
            hash: &message.hash(),
            kind: message.kind,
            body: message.body,
            now: message.now,
        };
        let everybody = To::Before(i64::MAX, message.sender);
        let woken = self.fan_out(&mut tx, &letter, everybody).await?;
        tx.commit().await?;
        let duplicate = woken.is_none();
        self.wake.all(&woken.unwrap_or_default());
        Ok(Accepted {
            epoch: current,
            duplicate,
            ..Accepted::default()
        })
    }

    /// Takes the first Commit of an epoch, with all that goes with it, and refuses every other.
    pub(crate) async fn submit(
        &self,
        message: &Outgoing<'_>,
        commit: &Commit<'_>,
    ) -> Result<Accepted, Problem> {
        self.again(|| self.try_submit(message, commit)).await
    }

    async fn try_submit(&self, message: &Outgoing<'_>, commit: &Commit<'_>) -> Result<Accepted, Problem> {
        let (group, hash) = (message.group, message.hash());
        let (old, new) = (signed(message.epoch), signed(message.epoch.saturating_add(1)));
        let mut tx = self.begin().await?;
        // The row's lock lets one of two rivals pass; the other then finds another epoch.
        let sql = format!("UPDATE mls_group SET epoch = $5 WHERE id = $1 AND epoch = $4 AND {MAY_SEND}");
        let first = sqlx::query(&sql)
            .bind(group)
            .bind(message.sender)
            .bind(message.join_secret_hash.as_deref().unwrap_or_default())
            .bind(old)
            .bind(new)
            .execute(&mut *tx)
            .await?;
        if first.rows_affected() == 0 {
            return self.refused_or_repeated(&mut tx, message, &hash).await;
        }
        sqlx::query("INSERT INTO accepted_commit (group_id, epoch, hash) VALUES ($1, $2, $3)")
            .bind(group)
            .bind(old)
            .bind(&*hash)
            .execute(&mut *tx)
            .await?;
        sqlx::query("DELETE FROM accepted_commit WHERE group_id = $1 AND epoch < $2")
            .bind(group)
            .bind(old.saturating_sub(limits::REMEMBERED_EPOCHS))
            .execute(&mut *tx)
            .await?;
        let unknown_devices = admit(&mut tx, message, commit.added, new).await?;
        self.lock_devices(&mut tx, group).await?;
        let letter = Letter {
            group,
            hash: &hash,
            kind: Kind::Commit,
            body: message.body,
            now: message.now,
        };
        let mut woken = self
            .fan_out(&mut tx, &letter, To::Before(new, message.sender))
            .await?
            .unwrap_or_default();
        if let Some(welcome) = commit.welcome {
            let invitation = Letter {
                hash: &self::hash(group, welcome),
                kind: Kind::Welcome,
                body: welcome,
                ..letter
            };
            let invited = self
                .fan_out(&mut tx, &invitation, To::Since(new, message.sender))
                .await?;
            woken.extend(invited.unwrap_or_default());
        }
        dismiss(&mut tx, group, commit.removed, new).await?;
        self.replace_group_info(&mut tx, group, commit.group_info).await?;
        if let Some(join_secret_hash) = commit.join_secret_hash {
            sqlx::query("UPDATE mls_group SET join_secret_hash = $2 WHERE id = $1")
                .bind(group)
                .bind(join_secret_hash)
                .execute(&mut *tx)
                .await?;
        }
        delete_if_empty(&mut tx, group).await?;
        tx.commit().await?;
        self.wake.all(&woken);
        Ok(Accepted {
            epoch: unsigned(new),
            duplicate: false,
            unknown_devices,
        })
    }

    async fn refused_or_repeated(
        &self,
        tx: &mut Transaction,
        message: &Outgoing<'_>,
        hash: &[u8],
    ) -> Result<Accepted, Problem> {
        let repeated =
            sqlx::query("SELECT 1 FROM accepted_commit WHERE group_id = $1 AND epoch = $2 AND hash = $3")
                .bind(message.group)
                .bind(signed(message.epoch))
                .bind(hash)
                .fetch_optional(&mut **tx)
                .await?;
        let sql = format!("SELECT 1 FROM mls_group WHERE id = $1 AND {MAY_SEND}");
        let may_send = sqlx::query(&sql)
            .bind(message.group)
            .bind(message.sender)
            .bind(message.join_secret_hash.as_deref().unwrap_or_default())
            .fetch_optional(&mut **tx)
            .await?;
        match (epoch(tx, message.group).await?, repeated, may_send) {
            // Only who made the Commit or received it has these bytes.
            (Some(epoch), Some(_), _) => Ok(Accepted {
                epoch,
                duplicate: true,
                ..Accepted::default()
            }),
            (Some(epoch), None, Some(_)) => Err(Problem::WrongEpoch(epoch)),
            _ => Err(Problem::NoSuchGroup),
        }
    }

    /// Takes a device off a group's list. A group without devices is deleted.
    pub(crate) async fn leave_group(&self, device: &[u8], group: &[u8]) -> Result<(), Problem> {
        self.again(|| async {
            let mut tx = self.begin().await?;
            let left = self.leave(&mut tx, group, device).await?;
            tx.commit().await?;
            if left { Ok(()) } else { Err(Problem::NoSuchGroup) }
        })
        .await
    }

    pub(super) async fn leave(
        &self,
        tx: &mut Transaction,
        group: &[u8],
        device: &[u8],
    ) -> Result<bool, Problem> {
        sqlx::query("UPDATE mls_group SET messages = messages + 1 WHERE id = $1")
            .bind(group)
            .execute(&mut **tx)
            .await?;
        let left = sqlx::query("DELETE FROM group_device WHERE group_id = $1 AND device = $2")
            .bind(group)
            .bind(device)
            .execute(&mut **tx)
            .await?;
        delete_if_empty(tx, group).await?;
        Ok(left.rows_affected() > 0)
    }
}

/// `$1` is the group, `$2` the device, `$3` the hash of a join secret or nothing.
const MAY_SEND: &str = "(EXISTS (SELECT 1 FROM group_device WHERE group_id = $1 AND device = $2)
    OR (join_secret_hash = $3 AND LENGTH(join_secret_hash) > 0))";

async fn epoch(tx: &mut Transaction, group: &[u8]) -> Result<Option<u64>, Problem> {
    let row = sqlx::query("SELECT epoch FROM mls_group WHERE id = $1")
        .bind(group)
        .fetch_optional(&mut **tx)
        .await?;
    let epoch: Option<i64> = row.map(|row| row.try_get(0)).transpose()?;
    Ok(epoch.map(unsigned))
}

/// Puts the added devices on the list, and a sender who was not on it: that is who joined by itself. Returns those that are not
/// registered.
async fn admit(
    tx: &mut Transaction,
    message: &Outgoing<'_>,
    added: &[Bytes],
    new_epoch: i64,
) -> Result<Vec<Bytes>, Problem> {
    let mut unknown = Vec::new();
    for chunk in added.chunks(CHUNK) {
        let sql = format!(
            "INSERT INTO group_device (group_id, device, since) SELECT $1, id, $2 FROM device WHERE id IN ({})
             ON CONFLICT (group_id, device) DO UPDATE SET since = excluded.since",
            placeholders(3, chunk.len())
        );
        let mut query = sqlx::query(&sql).bind(message.group).bind(new_epoch);
        for device in chunk {
            query = query.bind(&*device.0);
        }
        query.execute(&mut **tx).await?;
        let sql = format!(
            "SELECT id FROM device WHERE id IN ({})",
            placeholders(1, chunk.len())
        );
        let mut query = sqlx::query(&sql);
        for device in chunk {
            query = query.bind(&*device.0);
        }
        let known: Result<Vec<Vec<u8>>, sqlx::Error> = query
            .fetch_all(&mut **tx)
            .await?
            .iter()
            .map(|row| row.try_get(0))
            .collect();
        let known = known?;
        unknown.extend(chunk.iter().filter(|device| !known.contains(&device.0)).cloned());
    }
    let sql = "INSERT INTO group_device (group_id, device, since) VALUES ($1, $2, $3)
        ON CONFLICT (group_id, device) DO NOTHING";
    sqlx::query(sql)
        .bind(message.group)
        .bind(message.sender)
        .bind(new_epoch)
        .execute(&mut **tx)
        .await?;
    Ok(unknown)
}

/// Takes the removed devices off the list, unless the same Commit has added them again.
async fn dismiss(
    tx: &mut Transaction,
    group: &[u8],
    removed: &[Bytes],
    new_epoch: i64,
) -> Result<(), Problem> {
    for chunk in removed.chunks(CHUNK) {
        let sql = format!(
            "DELETE FROM group_device WHERE group_id = $1 AND since < $2 AND device IN ({})",
            placeholders(3, chunk.len())
        );
        let mut query = sqlx::query(&sql).bind(group).bind(new_epoch);
        for device in chunk {
            query = query.bind(&*device.0);
        }
        query.execute(&mut **tx).await?;
    }
    Ok(())
}

async fn delete_if_empty(tx: &mut Transaction, group: &[u8]) -> Result<(), Problem> {
    let sql =
        "DELETE FROM mls_group WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM group_device WHERE group_id = $1)";
    sqlx::query(sql).bind(group).execute(&mut **tx).await?;
    Ok(())
}
