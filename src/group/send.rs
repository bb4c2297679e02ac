//! Application messages out (RFC 9420, section 6).

use openmls::group::GroupId;

use super::{Live, check_in_step, past_epochs, with_group};
use crate::{
    error::Error,
    keys::identity,
    message, policy,
    storage::{Call, WriteTx},
};

/// Encrypts `plaintext`. `authenticated_data` travels in clear, but nobody can change it.
pub(crate) fn create_message(
    call: &mut Call<'_, WriteTx<'_>>,
    id: &GroupId,
    plaintext: &[u8],
    authenticated_data: Vec<u8>,
) -> Result<Vec<u8>, Error> {
    check_lengths(plaintext, &authenticated_data)?;
    with_group(call, id, |live| {
        check_in_step(live)?;
        past_epochs::expire(live)?;
        create(live, plaintext, authenticated_data)
    })
}

pub(super) fn check_lengths(plaintext: &[u8], authenticated_data: &[u8]) -> Result<(), Error> {
    message::check_length("plaintext", plaintext, policy::MAX_PLAINTEXT)?;
    message::check_length("authenticated_data", authenticated_data, policy::MAX_DATA)
}

pub(super) fn create(
    live: &mut Live<'_, WriteTx<'_>>,
    plaintext: &[u8],
    authenticated_data: Vec<u8>,
) -> Result<Vec<u8>, Error> {
    let signer = identity::get(live.tx, &live.record.identity)?.signer;
    live.group.set_aad(authenticated_data);
    let message = live.group.create_message(&live.provider, &signer, plaintext)?;
    message.to_bytes().map_err(Into::into)
}
