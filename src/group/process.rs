//! Messages in: what each becomes, merged, staged, queued, kept or stored in the same transaction.

use openmls::{
    group::{GroupEpoch, GroupId, QueuedProposal, StagedCommit},
    prelude::{
        ContentType, Credential, MlsMessageBodyIn, OpenMlsProvider as _, ProcessedMessage,
        ProcessedMessageContent, Proposal, ProtocolMessage, Sender,
    },
};

use super::{
    Context, Live, check_active, check_in_step, deferred, early, extensions, external_join, mailbox,
    outcome::{Outcome, Processed, ProposalInfo},
    past_epochs, pending, proposals, psk_rules, refusal, staged, summary,
    validator::{self, Answer, Question},
    with_current_epoch, with_epochs,
};
use crate::{
    error::{Error, MessageError},
    message, policy,
    storage::{
        Call, WriteTx,
        early_messages::{self, NewEarlyMessage},
        groups::GroupRecord,
        handled_commits,
        secret_parts::{Epochs, Touched},
    },
};

/// What became of one message.
pub(crate) enum Attempt {
    Processed(Processed),
    /// It changed nothing, unless it raised the suspicion of a fork.
    Refused {
        error: Error,
        suspicious: bool,
    },
}

/// When the group's ratchets are written.
#[derive(Clone, Copy)]
pub(crate) enum Writes {
    /// With the message.
    Now,
    /// With others of a batch, which flushes them.
    Deferred,
}

/// Processes a message for this group's members. Whatever it changes, the outcome included, is in this transaction;
/// the inner error is a refusal that left a suspicion to store.
pub(crate) fn process(
    call: &mut Call<'_, WriteTx<'_>>,
    context: &Context,
    id: &GroupId,
    bytes: &[u8],
) -> Result<Result<Processed, Error>, Error> {
    let message = parse(bytes)?;
    if message.group_id() != id {
        return Err(MessageError::OtherGroup.into());
    }
    match attempt(call, context, bytes, message, Writes::Now)? {
        Attempt::Processed(processed) => Ok(Ok(processed)),
        Attempt::Refused {
            error,
            suspicious: true,
        } => Ok(Err(error)),
        Attempt::Refused {
            error,
            suspicious: false,
        } => Err(error),
    }
}

/// Decodes a message for a group's members.
pub(crate) fn parse(bytes: &[u8]) -> Result<ProtocolMessage, Error> {
    message::check_length("message", bytes, policy::MAX_MESSAGE)?;
    protocol_message(bytes)
}

/// Processes a message that [`parse`] made of `bytes`, in the group that it names, in a savepoint of its own. The
/// outer error is one of storage, which ends the transaction.
pub(crate) fn attempt(
    call: &mut Call<'_, WriteTx<'_>>,
    context: &Context,
    bytes: &[u8],
    message: ProtocolMessage,
    writes: Writes,
) -> Result<Attempt, Error> {
    let id = message.group_id().clone();
    let is_handshake = message.is_handshake_message();
    let header = (message.epoch(), message.content_type());
    let work = |call: &mut Call<'_, WriteTx<'_>>| receive(call, context, &id, bytes, message);
    let result = match writes {
        Writes::Now => call.savepoint(work)?,
        Writes::Deferred => deferred::step(call, &id, is_handshake, |record| needs(record, header), work)?,
    };
    match result {
        Ok(processed) => Ok(Attempt::Processed(processed)),
        Err(error) if refusal::hints_at_a_fork(&error) => {
            let suspicious = with_current_epoch(call, &id, |live| refusal::note(live, &error))?;
            Ok(Attempt::Refused { error, suspicious })
        }
        Err(error) => Ok(Attempt::Refused {
            error,
            suspicious: false,
        }),
    }
}

/// Which epochs' message secrets a message needs. A handshake may begin the next epoch.
fn needs(record: &GroupRecord, (epoch, content_type): (GroupEpoch, ContentType)) -> Epochs {
    if content_type == ContentType::Application && epoch.as_u64() == record.epoch {
        Epochs::Current
    } else {
        Epochs::All
    }
}

/// One message, in the group or in what an external join will make of it.
fn receive(
    call: &mut Call<'_, WriteTx<'_>>,
    context: &Context,
    id: &GroupId,
    bytes: &[u8],
    message: ProtocolMessage,
) -> Result<Processed, Error> {
    if external_join::is_external_commit(&message)
        && let Some(processed) = external_join::echo(call, context, id, bytes)?
    {
        return Ok(processed);
    }
    let header = (message.epoch(), message.content_type());
    // A batch sweeps at its end: a group that is ahead of its rows must change by its messages only.
    let expires = (!call.tx.is_deferring()).then(policy::now);
    let needs = |record: &GroupRecord| match (needs(record, header), expires) {
        (Epochs::Current, Some(now)) => past_epochs::needed_to_expire(record, now),
        (needs, _) => needs,
    };
    with_epochs(call, id, needs, |live| {
        handle(live, context, bytes, message, expires)
    })
    .or_else(|error| external_join::keep(call, context, id, bytes, header, error))
}

/// One message and all that it releases.
fn handle(
    live: &mut Live<'_, WriteTx<'_>>,
    context: &Context,
    bytes: &[u8],
    message: ProtocolMessage,
    expires: Option<u64>,
) -> Result<Processed, Error> {
    let is_handshake = message.is_handshake_message();
    if let Some(now) = expires {
        past_epochs::expire(live, now)?;
    }
    let outcome = outcome(live, context, bytes, message)?;
    let settled = !matches!(outcome, Outcome::Early { .. } | Outcome::RivalStaged { .. });
    let id = live.record.group_id.clone();
    if is_handshake && settled {
        // It may have been kept before, and given again since.
        early_messages::delete_bytes(live.tx, &id, bytes)?;
    }
    let releases = outcome.may_release();
    let mut processed = mailbox::record(live.tx, context, id.as_slice(), outcome)?;
    if releases {
        processed.released = early::release(live, context)?;
    }
    Ok(processed)
}

fn protocol_message(bytes: &[u8]) -> Result<ProtocolMessage, Error> {
    match message::parse(bytes)?.extract() {
        MlsMessageBodyIn::PrivateMessage(message) => Ok(message.into()),
        MlsMessageBodyIn::PublicMessage(message) => Ok(message.into()),
        MlsMessageBodyIn::Welcome(_) | MlsMessageBodyIn::GroupInfo(_) | MlsMessageBodyIn::KeyPackage(_) => {
            Err(MessageError::NotAGroupMessage.into())
        }
    }
}

/// What a message becomes, without what it releases.
pub(super) fn outcome(
    live: &mut Live<'_, WriteTx<'_>>,
    context: &Context,
    bytes: &[u8],
    message: ProtocolMessage,
) -> Result<Outcome, Error> {
    if let Some(outcome) = known_commit(live, bytes, &message)? {
        return Ok(outcome);
    }
    check_active(&live.group)?;
    if let Some(outcome) = by_epoch(live, context, bytes, &message)? {
        return Ok(outcome);
    }
    if let Some(outcome) = own_public_message(live, &message)? {
        return Ok(outcome);
    }
    let (received, current) = (message.epoch().as_u64(), live.group.epoch().as_u64());
    let content_type = message.content_type();
    let result = if content_type == ContentType::Application {
        let epoch = Touched::by_message(received, current);
        let (group, provider) = (&mut live.group, &live.provider);
        live.tx
            .touching(epoch, || group.process_message(provider, message))
    } else {
        live.group.process_message(&live.provider, message)
    };
    match result {
        // The pending one was recognised by its bytes; another that was accepted leaves this device behind.
        Ok(processed) if is_own_private(&processed) && content_type == ContentType::Commit => {
            Err(MessageError::UnknownOwnCommit.into())
        }
        Ok(processed) => accept(live, context, bytes, processed),
        Err(error) if refusal::lacks_proposals(&error) => keep(live, context, bytes, received, content_type),
        Err(error) => refusal::expected(&error, received, current).ok_or_else(|| error.into()),
    }
}

/// A Commit whose bytes say what it is: one of our own come back, or one that was handled before.
fn known_commit(
    live: &mut Live<'_, WriteTx<'_>>,
    bytes: &[u8],
    message: &ProtocolMessage,
) -> Result<Option<Outcome>, Error> {
    if message.content_type() != ContentType::Commit {
        return Ok(None);
    }
    if handled_commits::contains(live.tx, live.group.group_id(), bytes)? {
        return Ok(Some(Outcome::Duplicate));
    }
    if message.epoch() != live.group.epoch() {
        return Ok(None);
    }
    if staged::exists(live)? {
        // Not even our own may pass: the delivery service had the one that waits first.
        let epoch = message.epoch().as_u64();
        return Ok(Some(Outcome::RivalStaged { epoch }));
    }
    pending::echo(live, bytes)
}

/// Handshakes count in their own epoch only; messages of past epochs may still have their keys.
fn by_epoch(
    live: &Live<'_, WriteTx<'_>>,
    context: &Context,
    bytes: &[u8],
    message: &ProtocolMessage,
) -> Result<Option<Outcome>, Error> {
    let (received, current) = (message.epoch().as_u64(), live.group.epoch().as_u64());
    if received < current {
        let stale = message.is_handshake_message();
        return Ok(stale.then_some(Outcome::Stale { epoch: received }));
    }
    if message.is_handshake_message() || received > current {
        check_in_step(live)?;
    }
    if received == current {
        return Ok(None);
    }
    if received > policy::MAX_EPOCH || received - current > policy::MAX_EPOCHS_AHEAD {
        return Err(Error::WrongEpoch { current, received });
    }
    keep(live, context, bytes, received, message.content_type()).map(Some)
}

fn keep(
    live: &Live<'_, WriteTx<'_>>,
    context: &Context,
    bytes: &[u8],
    epoch: u64,
    content_type: ContentType,
) -> Result<Outcome, Error> {
    let new = NewEarlyMessage {
        epoch,
        is_commit: content_type == ContentType::Commit,
        bytes,
        received: policy::now(),
    };
    early::keep(live.tx, context, live.group.group_id(), &new)
}

/// Our own handshake, sent as a PublicMessage. OpenMLS would queue an own proposal a second time.
fn own_public_message(
    live: &Live<'_, WriteTx<'_>>,
    message: &ProtocolMessage,
) -> Result<Option<Outcome>, Error> {
    let ProtocolMessage::PublicMessage(public) = message else {
        return Ok(None);
    };
    if *public.sender() != Sender::Member(live.group.own_leaf_index()) {
        return Ok(None);
    }
    match public.content_type() {
        ContentType::Proposal => Ok(Some(Outcome::OwnMessage)),
        ContentType::Commit => Err(MessageError::UnknownOwnCommit.into()),
        ContentType::Application => Ok(None),
    }
}

fn is_own_private(processed: &ProcessedMessage) -> bool {
    matches!(processed.content(), ProcessedMessageContent::OwnPrivateMessage)
}

fn accept(
    live: &mut Live<'_, WriteTx<'_>>,
    context: &Context,
    bytes: &[u8],
    processed: ProcessedMessage,
) -> Result<Outcome, Error> {
    let sender = processed.sender().clone();
    let credential = processed.credential().clone();
    let epoch = processed.epoch().as_u64();
    let authenticated_data = processed.aad().to_vec();
    match processed.into_content() {
        ProcessedMessageContent::ApplicationMessage(message) => Ok(Outcome::Application {
            sender: summary::sender(&sender, credential),
            epoch,
            plaintext: message.into_bytes(),
            authenticated_data,
        }),
        ProcessedMessageContent::ProposalMessage(queued) => {
            queue(live, context, *queued, bytes.len(), credential, Outcome::Proposal)
        }
        ProcessedMessageContent::ExternalJoinProposalMessage(queued) => queue(
            live,
            context,
            *queued,
            bytes.len(),
            credential,
            Outcome::ExternalJoinProposal,
        ),
        ProcessedMessageContent::StagedCommitMessage(staged) => {
            receive_commit(live, context, bytes, *staged, &sender, credential)
        }
        // Found by its confirmation tag; ours were looked for by their bytes before.
        ProcessedMessageContent::OwnPendingCommit => Err(MessageError::UnknownOwnCommit.into()),
        ProcessedMessageContent::OwnPrivateMessage => Ok(Outcome::OwnMessage),
        ProcessedMessageContent::UnresolvedAppDataCommit(_) => Err(MessageError::AppDataUpdate.into()),
    }
}

fn queue(
    live: &mut Live<'_, WriteTx<'_>>,
    context: &Context,
    queued: QueuedProposal,
    length: usize,
    credential: Credential,
    outcome: impl FnOnce(ProposalInfo) -> Outcome,
) -> Result<Outcome, Error> {
    psk_rules::check_proposal(&live.group, queued.proposal())?;
    let reference = queued.proposal_reference_ref();
    if live
        .group
        .pending_proposals()
        .any(|known| known.proposal_reference_ref() == reference)
    {
        return Ok(Outcome::Duplicate);
    }
    if length > policy::MAX_PROPOSAL || !proposals::have_room(&live.group, queued.sender()) {
        return Err(MessageError::TooManyProposals.into());
    }
    let summary = summary::proposal(&live.group, &queued, credential);
    let group_id = live.group.group_id().to_vec();
    let question = Question::Proposal {
        group_id: &group_id,
        summary: &summary,
    };
    validator::ask(context, &question)?;
    if let Proposal::GroupContextExtensions(change) = queued.proposal() {
        let before = live.group.extensions();
        validator::ask_about_senders(context, &group_id, change.extensions(), Some(before))?;
    }
    live.group
        .store_pending_proposal(live.provider.storage(), queued)?;
    Ok(outcome(summary))
}

/// Merges a Commit that the validator accepts; without a validator it waits for the app.
fn receive_commit(
    live: &mut Live<'_, WriteTx<'_>>,
    context: &Context,
    bytes: &[u8],
    staged: StagedCommit,
    sender: &Sender,
    credential: Credential,
) -> Result<Outcome, Error> {
    psk_rules::check_commit(&live.group, &staged)?;
    extensions::check_commit(&live.group, &staged, sender)?;
    let summary = summary::commit(&live.group, &staged, sender, credential);
    let group_id = live.group.group_id().to_vec();
    let question = Question::Commit {
        group_id: &group_id,
        summary: &summary,
    };
    let answer = validator::ask(context, &question)?;
    let after = staged.group_context().extensions();
    validator::ask_about_senders(context, &group_id, after, Some(live.group.extensions()))?;
    match answer {
        Answer::Unasked => staged::keep(live, bytes, &staged, summary),
        Answer::Accepted => {
            let superseded = staged::take_over(live, bytes, staged)?;
            Ok(Outcome::Commit {
                summary,
                superseded,
                staged: false,
            })
        }
    }
}
