//! Own Commits that change several things at once: members swapped, the GroupContext's extensions replaced.

use openmls::{
    group::GroupId,
    prelude::{KeyPackage, LeafNodeIndex},
};

use super::{
    Context,
    commit::{Outsiders, check_key_package, check_leaf_indices, check_members, commit, parse_key_packages},
    extensions, with_group,
};
use crate::{
    error::{ArgumentProblem, Error},
    extension::ExtensionInfo,
    storage::{Call, WriteTx, pending::PendingCommitRecord},
};

/// Removes members and adds others, in one Commit with all queued proposals. A device that lost its state comes back
/// so under the same signature key, which two Commits could not tell from a second member.
pub(crate) fn swap_members(
    call: &mut Call<'_, WriteTx<'_>>,
    context: &Context,
    id: &GroupId,
    remove: &[u32],
    add: &[Vec<u8>],
) -> Result<PendingCommitRecord, Error> {
    check_leaf_indices("remove", remove)?;
    let key_packages: Vec<KeyPackage> = parse_key_packages(context, "add", add)?;
    with_group(call, id, |live| {
        check_members(&live.group, remove)?;
        if remove.contains(&live.group.own_leaf_index().u32()) {
            return Err(Error::Argument {
                argument: "remove",
                problem: ArgumentProblem::OutOfRange,
            });
        }
        for key_package in &key_packages {
            check_key_package(context, live, key_package)?;
        }
        commit(live, context, None, Outsiders::LeaveOut, |builder| {
            Ok(builder
                .propose_removals(remove.iter().copied().map(LeafNodeIndex::new))
                .propose_adds(key_packages.iter().cloned()))
        })
    })
}

/// Replaces the GroupContext's extensions, all of them, in one Commit with all queued proposals.
pub(crate) fn update_group_context_extensions(
    call: &mut Call<'_, WriteTx<'_>>,
    context: &Context,
    id: &GroupId,
    extensions: &[ExtensionInfo],
) -> Result<PendingCommitRecord, Error> {
    let extensions = extensions::parse(extensions)?;
    with_group(call, id, |live| {
        extensions::check_supported(&live.group, &extensions)?;
        commit(live, context, None, Outsiders::LeaveOut, |builder| {
            builder.propose_group_context_extensions(extensions.clone())
        })
    })
}
