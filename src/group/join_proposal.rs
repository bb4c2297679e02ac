//! Asking the members of a group to be added (RFC 9420, section 12.1.8).

use openmls::{
    group::{GroupId, ProposalError},
    prelude::{JoinProposal, KeyPackageRef},
};

use super::{Context, create};
use crate::{
    error::{ArgumentProblem, Error},
    keys::{identity, key_package},
    policy,
    storage::{Call, WriteTx, groups, openmls::OpenMlsStorage},
};

/// Makes a key package and a proposal to add its owner, signed with its key, for members of whom nothing is known here
/// but their group and its epoch.
pub(crate) fn propose(
    call: &mut Call<'_, WriteTx<'_>>,
    context: &Context,
    identity: &[u8],
    (id, epoch): (GroupId, u64),
    options: &key_package::Options,
) -> Result<(Vec<u8>, KeyPackageRef), Error> {
    let id = create::checked(id)?;
    if epoch > policy::MAX_JOINED_EPOCH {
        return Err(Error::Argument {
            argument: "epoch",
            problem: ArgumentProblem::OutOfRange,
        });
    }
    if groups::get(&call.tx, &id)?.is_some_and(|group| group.is_active && group.rejected_epoch.is_none()) {
        return Err(Error::GroupAlreadyExists);
    }
    let identity = identity::get(&call.tx, identity)?;
    let (key_package, reference) =
        key_package::create_to_propose(call, &context.lifetimes, &identity, options)?;
    let proposal = JoinProposal::new::<OpenMlsStorage<'_>>(key_package, id, epoch.into(), &identity.signer)
        .map_err(ProposalError::from)?;
    Ok((proposal.to_bytes()?, reference))
}
