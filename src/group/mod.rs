//! MLS verbs over a transaction: no SQL below this line of sight, no uniffi above it.

pub(crate) mod batch;
pub(crate) mod commit;
mod configuration;
pub(crate) mod create;
pub(crate) mod creation;
pub(crate) mod deferred;
pub(crate) mod early;
mod epoch;
pub(crate) mod export;
pub(crate) mod extensions;
pub(crate) mod external_join;
pub(crate) mod join;
pub(crate) mod join_proposal;
pub(crate) mod leaf_node;
pub(crate) mod mailbox;
pub(crate) mod membership;
pub(crate) mod outcome;
pub(crate) mod own_message;
pub(crate) mod past_epochs;
pub(crate) mod pending;
pub(crate) mod process;
pub(crate) mod proposals;
pub(crate) mod propose;
mod psk_rules;
pub(crate) mod psks;
pub(crate) mod recovery;
mod refusal;
pub(crate) mod send;
pub(crate) mod staged;
pub(crate) mod state;
pub(crate) mod summary;
pub(crate) mod validator;

use std::sync::Arc;

use openmls::group::{GroupId, MlsGroup, MlsGroupStateError};

use crate::{
    error::Error,
    keys::leaf_node::LeafNodeOptions,
    log::Log,
    policy::{EarlyLimits, GroupSettings, Lifetimes},
    provider::Provider,
    storage::{
        Call, StorageError, WriteTx,
        cache::LiveGroup,
        call,
        groups::{self, GroupRecord},
        openmls::Transaction,
        secret_parts::{Epochs, HeldSecrets},
    },
};

/// What a call knows besides its arguments and its transaction.
pub(crate) struct Context {
    pub(crate) validator: Option<Arc<dyn validator::Validator>>,
    pub(crate) log: Log,
    /// Settings of groups that are joined, and of those that are created without any.
    pub(crate) settings: GroupSettings,
    /// What groups begin with that are created without any.
    pub(crate) creation: creation::Creation,
    /// What leaves say that are made without a word about it.
    pub(crate) leaf_node: LeafNodeOptions,
    pub(crate) lifetimes: Lifetimes,
    /// Whether outcomes are kept until the app acknowledges them.
    pub(crate) inbox: bool,
    /// How much is kept of what comes too early.
    pub(crate) early: EarlyLimits,
}

/// A group in the hands of one call.
pub(crate) struct Live<'t, Tx> {
    pub(crate) tx: &'t Tx,
    pub(crate) provider: Provider<'t>,
    pub(crate) group: MlsGroup,
    pub(crate) record: GroupRecord,
    /// What a merge in this call made of the own message that waited for it; `early::release` hands it out.
    own_messages: Vec<outcome::Outcome>,
}

impl Live<'_, WriteTx<'_>> {
    /// Runs `work` in a savepoint. If it fails, what it changed is undone, in the file and in memory; a failure of
    /// storage itself is the outer error.
    fn attempt<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, Error>,
    ) -> Result<Result<T, Error>, Error> {
        call::begin_savepoint(self.tx)?;
        let result = work(self);
        let result = call::end_savepoint(self.tx, result)?;
        if result.is_err() {
            let LiveGroup {
                mls,
                record,
                secrets,
                tree,
                ..
            } = load(self.tx, &self.record.group_id, |_| Epochs::All)?;
            self.group = mls;
            self.record = record;
            self.tx.lend_secrets(secrets);
            self.tx.lend_tree(tree);
            self.own_messages.clear();
        }
        Ok(result)
    }
}

/// Lends the group to `work`, from memory if it is there. If `work` fails the group is dropped, because OpenMLS may
/// have changed it; the transaction's rollback does the same to its rows. A group that is ahead of its rows cannot be
/// dropped (`deferred.rs`).
pub(crate) fn with_group<Tx: Transaction, T>(
    call: &mut Call<'_, Tx>,
    id: &GroupId,
    work: impl FnOnce(&mut Live<'_, Tx>) -> Result<T, Error>,
) -> Result<T, Error> {
    with_epochs(call, id, |_| Epochs::All, work)
}

/// As [`with_group`], for what needs no message secrets of past epochs: a group that is not in memory comes there without
/// them.
pub(crate) fn with_current_epoch<Tx: Transaction, T>(
    call: &mut Call<'_, Tx>,
    id: &GroupId,
    work: impl FnOnce(&mut Live<'_, Tx>) -> Result<T, Error>,
) -> Result<T, Error> {
    with_epochs(call, id, |_| Epochs::Current, work)
}

/// As [`with_group`], where the record tells which epochs' message secrets `work` needs. Those that it does not need it
/// cannot lose: storage refuses to write without them anything but the current epoch's.
fn with_epochs<Tx: Transaction, T>(
    call: &mut Call<'_, Tx>,
    id: &GroupId,
    needs: impl FnOnce(&GroupRecord) -> Epochs,
    work: impl FnOnce(&mut Live<'_, Tx>) -> Result<T, Error>,
) -> Result<T, Error> {
    let cached = call.take_group(id);
    let tx = &call.tx;
    let LiveGroup {
        mls: group,
        record,
        is_ahead,
        counted,
        secrets,
        tree,
        tree_hashes,
    } = match cached {
        None => load(tx, id, needs)?,
        Some(group) if !group.secrets.lacks_past_epochs() || needs(&group.record) == Epochs::Current => group,
        // Loading it again would lose ratchet steps: `deferred::step` has flushed it.
        Some(group) if group.is_ahead => return Err(StorageError::LostWrites.into()),
        Some(group) => {
            drop(group);
            load(tx, id, |_| Epochs::All)?
        }
    };
    let provider = Provider::of_group(tx.storage(), Arc::clone(&tree_hashes))?;
    tx.read().lend_secrets(secrets);
    tx.read().lend_tree(tree);
    let mut live = Live {
        tx,
        provider,
        group,
        record,
        own_messages: Vec::new(),
    };
    let result = work(&mut live);
    let Live {
        group: mls, record, ..
    } = live;
    let deferred = call.tx.take_deferred();
    let group = LiveGroup {
        mls,
        record,
        is_ahead: is_ahead || deferred,
        counted,
        secrets: call.tx.read().take_secrets(),
        tree: call.tx.read().take_tree(),
        tree_hashes,
    };
    match &result {
        Ok(_) => call.keep_group(group),
        Err(_) if !is_ahead => {}
        // A storage failure, hidden or not, rolls the transaction back, and this group with it. What its rows hold is
        // found out anew, because the savepoint is undone.
        Err(_) if !deferred => call.put_back(LiveGroup {
            secrets: group.secrets.without_rows(),
            tree: None,
            ..group
        }),
        Err(Error::Storage(_)) => {}
        // It took the ratchet's step and failed: neither memory nor the rows are right any more. Nothing does this.
        Err(_) => {
            call.tx.read().keep(StorageError::LostWrites);
        }
    }
    result
}

fn load<Tx: Transaction>(
    tx: &Tx,
    id: &GroupId,
    needs: impl FnOnce(&GroupRecord) -> Epochs,
) -> Result<LiveGroup, Error> {
    let record = groups::get(tx.read(), id)?.ok_or_else(|| recovery::missing(tx.read(), id))?;
    // A group that could not be loaded may have left what it was to hold.
    tx.read().lend_secrets(HeldSecrets::default());
    let mls = tx
        .read()
        .loading(needs(&record), || MlsGroup::load(&tx.storage(), id))?;
    // A listed group whose state is gone was damaged.
    let mls = mls.ok_or(StorageError::Corrupt)?;
    Ok(LiveGroup::new(tx.read(), mls, record))
}

/// A removed device's keys and tree are those of a past epoch: nothing may be made with them.
fn check_active(group: &MlsGroup) -> Result<(), Error> {
    if group.is_active() {
        Ok(())
    } else {
        Err(MlsGroupStateError::UseAfterEviction.into())
    }
}

/// As [`check_active`], and a device that went its own way is heard by nobody.
fn check_in_step(live: &Live<'_, WriteTx<'_>>) -> Result<(), Error> {
    check_active(&live.group)?;
    match live.record.rejected_epoch {
        Some(rejected_epoch) => Err(Error::GroupDiverged { rejected_epoch }),
        None => Ok(()),
    }
}
