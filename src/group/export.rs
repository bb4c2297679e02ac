//! Secrets for the app (RFC 9420, section 8.5).

use openmls::group::GroupId;
use openmls_traits::OpenMlsProvider;

use super::with_group;
use crate::{
    error::{ArgumentProblem, Error},
    message, policy,
    storage::{Call, ReadTx},
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
    with_group(call, id, |live| {
        live.group
            .export_secret(live.provider.crypto(), label, context, length as usize)
            .map_err(Into::into)
    })
}

/// The same for every member of the epoch, and different for every other epoch (RFC 9420, section 8.7).
pub(crate) fn epoch_authenticator(call: &mut Call<'_, ReadTx<'_>>, id: &GroupId) -> Result<Vec<u8>, Error> {
    with_group(call, id, |live| {
        Ok(live.group.epoch_authenticator().as_slice().to_vec())
    })
}
