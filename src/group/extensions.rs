//! The GroupContext's extensions (RFC 9420, section 12.1.7): taken from the app, checked, shown.

use std::{cell::RefCell, collections::HashSet};

use openmls::{
    group::{GroupContext, GroupId, MlsGroup, StagedCommit},
    prelude::{
        Capabilities, ExtensionType, Extensions, InvalidExtensionError, LeafNode, Proposal, ProposalType,
        Sender,
    },
};

use super::{outcome::NewMemberInfo, summary, with_current_epoch};
use crate::{
    error::{ArgumentProblem, Error, MessageError},
    extension::{self, ExtensionInfo, is_default},
    policy,
    storage::{Call, ReadTx},
};

/// The servers that may propose (RFC 9420, section 12.1.8.1), in the order of their index.
pub(crate) fn external_senders(
    call: &mut Call<'_, ReadTx<'_>>,
    id: &GroupId,
) -> Result<Vec<NewMemberInfo>, Error> {
    with_current_epoch(call, id, |live| {
        let senders = live.group.extensions().external_senders();
        Ok(senders
            .into_iter()
            .flatten()
            .filter_map(summary::external_sender)
            .collect())
    })
}

/// What the app gives, if a GroupContext can hold it.
pub(super) fn parse(extensions: &[ExtensionInfo]) -> Result<Extensions<GroupContext>, Error> {
    let length: usize = extensions.iter().map(|(_, data)| data.len()).sum();
    if length > policy::MAX_DATA {
        return Err(problem(ArgumentProblem::TooLong));
    }
    let parsed = extensions
        .iter()
        .map(|given| extension::parse(ARGUMENT, given))
        .collect::<Result<_, _>>()?;
    Extensions::from_vec(parsed).map_err(|error| {
        problem(match error {
            InvalidExtensionError::Duplicate => ArgumentProblem::Duplicate,
            _ => ArgumentProblem::OutOfRange,
        })
    })
}

/// Whether every member supports them, and has what a new list of required capabilities asks for (RFC 9420, sections
/// 11.1 and 12.1.7). OpenMLS looks at required extension types only.
pub(super) fn check_supported(group: &MlsGroup, extensions: &Extensions<GroupContext>) -> Result<(), Error> {
    // OpenMLS wants others in the required capabilities too, and its members refuse a Commit without.
    let required = extensions
        .required_capabilities()
        .map_or(&[][..], |required| required.extension_types());
    let all_required = extensions.iter().all(|extension| {
        let kind = extension.extension_type();
        is_default(kind) || required.contains(&kind)
    });
    if all_required && all_list(group, |listed| meets(listed, extensions)) {
        Ok(())
    } else {
        Err(problem(ArgumentProblem::Unsupported))
    }
}

/// Whether a leaf that lists these capabilities may be in a group with these extensions: it supports each of them, and
/// has what they require (RFC 9420, sections 7.3 and 11.1).
pub(super) fn meets(listed: &Capabilities, extensions: &Extensions<GroupContext>) -> bool {
    let supports_all = extensions
        .iter()
        .all(|extension| has_extension(listed, extension.extension_type()));
    let has_required = extensions.required_capabilities().is_none_or(|required| {
        let mut extensions = required.extension_types().iter();
        let mut proposals = required.proposal_types().iter();
        let mut credentials = required.credential_types().iter();
        extensions.all(|kind| has_extension(listed, *kind))
            && proposals.all(|kind| has_proposal(listed, *kind))
            && credentials.all(|kind| listed.credentials().contains(kind))
    });
    supports_all && has_required
}

/// Refuses a received Commit after which somebody would be in the group who does not support its new extensions (RFC 9420,
/// section 12.1.7). OpenMLS looks at required extension types only, and lets nobody whose leaf lacks anything commit again.
pub(super) fn check_commit(
    group: &MlsGroup,
    staged: &StagedCommit,
    committer: &Sender,
) -> Result<(), MessageError> {
    let extensions = staged.group_context().extensions();
    if extensions == group.extensions() {
        return Ok(());
    }
    // Leaves that are removed or replaced, and those that come in their place or new.
    let mut gone = HashSet::new();
    let mut new: Vec<&LeafNode> = staged.update_path_leaf_node().into_iter().collect();
    if let (Sender::Member(leaf_index), false) = (committer, new.is_empty()) {
        gone.insert(*leaf_index);
    }
    for queued in staged.queued_proposals() {
        match (queued.proposal(), queued.sender()) {
            (Proposal::Remove(remove), _) => {
                gone.insert(remove.removed());
            }
            (Proposal::SelfRemove, Sender::Member(leaf_index)) => {
                gone.insert(*leaf_index);
            }
            (Proposal::Update(update), Sender::Member(leaf_index)) => {
                gone.insert(*leaf_index);
                new.push(update.leaf_node());
            }
            (Proposal::Add(add), _) => new.push(add.key_package().leaf_node()),
            _ => {}
        }
    }
    let meets = |leaf_node: &LeafNode| meets(leaf_node.capabilities(), extensions);
    let stay = group.treesync().full_leaves();
    let mut stay = stay.filter(|(leaf_index, _)| !gone.contains(leaf_index));
    if new.into_iter().all(meets) && stay.all(|(_, leaf_node)| meets(leaf_node)) {
        Ok(())
    } else {
        Err(MessageError::ExtensionsUnsupported)
    }
}

/// Whether every member could stay if a queued proposal were committed alone.
pub(super) fn is_for_all(group: &MlsGroup, proposal: &Proposal) -> bool {
    match proposal {
        Proposal::GroupContextExtensions(change) => {
            all_list(group, |listed| meets(listed, change.extensions()))
        }
        _ => true,
    }
}

/// The new leaves and the new extensions of one Commit, which OpenMLS holds each to what was before (RFC 9420, section
/// 12.1.7).
#[derive(Default)]
pub(super) struct NewTogether {
    leaves: RefCell<Vec<Capabilities>>,
    extensions: RefCell<Option<Extensions<GroupContext>>>,
}

impl NewTogether {
    pub(super) fn see(&self, proposal: &Proposal) {
        let leaf_node = match proposal {
            Proposal::Add(add) => add.key_package().leaf_node(),
            Proposal::Update(update) => update.leaf_node(),
            Proposal::GroupContextExtensions(replaced) => {
                self.extensions.replace(Some(replaced.extensions().clone()));
                return;
            }
            _ => return,
        };
        self.leaves.borrow_mut().push(leaf_node.capabilities().clone());
    }

    /// Whether each of the leaves may be in a group with these extensions.
    pub(super) fn fit(&self) -> bool {
        let extensions = self.extensions.borrow();
        let leaves = self.leaves.borrow();
        extensions
            .as_ref()
            .is_none_or(|extensions| leaves.iter().all(|listed| meets(listed, extensions)))
    }
}

/// Whether every member's capabilities list what a predicate looks for.
pub(super) fn all_list(group: &MlsGroup, lists: impl Fn(&Capabilities) -> bool) -> bool {
    group.members().all(|member| {
        let leaf_node = group.public_group().leaf(member.index);
        leaf_node.is_some_and(|leaf_node| lists(leaf_node.capabilities()))
    })
}

fn has_extension(capabilities: &Capabilities, kind: ExtensionType) -> bool {
    is_default(kind) || capabilities.extensions().contains(&kind)
}

pub(super) fn has_proposal(capabilities: &Capabilities, kind: ProposalType) -> bool {
    (1..=7).contains(&u16::from(kind)) || capabilities.proposals().contains(&kind)
}

const ARGUMENT: &str = "extensions";

fn problem(problem: ArgumentProblem) -> Error {
    Error::Argument {
        argument: ARGUMENT,
        problem,
    }
}
