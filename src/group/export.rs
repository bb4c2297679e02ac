//! What a group gives out: secrets for the app, and what others need to join.

use openmls::group::GroupId;
use openmls_traits::OpenMlsProvider;
use tls_codec::Serialize as _;

use super::{Live, check_active, with_current_epoch};
use crate::{
    crypto::crypto,
    error::{ArgumentProblem, Error},
    keys::identity,
    message, policy,
    storage::{Call, ReadTx, WriteTx},
};

/// Derives a secret that every member of this epoch derives for the same label, context and length.
pub(crate) fn export_secret(
    call: &mut Call<'_, ReadTx<'_>>,
    id: &GroupId,
    label: &str,
    context: &[u8],
    length: u32,
) -> Result<Vec<u8>, Error> {
    message::check_length("label", label.as_bytes(), policy::MAX_DATA)?;
    message::check_length("context", context, policy::MAX_DATA)?;
    if length == 0 || length > policy::MAX_EXPORT {
        return Err(Error::Argument {
            argument: "length",
            problem: ArgumentProblem::OutOfRange,
        });
    }
    // Not the group's own provider, which remembers hashes: one of the app's context would be kept as if it were a node's.
    let crypto = crypto()?;
    with_current_epoch(call, id, |live| {
        live.group
            .export_secret(crypto, label, context, length as usize)
            .map_err(Into::into)
    })
}

/// The component's secret of this epoch, once: it is deleted in this transaction (draft-ietf-mls-extensions).
pub(crate) fn safe_export_secret(
    call: &mut Call<'_, WriteTx<'_>>,
    id: &GroupId,
    component_id: u16,
) -> Result<Vec<u8>, Error> {
    with_current_epoch(call, id, |live| {
        // The tree from which the secret could be derived again must not stay in the log.
        live.tx.erase();
        let Live { group, provider, .. } = live;
        group
            .safe_export_secret(provider.crypto(), provider.storage(), component_id)
            .map_err(Into::into)
    })
}

/// The same for every member of the epoch, and different for every other epoch (RFC 9420, section 8.7).
pub(crate) fn epoch_authenticator(call: &mut Call<'_, ReadTx<'_>>, id: &GroupId) -> Result<Vec<u8>, Error> {
    with_current_epoch(call, id, |live| {
        Ok(live.group.epoch_authenticator().as_slice().to_vec())
    })
}

/// The ratchet tree as it travels beside a Welcome or GroupInfo that does not carry it (RFC 9420, section 12.4.3.3).
pub(crate) fn export_ratchet_tree(call: &mut Call<'_, ReadTx<'_>>, id: &GroupId) -> Result<Vec<u8>, Error> {
    with_current_epoch(call, id, |live| {
        check_active(&live.group)?;
        live.group
            .export_ratchet_tree()
            .tls_serialize_detached()
            .map_err(Into::into)
    })
}

/// A signed GroupInfo of this epoch (RFC 9420, section 12.4.3), for those who join by themselves.
pub(crate) fn export_group_info(
    call: &mut Call<'_, ReadTx<'_>>,
    id: &GroupId,
    with_ratchet_tree: bool,
) -> Result<Vec<u8>, Error> {
    with_current_epoch(call, id, |live| {
        check_active(&live.group)?;
        let signer = identity::get(live.tx, &live.record.identity)?.signer;
        let message = live
            .group
            .export_group_info(live.provider.crypto(), &signer, with_ratchet_tree)?;
        message.to_bytes().map_err(Into::into)
    })
}
