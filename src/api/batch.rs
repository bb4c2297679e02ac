//! What goes into a batch and comes out of it.

use super::{GroupId, MlsError, ProcessedMessage};
use crate::group::batch;

/// A message for `process_messages`.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct IncomingMessage {
    /// The MLSMessage.
    pub bytes: Vec<u8>,
    /// The app's own resume point, such as the delivery service's sequence number, stored when this is handled.
    #[uniffi(default = None)]
    pub cursor: Option<Vec<u8>>,
}

impl From<IncomingMessage> for batch::Incoming {
    fn from(message: IncomingMessage) -> Self {
        Self {
            bytes: message.bytes,
            cursor: message.cursor,
        }
    }
}

/// How `process_messages` works.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, uniffi::Record)]
pub struct ProcessOptions {
    /// Stop when this is spent; the message that runs is finished first.
    #[uniffi(default = None)]
    pub budget_ms: Option<u32>,
}

/// What became of a batch.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Batch {
    /// One for each message that was handled, in order.
    pub outcomes: Vec<BatchOutcome>,
    /// The index of the first message that was not handled; absent if all were.
    pub stopped_at: Option<u32>,
    /// Why it stopped there; absent if the budget was spent.
    pub error: Option<MlsError>,
}

/// What became of one message of a batch.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
#[expect(
    clippy::large_enum_variant,
    reason = "an FFI type: uniffi knows no boxed fields, and it is short-lived"
)]
pub enum BatchOutcome {
    /// As `MlsGroup.process_message` returns it.
    Processed {
        /// The group.
        group_id: GroupId,
        /// What became of it.
        outcome: ProcessedMessage,
    },
    /// As `MlsGroup.process_message` refuses it; it changed nothing.
    Failed {
        /// The group, if the bytes tell.
        group_id: Option<GroupId>,
        /// Why.
        error: MlsError,
    },
}

impl From<batch::Batch> for Batch {
    fn from(batch: batch::Batch) -> Self {
        let (stopped_at, error) = batch.stopped.unzip();
        Self {
            outcomes: batch.handled.into_iter().map(Into::into).collect(),
            stopped_at: stopped_at.map(|index| u32::try_from(index).unwrap_or(u32::MAX)),
            error: error.flatten().map(Into::into),
        }
    }
}

impl From<batch::Handled> for BatchOutcome {
    fn from(handled: batch::Handled) -> Self {
        match handled {
            batch::Handled::Processed { group_id, processed } => Self::Processed {
                group_id: (&group_id).into(),
                outcome: processed.into(),
            },
            batch::Handled::Failed { group_id, error } => Self::Failed {
                group_id: group_id.as_ref().map(Into::into),
                error: error.into(),
            },
        }
    }
}
