//! What those who join by themselves need.

use mls_delivery_client::wire::{Bytes, PublishedGroupInfo};
use sqlx::Row as _;

use super::{Store, Transaction, signed};
use crate::problem::Problem;

impl Store {
    /// Stores the GroupInfo of the group's present epoch, from one of its devices.
    pub(crate) async fn publish_group_info(
        &self,
        device: &[u8],
        group: &[u8],
        epoch: u64,
        info: &PublishedGroupInfo,
    ) -> Result<(), Problem> {
        self.again(|| async {
            let sql =
                "UPDATE mls_group SET group_info = $4, sealed_ratchet_tree = $5 WHERE id = $1 AND epoch = $3
                AND EXISTS (SELECT 1 FROM group_device WHERE group_id = $1 AND device = $2)";
            let done = sqlx::query(sql)
                .bind(group)
                .bind(device)
                .bind(signed(epoch))
                .bind(&*info.group_info.0)
                .bind(tree(info))
                .execute(&self.pool)
                .await?;
            if done.rows_affected() == 1 {
                return Ok(());
            }
            // Also says so if this is no device of the group.
            let status = self.status(device, group).await?;
            Err(Problem::WrongEpoch(status.epoch))
        })
        .await
    }

    /// Replaces the GroupInfo of the epoch that has ended, by nothing if there is no other yet.
    pub(super) async fn replace_group_info(
        &self,
        tx: &mut Transaction,
        group: &[u8],
        info: Option<&PublishedGroupInfo>,
    ) -> Result<(), Problem> {
        sqlx::query("UPDATE mls_group SET group_info = $2, sealed_ratchet_tree = $3 WHERE id = $1")
            .bind(group)
            .bind(info.map_or(&[][..], |info| &info.group_info.0))
            .bind(info.map_or(&[][..], tree))
            .execute(&mut **tx)
            .await?;
        Ok(())
    }

    /// For devices of the group, and for who has its join secret.
    pub(crate) async fn group_info(
        &self,
        device: &[u8],
        join_secret_hash: Option<&[u8]>,
        group: &[u8],
    ) -> Result<PublishedGroupInfo, Problem> {
        let sql = "SELECT group_info, sealed_ratchet_tree FROM mls_group WHERE id = $1
            AND (EXISTS (SELECT 1 FROM group_device WHERE group_id = $1 AND device = $2)
                OR (join_secret_hash = $3 AND LENGTH(join_secret_hash) > 0))";
        let row = sqlx::query(sql)
            .bind(group)
            .bind(device)
            .bind(join_secret_hash.unwrap_or_default())
            .fetch_optional(&self.pool)
            .await?
            .ok_or(Problem::NoSuchGroup)?;
        let (group_info, tree): (Vec<u8>, Vec<u8>) = (row.try_get(0)?, row.try_get(1)?);
        if group_info.is_empty() {
            return Err(Problem::NoGroupInfo);
        }
        Ok(PublishedGroupInfo {
            group_info: Bytes(group_info),
            sealed_ratchet_tree: (!tree.is_empty()).then_some(Bytes(tree)),
        })
    }
}

fn tree(info: &PublishedGroupInfo) -> &[u8] {
    info.sealed_ratchet_tree.as_ref().map_or(&[], |tree| &tree.0)
}
