//! Live groups, kept between calls while nobody else has written to the file.

use std::sync::Arc;

use hashlink::LruCache;
use openmls::group::{GroupEpoch, GroupId, MlsGroup};

use super::{fault, groups::GroupRecord, secret_parts::HeldSecrets, tree_parts::StoredTree, tx::ReadTx};
use crate::tree_hashes::TreeHashes;

/// Groups kept in memory, by the leaves of their trees: with three past epochs a leaf takes about 3 KB, and an iOS
/// extension has 24 MB in all.
const BUDGET: usize = 2560;
/// What the smallest group counts for: secrets and settings that do not depend on its size.
const LEAST: usize = 16;

/// A group in memory, as its rows were when it was read.
pub(crate) struct LiveGroup {
    pub(crate) mls: MlsGroup,
    pub(crate) record: GroupRecord,
    /// Whether the batch that runs holds back message secrets of this group (`group/deferred.rs`).
    pub(crate) is_ahead: bool,
    /// What the group counts for, and in which epoch that was found: counting takes time.
    pub(crate) counted: Option<(GroupEpoch, usize)>,
    /// How it stands to the rows of its message secrets, and whether it has all of them.
    pub(crate) secrets: HeldSecrets,
    /// What the rows hold of its ratchet tree, if that is known.
    pub(crate) tree: Option<StoredTree>,
    /// Hashes of its nodes.
    pub(crate) tree_hashes: Arc<TreeHashes>,
}

impl LiveGroup {
    /// A group whose rows hold what it holds, as far as the transaction that has read or written them knows.
    pub(crate) fn new(tx: &ReadTx<'_>, mls: MlsGroup, record: GroupRecord) -> Self {
        Self {
            mls,
            record,
            is_ahead: false,
            counted: None,
            secrets: tx.take_secrets(),
            tree: tx.take_tree(),
            tree_hashes: Arc::default(),
        }
    }

    fn leaves(&mut self) -> usize {
        let epoch = self.mls.epoch();
        match self.counted {
            Some((then, leaves)) if then == epoch => leaves,
            _ => {
                self.tree_hashes.end_epoch();
                let leaves = self.mls.treesync().full_leaves().count().max(LEAST);
                self.counted = Some((epoch, leaves));
                leaves
            }
        }
    }
}

pub(crate) struct GroupCache {
    groups: LruCache<GroupId, LiveGroup>,
    /// What all groups count for together.
    leaves: usize,
    /// SQLite's counter of commits by other connections when the groups were read; it means something within one
    /// connection only, so a new connection starts with a new cache.
    data_version: Option<i64>,
}

impl GroupCache {
    pub(crate) fn new() -> Self {
        Self {
            groups: LruCache::new_unbounded(),
            leaves: 0,
            data_version: None,
        }
    }

    /// Whether another connection wrote since [`Self::set_data_version`], by the counter that a transaction reads.
    pub(crate) fn is_outdated(&self, data_version: i64) -> bool {
        self.data_version != Some(data_version)
    }

    pub(crate) fn set_data_version(&mut self, data_version: i64) {
        self.data_version = Some(data_version);
    }

    /// For a new connection: its counter starts anew.
    pub(crate) fn reset(&mut self) {
        self.clear();
        self.data_version = None;
    }

    /// Takes a group out, so that a call that fails while it holds the group drops it.
    pub(crate) fn take(&mut self, id: &GroupId) -> Option<LiveGroup> {
        let group = self.groups.remove(id)?;
        Some(self.taken(group))
    }

    /// Puts a group in, whatever its size: room is made when the call can do without the others.
    pub(crate) fn put(&mut self, mut group: LiveGroup) {
        let id = group.record.group_id.clone();
        self.take(&id);
        self.leaves += group.leaves();
        self.groups.insert(id, group);
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut LiveGroup> {
        self.groups.iter_mut().map(|(_, group)| group)
    }

    /// Takes out the group that was used longest ago if the groups are too much together. One may always stay.
    pub(crate) fn take_over_budget(&mut self) -> Option<LiveGroup> {
        if self.leaves <= fault::budget(BUDGET) || self.groups.len() <= 1 {
            return None;
        }
        let (_, group) = self.groups.remove_lru()?;
        Some(self.taken(group))
    }

    /// Forgets groups until the others fit. None may be ahead of its rows.
    pub(crate) fn make_room(&mut self) {
        while self.take_over_budget().is_some() {}
    }

    pub(crate) fn clear(&mut self) {
        self.groups.clear();
        self.leaves = 0;
    }

    fn taken(&mut self, group: LiveGroup) -> LiveGroup {
        // As it was counted when it was put in.
        self.leaves -= group.counted.map_or(0, |(_, leaves)| leaves);
        group
    }
}
