//! Messages of a group, out and in.

use super::{Core, MlsError, MlsGroup, ProcessedMessage, call};
use crate::group::{process, send};

#[uniffi::export]
impl MlsGroup {
    /// Encrypts `plaintext` for the members of this epoch (RFC 9420, section 6.3). `authenticated_data` is protected
    /// against change, but everybody can read it.
    ///
    /// Stored: that the key was used, before the bytes are returned. Send them to the group; bytes that never get
    /// sent do no harm. The sender cannot decrypt them: keep the plaintext.
    /// Errors: `PendingProposalsExist` (commit first, or both in one call: `commit_and_create_message`), `GroupDiverged`, `GroupInactive`, `GroupNotFound`, `InvalidArgument` (over
    /// 16 MiB, or 1 MiB of authenticated data).
    #[uniffi::method(default(authenticated_data))]
    pub fn create_message(
        &self,
        plaintext: Vec<u8>,
        authenticated_data: Vec<u8>,
    ) -> Result<Vec<u8>, MlsError> {
        call(&self.core, "create_message", || {
            self.core
                .store
                .write(|call| send::create_message(call, &self.id, &plaintext, authenticated_data))
        })
    }

    /// Processes a message from the delivery service: decrypts, queues a proposal, keeps what comes early, and merges
    /// a Commit that the client's `CredentialValidator` accepts. Without a validator a Commit waits, stored, for
    /// `merge_staged_commit` or `discard_staged_commit`.
    ///
    /// Stored: what the message changes, and the outcome in the inbox until it is acknowledged. An own Commit that
    /// waits is cleared when another member's Commit is merged; `superseded` then says what it would have done.
    /// Errors: `MessageMalformed`, `MessageInvalid`, `WrongEpoch` (impossibly far ahead), `EarlyBufferFull`,
    /// `CredentialRejected`, `GroupDiverged`, `GroupInactive`, `GroupNotFound`, `InvalidArgument` (over 32 MiB); after
    /// each the same bytes can be tried again.
    pub fn process_message(&self, message: Vec<u8>) -> Result<ProcessedMessage, MlsError> {
        let processed = call(&self.core, "process_message", || {
            let Core { store, context } = &*self.core;
            store
                .write(|call| process::process(call, context, &self.id, &message))
                .flatten()
        })?;
        Ok(processed.into())
    }
}
