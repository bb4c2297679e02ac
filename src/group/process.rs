//! Messages in: what each becomes, merged or queued or stored in the same transaction.

use openmls::{
    framing::errors::{MessageDecryptionError, SecretTreeError},
    group::{GroupId, ProcessMessageError, QueuedProposal, StagedCommit, ValidationError},
    prelude::{
        ContentType, Credential, MlsMessageBodyIn, OpenMlsProvider as _, ProcessedMessage,
        ProcessedMessageContent, ProtocolMessage, Sender,
    },
};

use super::{
    Context, Live, check_active,
    outcome::{InboxRecord, Outcome, ProposalInfo},
    pending::{after_merge, merge_live, own_summary},
    summary,
    validator::{self, Question},
    with_group,
};
use crate::{
    error::{Error, MessageError},
    message, policy,
    storage::{Call, WriteTx, handled_commits, inbox, pending, tx::KeptFailure},
};

/// An outcome, and its inbox entry if it has one.
pub(crate) struct Processed {
    pub(crate) id: Option<u64>,
    pub(crate) outcome: Outcome,
}

/// Processes a message for this group's members. Whatever it changes, the outcome included, is in this transaction.
pub(crate) fn process(
    call: &mut Call<'_, WriteTx<'_>>,
    context: &Context,
    id: &GroupId,
    bytes: &[u8],
) -> Result<Processed, Error> {
    let message = parse(bytes)?;
    if message.group_id() != id {
        return Err(MessageError::OtherGroup.into());
    }
    process_parsed(call, context, bytes, message)
}

/// Decodes a message for a group's members.
pub(crate) fn parse(bytes: &[u8]) -> Result<ProtocolMessage, Error> {
    message::check_length("message", bytes, policy::MAX_MESSAGE)?;
    protocol_message(bytes)
}

/// Processes a message that [`parse`] made of `bytes`, in the group that it names.
pub(crate) fn process_parsed(
    call: &mut Call<'_, WriteTx<'_>>,
    context: &Context,
    bytes: &[u8],
    message: ProtocolMessage,
) -> Result<Processed, Error> {
    let id = message.group_id().clone();
    with_group(call, &id, |live| {
        let outcome = outcome(live, context, bytes, message)?;
        let id = if context.inbox && outcome.is_for_the_inbox() {
            let record = InboxRecord {
                group_id: id.to_vec(),
                outcome: outcome.clone(),
            };
            Some(inbox::append(live.tx, &record)?)
        } else {
            None
        };
        Ok(Processed { id, outcome })
    })
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

fn outcome(
    live: &mut Live<'_, WriteTx<'_>>,
    context: &Context,
    bytes: &[u8],
    message: ProtocolMessage,
) -> Result<Outcome, Error> {
    if let Some(outcome) = known_commit(live, bytes, &message)? {
        return Ok(outcome);
    }
    check_active(&live.group)?;
    if let Some(outcome) = by_epoch(live, &message)? {
        return Ok(outcome);
    }
    if let Some(outcome) = own_public_message(live, &message)? {
        return Ok(outcome);
    }
    let (received, current) = (message.epoch().as_u64(), live.group.epoch().as_u64());
    let content_type = message.content_type();
    match live.group.process_message(&live.provider, message) {
        // The pending one was recognised by its bytes; another that was accepted leaves this device behind.
        Ok(processed) if is_own_private(&processed) && content_type == ContentType::Commit => {
            Err(MessageError::UnknownOwnCommit.into())
        }
        Ok(processed) => accept(live, context, bytes, processed),
        Err(error) => expected(&error, received, current).ok_or_else(|| error.into()),
    }
}

/// A Commit whose bytes say what it is: our own pending one come back, or one that was merged before.
fn known_commit(
    live: &mut Live<'_, WriteTx<'_>>,
    bytes: &[u8],
    message: &ProtocolMessage,
) -> Result<Option<Outcome>, Error> {
    if message.content_type() != ContentType::Commit {
        return Ok(None);
    }
    let id = live.group.group_id();
    if pending::get(live.tx, id)?.is_some_and(|own| own.commit == bytes) {
        return own_commit(live).map(Some);
    }
    Ok(handled_commits::contains(live.tx, id, bytes)?.then_some(Outcome::Duplicate))
}

/// Merges our pending Commit. Its Welcome goes into the outcome, because the app may not have sent it yet.
fn own_commit(live: &mut Live<'_, WriteTx<'_>>) -> Result<Outcome, Error> {
    let own = pending::get(live.tx, live.group.group_id())?.ok_or(Error::NoPendingCommit)?;
    let summary = merge_live(live)?;
    Ok(Outcome::OwnCommit {
        epoch: summary.to_epoch,
        welcome: own.welcome,
        group_info: own.group_info,
    })
}

/// Handshakes count in their own epoch only; messages of past epochs may still have their keys.
fn by_epoch(live: &Live<'_, WriteTx<'_>>, message: &ProtocolMessage) -> Result<Option<Outcome>, Error> {
    let (received, current) = (message.epoch().as_u64(), live.group.epoch().as_u64());
    if received > current {
        return Err(Error::WrongEpoch { current, received });
    }
    if received < current && message.is_handshake_message() {
        return Ok(Some(Outcome::Stale { epoch: received }));
    }
    Ok(None)
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
            queue(live, context, *queued, credential, Outcome::Proposal)
        }
        ProcessedMessageContent::ExternalJoinProposalMessage(queued) => {
            queue(live, context, *queued, credential, Outcome::ExternalJoinProposal)
        }
        ProcessedMessageContent::StagedCommitMessage(staged) => {
            merge(live, context, bytes, *staged, &sender, credential)
        }
        ProcessedMessageContent::OwnPendingCommit => own_commit(live),
        ProcessedMessageContent::OwnPrivateMessage => Ok(Outcome::OwnMessage),
        ProcessedMessageContent::UnresolvedAppDataCommit(_) => Err(MessageError::AppDataUpdate.into()),
    }
}

fn queue(
    live: &mut Live<'_, WriteTx<'_>>,
    context: &Context,
    queued: QueuedProposal,
    credential: Credential,
    outcome: impl FnOnce(ProposalInfo) -> Outcome,
) -> Result<Outcome, Error> {
    let reference = queued.proposal_reference_ref();
    if live
        .group
        .pending_proposals()
        .any(|known| known.proposal_reference_ref() == reference)
    {
        return Ok(Outcome::Duplicate);
    }
    let summary = summary::proposal(&live.group, &queued, credential);
    let group_id = live.group.group_id().to_vec();
    let question = Question::Proposal {
        group_id: &group_id,
        summary: &summary,
    };
    validator::ask(context, &question)?;
    live.group
        .store_pending_proposal(live.provider.storage(), queued)?;
    Ok(outcome(summary))
}

/// Merges a Commit that the validator accepts. It wins over our own pending one: the delivery service had it first.
fn merge(
    live: &mut Live<'_, WriteTx<'_>>,
    context: &Context,
    bytes: &[u8],
    staged: StagedCommit,
    sender: &Sender,
    credential: Credential,
) -> Result<Outcome, Error> {
    let summary = summary::commit(&live.group, &staged, sender, credential);
    let group_id = live.group.group_id().to_vec();
    let question = Question::Commit {
        group_id: &group_id,
        summary: &summary,
    };
    validator::ask(context, &question)?;
    let superseded = own_summary(&live.group).map(Box::new);
    live.group.merge_staged_commit(&live.provider, staged)?;
    after_merge(live, bytes)?;
    Ok(Outcome::Commit { summary, superseded })
}

/// Refusals that are no errors: the message was read before, or its keys are gone as they should be.
fn expected(error: &ProcessMessageError<KeptFailure>, received: u64, current: u64) -> Option<Outcome> {
    let ProcessMessageError::ValidationError(error) = error else {
        return None;
    };
    match error {
        ValidationError::UnableToDecrypt(MessageDecryptionError::SecretTreeError(
            SecretTreeError::SecretReuseError,
        )) => Some(Outcome::Duplicate),
        ValidationError::NoPastEpochData => Some(Outcome::Stale { epoch: received }),
        ValidationError::UnableToDecrypt(MessageDecryptionError::SecretTreeError(
            SecretTreeError::TooDistantInThePast,
        )) if received < current => Some(Outcome::Stale { epoch: received }),
        _ => None,
    }
}
