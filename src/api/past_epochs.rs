//! Past epochs: comparing them with other members', and deleting their keys.

use super::{MlsError, MlsGroup, call};
use crate::group::past_epochs::{self, Comparison, Deletion};

/// What another member's epoch authenticator says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum AuthenticatorComparison {
    /// Both are in the same group, with the same members and the same history up to this epoch.
    Same,
    /// The group has forked, before this epoch or at its beginning: there are members who cannot read each other.
    Different,
    /// It proves nothing: this device has not been in that epoch yet, was no member in it, or has forgotten it.
    Unknown,
}

impl From<Comparison> for AuthenticatorComparison {
    fn from(comparison: Comparison) -> Self {
        match comparison {
            Comparison::Same => Self::Same,
            Comparison::Different => Self::Different,
            Comparison::Unknown => Self::Unknown,
        }
    }
}

/// Which past epochs' message keys `delete_past_epoch_secrets` deletes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum PastEpochDeletion {
    /// Those of all.
    All,
    /// Those of epochs that ended more than `seconds` ago; of all if it is 0.
    OlderThan {
        /// How long ago.
        seconds: u64,
    },
    /// Those of all but the newest `epochs`.
    AllButNewest {
        /// How many stay.
        epochs: u32,
    },
}

impl From<PastEpochDeletion> for Deletion {
    fn from(deletion: PastEpochDeletion) -> Self {
        match deletion {
            PastEpochDeletion::All => Self::All,
            PastEpochDeletion::OlderThan { seconds } => Self::OlderThan(seconds),
            PastEpochDeletion::AllButNewest { epochs } => Self::AllButNewest(epochs as usize),
        }
    }
}

#[uniffi::export]
impl MlsGroup {
    /// Compares another member's epoch authenticator with this device's of the same epoch (RFC 9420, section 8.7). Two
    /// members do that so: one sends the other `epoch` and `epoch_authenticator` of one `info()`, by a way that an
    /// attacker in the middle does not control, or shows them as a QR code; the other passes both to this call. Inside
    /// the group itself the message would not arrive if the group had forked.
    ///
    /// Known are the current epoch and the last 64 before it in which this device was a member, in a group that it was
    /// removed from too; joining again begins anew. `info()` of a group that is not active gives the authenticator of
    /// an epoch before `epoch`: do not send it.
    ///
    /// `Different` proves a fork, as far as the other member is honest: the two can only meet in a new group, or when
    /// one of them joins the other's branch again. Nothing is stored. Errors: `GroupNotFound`.
    pub fn compare_authenticator(
        &self,
        epoch: u64,
        authenticator: Vec<u8>,
    ) -> Result<AuthenticatorComparison, MlsError> {
        let comparison = call(&self.core, "compare_authenticator", || {
            self.core
                .store
                .read(|call| past_epochs::compare_authenticator(call, &self.id, epoch, &authenticator))
        })?;
        Ok(comparison.into())
    }

    /// Deletes the keys with which late messages of past epochs are decrypted, before `past_epoch_lifetime_seconds`
    /// does: a message that comes too late is then `Stale`. The current epoch's keys stay, and so do the authenticators
    /// that `compare_authenticator` needs.
    ///
    /// Stored: what is left; the others are gone from the files when this returns (`storage_info` tells if another
    /// process holds that up). Nothing is sent. After a crash all of it was done or nothing; it can be repeated.
    /// Errors: `GroupNotFound`.
    pub fn delete_past_epoch_secrets(&self, policy: PastEpochDeletion) -> Result<(), MlsError> {
        call(&self.core, "delete_past_epoch_secrets", || {
            self.core
                .store
                .write(|call| past_epochs::delete(call, &self.id, policy.into()))
        })
    }
}
