//! `MlsGroup`: a handle to a group, and what can be seen and set of it.

use std::sync::Arc;

use openmls::group::GroupId as MlsGroupId;

use super::{ExternalSender, GroupConfig, GroupId, GroupState, Member, MlsError, Shared, call};
use crate::group::{create, extensions, state};

/// A group of a client. It holds no state: handles can be made and dropped freely, and used from any thread.
#[derive(uniffi::Object)]
pub struct MlsGroup {
    pub(super) core: Shared,
    pub(super) id: MlsGroupId,
}

impl MlsGroup {
    pub(super) fn new(core: &Shared, id: MlsGroupId) -> Arc<Self> {
        Arc::new(Self {
            core: Arc::clone(core),
            id,
        })
    }
}

#[uniffi::export]
impl MlsGroup {
    /// The group's id. Never fails; the `Result` keeps Swift from having to trap.
    pub fn id(&self) -> Result<GroupId, MlsError> {
        Ok((&self.id).into())
    }

    /// The group at this moment. Errors: `GroupNotFound` after it was deleted.
    pub fn info(&self) -> Result<GroupState, MlsError> {
        let view = call(&self.core, "info", || {
            self.core.store.read(|call| state::view(call, &self.id))
        })?;
        view.try_into()
    }

    /// The members in leaf order. After this device was removed: as they were before that.
    pub fn members(&self) -> Result<Vec<Member>, MlsError> {
        call(&self.core, "members", || {
            let members = self.core.store.read(|call| state::members(call, &self.id))?;
            Ok(members.into_iter().map(Into::into).collect())
        })
    }

    /// The servers that may propose to the group from outside (RFC 9420, section 12.1.8.1), in the order of their index,
    /// which is what `Sender::External` names. `update_group_context_extensions` changes them, with
    /// `external_senders_extension`. Errors: `GroupNotFound`.
    pub fn external_senders(&self) -> Result<Vec<ExternalSender>, MlsError> {
        call(&self.core, "external_senders", || {
            let senders = self
                .core
                .store
                .read(|call| extensions::external_senders(call, &self.id))?;
            Ok(senders.into_iter().map(Into::into).collect())
        })
    }

    /// Changes how the group behaves on this device. Nothing is sent.
    ///
    /// Stored: the configuration; fewer past epochs, or a shorter lifetime, delete their keys at once.
    /// Errors: `InvalidArgument` (a value out of its bounds; `OnlyAtCreation` for what must be left out here: `group_id`,
    /// `leaf_node`, `lifetime_seconds`, `required_capabilities`, `extensions`, `external_senders`), `GroupNotFound`.
    pub fn configure(&self, config: GroupConfig) -> Result<(), MlsError> {
        call(&self.core, "configure", || {
            config.check_local()?;
            let settings = (&config).into();
            self.core
                .store
                .write(|call| create::configure(call, &self.id, &settings))
        })
    }

    /// Deletes everything of the group from this device. The others are not told: leave first, or have this device
    /// removed. An external join that waits is dropped too. Inbox entries stay until they are acknowledged. Errors: `GroupNotFound`.
    pub fn delete(&self) -> Result<(), MlsError> {
        call(&self.core, "delete", || {
            self.core.store.write(|call| create::delete(call, &self.id))
        })
    }
}
