//! The own message that waits for an own Commit (docs/adr/0016): what becomes of it when the epoch ends.

use openmls::group::GroupId;

use super::{
    Context, Live,
    commit::{self, Outsiders},
    mailbox,
    outcome::{Outcome, Processed},
    send, with_group,
};
use crate::{
    error::Error,
    storage::{
        Call, WriteTx,
        pending::{self, PendingCommitRecord, WaitingMessage},
    },
};

/// Makes a Commit that carries out the queued proposals, and keeps a message that is encrypted when it is merged: until
/// then the keys that it needs are not those of the group.
pub(crate) fn commit_and_create(
    call: &mut Call<'_, WriteTx<'_>>,
    context: &Context,
    id: &GroupId,
    plaintext: Vec<u8>,
    authenticated_data: Vec<u8>,
) -> Result<PendingCommitRecord, Error> {
    send::check_lengths(&plaintext, &authenticated_data)?;
    with_group(call, id, |live| {
        let mut record = commit::commit(live, context, None, Outsiders::LeaveOut, |builder| Ok(builder))?;
        record.message = Some(WaitingMessage {
            plaintext,
            authenticated_data,
        });
        pending::put(live.tx, id, &record)?;
        Ok(record)
    })
}

/// Settles the message as the group enters the next epoch by `commit`: encrypted if it waited for this Commit, given
/// back if another one won. The new epoch has no queued proposals that could be in the way.
pub(super) fn settle(live: &mut Live<'_, WriteTx<'_>>, commit: &[u8]) -> Result<(), Error> {
    let Some(record) = pending::get(live.tx, live.group.group_id())? else {
        return Ok(());
    };
    let Some(message) = record.message else {
        return Ok(());
    };
    let outcome = if record.commit == commit {
        create_or_give_back(live, message)?
    } else {
        not_created(message)
    };
    live.own_messages.push(outcome);
    Ok(())
}

/// An app's signer that is missing or fails must not hold up the epoch, which the others have entered.
fn create_or_give_back(live: &mut Live<'_, WriteTx<'_>>, message: WaitingMessage) -> Result<Outcome, Error> {
    match send::create(live, &message.plaintext, message.authenticated_data.clone()) {
        Ok(bytes) => Ok(Outcome::MessageCreated {
            epoch: live.group.epoch().as_u64(),
            message: bytes,
        }),
        // OpenMLS signs first: no key was used. What it was to authenticate must not go into the next message.
        Err(_) if live.tx.signing_failure().take().is_some() => {
            live.group.set_aad(Vec::new());
            Ok(not_created(message))
        }
        Err(error) => Err(error),
    }
}

/// Gives the message back: its Commit will not be merged.
pub(super) fn give_back(
    tx: &WriteTx<'_>,
    context: &Context,
    id: &GroupId,
    message: Option<WaitingMessage>,
) -> Result<Option<Processed>, Error> {
    message
        .map(|message| mailbox::record(tx, context, id.as_slice(), not_created(message)))
        .transpose()
}

fn not_created(message: WaitingMessage) -> Outcome {
    Outcome::MessageNotCreated {
        plaintext: message.plaintext,
        authenticated_data: message.authenticated_data,
    }
}
