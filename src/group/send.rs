//! Application messages out (RFC 9420, section 6).

use openmls::group::{GroupId, MlsGroupJoinConfig};

use super::{Live, check_in_step, past_epochs, with_epochs};
use crate::{
    error::Error,
    keys::identity,
    message, padding, policy,
    storage::{Call, WriteTx, groups::GroupRecord, openmls::Transaction as _, secret_parts::Touched},
};

/// Encrypts `plaintext`. `authenticated_data` travels in clear, but nobody can change it.
pub(crate) fn create_message(
    call: &mut Call<'_, WriteTx<'_>>,
    id: &GroupId,
    plaintext: &[u8],
    authenticated_data: Vec<u8>,
) -> Result<Vec<u8>, Error> {
    check_lengths(plaintext, &authenticated_data)?;
    let now = policy::now();
    let needs = |record: &GroupRecord| past_epochs::needed_to_expire(record, now);
    with_epochs(call, id, needs, |live| {
        check_in_step(live)?;
        past_epochs::expire(live, now)?;
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
    padded(live, plaintext.len(), |live| {
        live.group.set_aad(authenticated_data);
        let (group, provider) = (&mut live.group, &live.provider);
        let message = live.tx.touching(Touched::Current, || {
            group.create_message(provider, &signer, plaintext)
        })?;
        message.to_bytes().map_err(Into::into)
    })
}

/// Lets `make` pad an application message to its bucket. OpenMLS takes the padding from the group's configuration, so
/// that it has another one in memory for this message; on disk it stays as it is.
fn padded<T>(
    live: &mut Live<'_, WriteTx<'_>>,
    length: usize,
    make: impl FnOnce(&mut Live<'_, WriteTx<'_>>) -> Result<T, Error>,
) -> Result<T, Error> {
    if !live.record.pads_to_buckets {
        return make(live);
    }
    let storage = live.tx.storage().forgetting_configuration();
    let configured = live.group.configuration().clone();
    // What else is in it does not matter to an application message, but another limit of past epochs deletes keys.
    let for_this_message = MlsGroupJoinConfig::builder()
        .padding_size(padding::bucket_of_plaintext(length))
        .set_past_epoch_deletion_policy(live.group.past_epoch_deletion_policy().clone())
        .build();
    live.group.set_configuration(&storage, &for_this_message)?;
    let made = make(live);
    live.group.set_configuration(&storage, &configured)?;
    made
}
