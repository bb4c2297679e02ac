//! Live groups, kept between calls while nobody else has written to the file.

use hashlink::LruCache;
use openmls::group::{GroupId, MlsGroup};

use super::groups::GroupRecord;

/// Groups kept in memory. A group of 1000 members takes about 3 MB, and an iOS extension has 24 MB in all.
const CAPACITY: usize = 4;

/// A group in memory, as its rows were when it was read.
pub(crate) struct LiveGroup {
    pub(crate) mls: MlsGroup,
    pub(crate) record: GroupRecord,
}

pub(crate) struct GroupCache {
    groups: LruCache<GroupId, LiveGroup>,
    /// SQLite's counter of commits by other connections when the groups were read; it means something within one
    /// connection only, so a new connection starts with a new cache.
    data_version: Option<i64>,
}

impl GroupCache {
    pub(crate) fn new() -> Self {
        Self {
            groups: LruCache::new(CAPACITY),
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
        self.groups.clear();
        self.data_version = None;
    }

    /// Takes a group out, so that a call that fails while it holds the group drops it.
    pub(crate) fn take(&mut self, id: &GroupId) -> Option<LiveGroup> {
        self.groups.remove(id)
    }

    pub(crate) fn put(&mut self, group: LiveGroup) {
        self.groups.insert(group.record.group_id.clone(), group);
    }

    pub(crate) fn clear(&mut self) {
        self.groups.clear();
    }
}
