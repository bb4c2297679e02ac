//! What a group gives out: secrets for the app, and what others need to join.

use super::{MlsError, MlsGroup, call};
use crate::group::export;

#[uniffi::export]
impl MlsGroup {
    /// Derives a secret of 1 to 8160 bytes from this epoch: every member gets the same for the same arguments, and
    /// nobody else does (RFC 9420, section 8.5). Nothing is stored; the next epoch's is another, and this one's cannot be
    /// had any more then. While the epoch lasts it can be exported again, by who steals the phone too: use
    /// `safe_export_secret` where that matters.
    ///
    /// Errors: `InvalidArgument` (`length`, or a label or context over 1 MiB), `GroupInactive`, `GroupNotFound`.
    pub fn export_secret(&self, label: String, context: Vec<u8>, length: u32) -> Result<Vec<u8>, MlsError> {
        call(&self.core, "export_secret", || {
            self.core
                .store
                .read(|call| export::export_secret(call, &self.id, &label, &context, length))
        })
    }

    /// A component's secret of this epoch, 32 bytes: every member gets the same, and each device gets it once, which is
    /// what makes it forward secret (the safe exporter of draft-ietf-mls-extensions, which may change). `component_id`
    /// is a number that the app or a standard has given to a part of the app; the secret of one says nothing about that
    /// of another.
    ///
    /// Stored: that it was exported; the secret's deletion is on disk before this returns, and the app keeps what it
    /// needs. This is an erasure point. Nothing is sent.
    /// Errors: `SecretAlreadyExported` until the next epoch, `GroupInactive`, `GroupNotFound`.
    /// After a crash during the call: the secret is still there, or it is lost with the call. An app that cannot wait
    /// for the next epoch then makes one, by `self_update`.
    pub fn safe_export_secret(&self, component_id: u16) -> Result<Vec<u8>, MlsError> {
        call(&self.core, "safe_export_secret", || {
            self.core
                .store
                .write(|call| export::safe_export_secret(call, &self.id, component_id))
        })
    }

    /// The same bytes for every member of this epoch; two members who compare them out of band know that they are in
    /// the same group with the same history (RFC 9420, section 8.7).
    pub fn epoch_authenticator(&self) -> Result<Vec<u8>, MlsError> {
        call(&self.core, "epoch_authenticator", || {
            self.core
                .store
                .read(|call| export::epoch_authenticator(call, &self.id))
        })
    }

    /// The ratchet tree of this epoch, for those who join with a Welcome or a GroupInfo that does not carry it (RFC
    /// 9420, section 12.4.3.3). Nothing is stored. It lists all members: send it encrypted.
    ///
    /// Errors: `GroupInactive`, `GroupNotFound`.
    pub fn export_ratchet_tree(&self) -> Result<Vec<u8>, MlsError> {
        call(&self.core, "export_ratchet_tree", || {
            self.core
                .store
                .read(|call| export::export_ratchet_tree(call, &self.id))
        })
    }

    /// A GroupInfo of this epoch, signed by this device, for those who join by themselves (RFC 9420, section
    /// 12.4.3). Nothing is stored. With the tree it lists all members, and is large; without it, give them
    /// `export_ratchet_tree` in another way.
    ///
    /// Errors: `GroupInactive`, `GroupNotFound`.
    pub fn export_group_info(&self, with_ratchet_tree: bool) -> Result<Vec<u8>, MlsError> {
        call(&self.core, "export_group_info", || {
            self.core
                .store
                .read(|call| export::export_group_info(call, &self.id, with_ratchet_tree))
        })
    }
}
