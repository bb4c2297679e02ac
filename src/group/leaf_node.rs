//! Leaf nodes in a group: the own one replaced, those of all members shown (RFC 9420, section 7).

use openmls::{
    group::{GroupId, MlsGroup, MlsGroupStateError},
    prelude::{Capabilities, Credential, LeafNode, LeafNodeParameters},
};

use super::{Live, check_in_step, extensions::meets, with_current_epoch};
use crate::{
    error::{ArgumentProblem, Error},
    keys::{
        identity::Identity,
        leaf_node::{LeafNodeOptions, LeafNodeView, Supported},
    },
    storage::{Call, ReadTx, WriteTx},
};

/// A new content of the own leaf. OpenMLS does not check that the others can accept it (section 7.3): the Commit would
/// be made, refused by everybody else, and merged by us alone.
pub(super) fn own(
    live: &Live<'_, WriteTx<'_>>,
    new_identity: Option<&Identity>,
    options: Option<&LeafNodeOptions>,
) -> Result<Option<LeafNodeParameters>, Error> {
    let Some(options) = options else {
        return Ok(None);
    };
    check_in_step(live)?;
    let credential = match new_identity {
        Some(identity) => &identity.credential,
        None => own_credential(&live.group)?,
    };
    let content = options.content(credential.credential_type())?;
    if !lists_credentials(&content.capabilities, &live.group)
        || !meets(&content.capabilities, live.group.extensions())
    {
        return Err(Error::Argument {
            argument: "leaf_node",
            problem: ArgumentProblem::Unsupported,
        });
    }
    Ok(Some(content.parameters()))
}

/// Whether these capabilities list the type of every member's credential, as each leaf must (section 7.3).
pub(super) fn lists_credentials(capabilities: &Capabilities, group: &MlsGroup) -> bool {
    let listed = capabilities.credentials();
    group
        .members()
        .all(|member| listed.contains(&member.credential.credential_type()))
}

fn own_credential(group: &MlsGroup) -> Result<&Credential, Error> {
    let leaf_node = group
        .own_leaf_node()
        .ok_or(MlsGroupStateError::UseAfterEviction)?;
    Ok(leaf_node.credential())
}

/// What each member's leaf says, in leaf order.
pub(crate) fn list(call: &mut Call<'_, ReadTx<'_>>, id: &GroupId) -> Result<Vec<(u32, LeafNodeView)>, Error> {
    with_current_epoch(call, id, |live| {
        let leaf_nodes = live.group.treesync().full_leaves();
        leaf_nodes
            .map(|(index, leaf_node)| Ok((index.u32(), leaf_node.try_into()?)))
            .collect()
    })
}

/// What every member lists.
pub(crate) fn supported_by_all(call: &mut Call<'_, ReadTx<'_>>, id: &GroupId) -> Result<Supported, Error> {
    with_current_epoch(call, id, |live| {
        let mut leaf_nodes = live.group.treesync().full_leaves();
        let (_, first) = leaf_nodes.next().ok_or(MlsGroupStateError::UseAfterEviction)?;
        let listed = |leaf_node: &LeafNode| Supported::from(leaf_node.capabilities());
        Ok(leaf_nodes.fold(listed(first), |common, (_, leaf_node)| {
            common.and(&listed(leaf_node))
        }))
    })
}
