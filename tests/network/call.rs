//! Calls of an app as data: made here, or in a child process that is killed during one.

use mls_mobile::{
    Batch, CommitBundle, GroupId, IncomingMessage, Merged, MlsClient, MlsError, ProcessedMessage,
};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Call {
    Send(String),
    Update,
    Add(Vec<u8>),
    Remove(u32),
    Merge,
    Clear,
    MergeStaged,
    Release,
    Process(Vec<u8>),
    Batch(Vec<Vec<u8>>),
    Join(Vec<u8>),
    Acknowledge(Vec<u64>),
}

#[derive(Debug)]
pub enum Returned {
    Message(Vec<u8>),
    Bundle(CommitBundle),
    Merged(Merged),
    Processed(ProcessedMessage),
    Batch(Batch),
    Released(Vec<ProcessedMessage>),
    Nothing,
}

impl Call {
    /// Calls of one kind pass about the same number of points.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Send(_) => "send",
            Self::Update => "update",
            Self::Add(_) => "add",
            Self::Remove(_) => "remove",
            Self::Merge => "merge",
            Self::Clear => "clear",
            Self::MergeStaged => "merge staged",
            Self::Release => "release",
            Self::Process(_) => "process",
            Self::Batch(_) => "batch",
            Self::Join(_) => "join",
            Self::Acknowledge(_) => "acknowledge",
        }
    }

    pub fn make(self, client: &MlsClient, id: &GroupId) -> Result<Returned, MlsError> {
        let group = || client.group(id.clone());
        Ok(match self {
            Self::Send(text) => Returned::Message(group()?.create_message(text.into_bytes(), Vec::new())?),
            Self::Update => Returned::Bundle(group()?.self_update(None)?),
            Self::Add(key_package) => Returned::Bundle(group()?.add_members(vec![key_package])?),
            Self::Remove(leaf) => Returned::Bundle(group()?.remove_members(vec![leaf])?),
            Self::Merge => Returned::Merged(group()?.merge_pending_commit()?),
            Self::Clear => {
                group()?.clear_pending_commit()?;
                Returned::Nothing
            }
            Self::MergeStaged => Returned::Merged(group()?.merge_staged_commit()?),
            Self::Release => Returned::Released(group()?.release_early_messages()?),
            Self::Process(message) => Returned::Processed(group()?.process_message(message)?),
            Self::Batch(messages) => {
                let messages = messages
                    .into_iter()
                    .map(|bytes| IncomingMessage { bytes, cursor: None })
                    .collect();
                Returned::Batch(client.process_messages(messages, None)?)
            }
            Self::Join(welcome) => {
                client.join_from_welcome(welcome, None)?;
                Returned::Nothing
            }
            Self::Acknowledge(ids) => {
                client.acknowledge(ids)?;
                Returned::Nothing
            }
        })
    }
}
