//! What can be seen of a group.

use openmls::group::{GroupId, MlsGroup};

use super::{
    outcome::{CommitInfo, MemberInfo, ProposalInfo},
    staged, summary, with_current_epoch,
};
use crate::{
    error::Error,
    extension::{self, ExtensionInfo},
    storage::{Call, ReadTx, early_messages},
};

/// A group at one moment.
pub(crate) struct GroupView {
    pub(crate) epoch: u64,
    pub(crate) ciphersuite: u16,
    pub(crate) identity: Vec<u8>,
    pub(crate) own_leaf_index: u32,
    pub(crate) is_active: bool,
    pub(crate) has_pending_commit: bool,
    pub(crate) staged_commit: Option<CommitInfo>,
    pub(crate) rejected_epoch: Option<u64>,
    pub(crate) fork_suspected: bool,
    pub(crate) early_messages: u64,
    pub(crate) pending_proposals: Vec<ProposalInfo>,
    pub(crate) extensions: Vec<ExtensionInfo>,
    pub(crate) epoch_authenticator: Vec<u8>,
}

pub(crate) fn view(call: &mut Call<'_, ReadTx<'_>>, id: &GroupId) -> Result<GroupView, Error> {
    with_current_epoch(call, id, |live| {
        let group = &live.group;
        Ok(GroupView {
            epoch: group.epoch().as_u64(),
            ciphersuite: group.ciphersuite().into(),
            identity: live.record.identity.clone(),
            own_leaf_index: group.own_leaf_index().u32(),
            is_active: group.is_active(),
            has_pending_commit: group.pending_commit().is_some(),
            staged_commit: staged::summary(live.tx, id)?,
            rejected_epoch: live.record.rejected_epoch,
            fork_suspected: live.record.fork_suspected,
            early_messages: early_messages::usage(live.tx, Some(id))?.messages,
            pending_proposals: pending_proposals(group),
            extensions: extension::infos(group.extensions().iter())?,
            epoch_authenticator: group.epoch_authenticator().as_slice().to_vec(),
        })
    })
}

/// The members in leaf order. A removed device sees the tree as it was when it was removed.
pub(crate) fn members(call: &mut Call<'_, ReadTx<'_>>, id: &GroupId) -> Result<Vec<MemberInfo>, Error> {
    with_current_epoch(call, id, |live| {
        Ok(live.group.members().map(summary::member).collect())
    })
}

fn pending_proposals(group: &MlsGroup) -> Vec<ProposalInfo> {
    group
        .pending_proposals()
        .filter_map(|queued| {
            Some(summary::proposal(
                group,
                queued,
                summary::proposer(group, queued)?,
            ))
        })
        .collect()
}
