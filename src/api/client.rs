//! `MlsClient`: a database, and what a device does outside any group.

use std::{path::Path, sync::Arc, time::Duration};

use super::{
    ClientConfig, Core, CredentialValidator, GroupConfig, GroupId, GroupSummary, IdentityId, LogSink,
    MlsError, MlsGroup, Shared, WelcomeInfo, call,
    callbacks::{ForeignSink, ForeignValidator},
};
use zeroize::Zeroizing;

use crate::{
    error::{ArgumentProblem, Error},
    group::{Context, create, creation::Creation, join, validator::Validator},
    keys::leaf_node::LeafNodeOptions,
    log::{Level, Log, Sink},
    policy::{EarlyLimits, GroupSettings, Lifetimes},
    secret::Secret,
    storage::Store,
};

/// A device: one database file with its identities, key packages and groups.
///
/// Every call is one transaction: when it returns, what it did is on disk; when it fails, nothing happened. Calls
/// may come from any thread and from several processes that have the same file open; they wait for each other.
/// Opening one path twice in a process is the same as opening it in two processes.
#[derive(uniffi::Object)]
pub struct MlsClient {
    pub(super) core: Shared,
}

#[uniffi::export]
impl MlsClient {
    /// Opens the database, or creates it if the file does not exist or is empty.
    ///
    /// Stored: nothing in an existing file, unless it is of an older schema, which is brought up to date.
    /// Errors: `InvalidArgument` (a key that is not 32 bytes, a path that is a folder or in none, a value in
    /// `group_defaults`, `leaf_node` or `lifetimes` that is out of its bounds),
    /// `WrongDatabaseKey`, `StorageForeign`, `StorageTooNew`, `StorageRolledBack`, `StorageCorrupt`, `StorageLocked`,
    /// `StorageReadOnly`, `StorageFull`, `StorageBusy`; each leaves the file as it was.
    /// After a crash: whatever calls had returned is there; a call that had not is there whole or not at all.
    #[uniffi::constructor(default(validator = None, log_sink = None))]
    pub fn open(
        config: ClientConfig,
        validator: Option<Arc<dyn CredentialValidator>>,
        log_sink: Option<Arc<dyn LogSink>>,
    ) -> Result<Arc<Self>, MlsError> {
        Self::start("open", config, validator, log_sink, |_| Ok(()))
    }

    /// Creates a group with this device as its only member, in epoch 0 (RFC 9420, section 11). Without `config` the
    /// client's `group_defaults` hold. The suite is the identity's.
    ///
    /// Stored: the group. Nothing is sent; `add_members` invites.
    /// Errors: `IdentityNotFound`, `GroupAlreadyExists` (or an external join waits for it, or it waits to be rejoined),
    /// `InvalidArgument` with the field's name (`Unsupported`: this device's own leaf does not list what
    /// `required_capabilities` or `extensions` need of every member).
    #[uniffi::method(default(config = None))]
    pub fn create_group(
        &self,
        identity: IdentityId,
        config: Option<GroupConfig>,
    ) -> Result<Arc<MlsGroup>, MlsError> {
        call(&self.core, "create_group", || {
            let Core { store, context } = &*self.core;
            let (id, settings, creation) = match config {
                Some(mut config) => {
                    let id = config.group_id.take().map(Into::into);
                    (id, (&config).into(), config.try_into()?)
                }
                None => (None, context.settings.clone(), context.creation.clone()),
            };
            let chosen = (&settings, &creation);
            let id = store.write(|call| create::create(call, context, &identity.0, id, chosen))?;
            Ok(MlsGroup::new(&self.core, id))
        })
    }

    /// A handle to a group. Handles hold no state; make as many as you like. Errors: `GroupNotFound`,
    /// `GroupNotRejoined`.
    pub fn group(&self, group_id: GroupId) -> Result<Arc<MlsGroup>, MlsError> {
        call(&self.core, "group", || {
            let id = group_id.into();
            self.core.store.read(|call| create::exists(call, &id))?;
            Ok(MlsGroup::new(&self.core, id))
        })
    }

    /// All groups in the order in which they came, those that this device was removed from included. None is loaded.
    pub fn groups(&self) -> Result<Vec<GroupSummary>, MlsError> {
        call(&self.core, "groups", || {
            let groups = self.core.store.read(create::list)?;
            Ok(groups.into_iter().map(Into::into).collect())
        })
    }

    /// Opens and verifies a Welcome without joining: nothing is stored and nothing used up, so that the same Welcome
    /// can be looked at again, and joined. `ratchet_tree` is needed if the Welcome does not carry it.
    ///
    /// Errors: `WelcomeInvalid`, `MessageMalformed`, `UnsupportedCiphersuite`.
    #[uniffi::method(default(ratchet_tree = None))]
    pub fn inspect_welcome(
        &self,
        welcome: Vec<u8>,
        ratchet_tree: Option<Vec<u8>>,
    ) -> Result<WelcomeInfo, MlsError> {
        let info = call(&self.core, "inspect_welcome", || {
            let Core { store, context } = &*self.core;
            store.dry_run(|call| join::inspect(call, context, &welcome, ratchet_tree.as_deref()))
        })?;
        info.try_into()
    }

    /// Joins the group that a Welcome invites to (RFC 9420, section 12.4.3.1), after the validator accepted it.
    ///
    /// Stored: the group; the key package is deleted, unless it is one of last resort. Nothing is sent.
    /// A group that this device was removed from makes room for its new membership; an external join that waits is
    /// dropped, and one of `groups_to_rejoin` is joined with its configuration.
    /// Errors: `WelcomeInvalid`, `MessageMalformed`, `GroupAlreadyExists`, `CredentialRejected`,
    /// `UnsupportedCiphersuite`; after each of them the same Welcome can be tried again.
    #[uniffi::method(default(ratchet_tree = None))]
    pub fn join_from_welcome(
        &self,
        welcome: Vec<u8>,
        ratchet_tree: Option<Vec<u8>>,
    ) -> Result<Arc<MlsGroup>, MlsError> {
        call(&self.core, "join_from_welcome", || {
            let Core { store, context } = &*self.core;
            let id = store.write(|call| join::join(call, context, &welcome, ratchet_tree.as_deref()))?;
            Ok(MlsGroup::new(&self.core, id))
        })
    }
}

impl MlsClient {
    /// Opens the database after `prepare` has put it in its place. Whatever can be refused before that is, so that no
    /// database is left that the app believes not to be there.
    pub(super) fn start(
        name: &'static str,
        mut config: ClientConfig,
        validator: Option<Arc<dyn CredentialValidator>>,
        log_sink: Option<Arc<dyn LogSink>>,
        prepare: impl FnOnce(&Secret<32>) -> Result<(), Error>,
    ) -> Result<Arc<Self>, MlsError> {
        let log = Log::new(log_sink.map(|sink| Arc::new(ForeignSink(sink)) as Arc<dyn Sink>));
        let validator =
            validator.map(|validator| Arc::new(ForeignValidator(validator)) as Arc<dyn Validator>);
        let core =
            secret("database_key", std::mem::take(&mut config.database_key)).and_then(|database_key| {
                let context = context(&config, validator, log.clone())?;
                prepare(&database_key)?;
                let store = open_store(&config, &database_key)?;
                Ok(Core { store, context })
            });
        let core = core.map_err(|error| {
            let error = MlsError::from(error);
            log.event(Level::Error, name, &[("code", error.error_code().into())]);
            error
        })?;
        log.event(Level::Info, "opened", &[]);
        Ok(Arc::new(Self { core: Arc::new(core) }))
    }
}

/// A key that the app passes; the bytes it came in are wiped.
pub(super) fn secret(argument: &'static str, bytes: Vec<u8>) -> Result<Secret<32>, Error> {
    let bytes = Zeroizing::new(bytes);
    Secret::from_slice(&bytes).ok_or(Error::Argument {
        argument,
        problem: ArgumentProblem::WrongLength,
    })
}

fn context(config: &ClientConfig, validator: Option<Arc<dyn Validator>>, log: Log) -> Result<Context, Error> {
    let settings = config
        .group_defaults
        .as_ref()
        .map_or_else(GroupSettings::default, Into::into);
    settings.check()?;
    let creation = match &config.group_defaults {
        Some(defaults) => {
            defaults.check_no_id()?;
            defaults.clone().try_into()?
        }
        None => Creation::default(),
    };
    let leaf_node: LeafNodeOptions = config.leaf_node.clone().map_or_else(Default::default, Into::into);
    leaf_node.check()?;
    let lifetimes = config
        .lifetimes
        .as_ref()
        .map_or_else(Lifetimes::default, Into::into);
    lifetimes.check()?;
    Ok(Context {
        validator,
        log,
        settings,
        creation,
        leaf_node,
        lifetimes,
        inbox: config.inbox,
        early: config
            .early_limits
            .as_ref()
            .map_or_else(EarlyLimits::default, Into::into),
    })
}

fn open_store(config: &ClientConfig, database_key: &Secret<32>) -> Result<Store, Error> {
    Store::open(
        Path::new(&config.database_path),
        database_key,
        Duration::from_millis(config.busy_timeout_ms.into()),
        config.minimum_generation,
    )
}
