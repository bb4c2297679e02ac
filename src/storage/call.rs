//! A call within its transaction, and the part of it that can be undone alone.

use openmls::group::GroupId;

use super::{
    cache::{GroupCache, LiveGroup},
    error::StorageError,
    tx::{Savepoint, WriteTx},
};
use crate::error::Error;

/// A call within its transaction: the transaction, and the live groups that go with it.
pub(crate) struct Call<'c, Tx> {
    pub(crate) tx: Tx,
    groups: &'c mut GroupCache,
    /// Groups that went back into memory before the call's end.
    kept: Vec<GroupId>,
}

impl<'c, Tx> Call<'c, Tx> {
    pub(super) fn new(tx: Tx, groups: &'c mut GroupCache) -> Self {
        Self {
            tx,
            groups,
            kept: Vec::new(),
        }
    }

    pub(crate) fn take_group(&mut self, id: &GroupId) -> Option<LiveGroup> {
        self.groups.take(id)
    }

    pub(crate) fn keep_group(&mut self, group: LiveGroup) {
        self.kept.push(group.record.group_id.clone());
        self.groups.put(group);
    }

    /// Puts back a group that is as it was when it was taken, whatever becomes of the savepoint.
    pub(crate) fn put_back(&mut self, group: LiveGroup) {
        self.groups.put(group);
    }

    /// The transaction and all groups in memory.
    pub(crate) fn tx_and_groups(&mut self) -> (&Tx, impl Iterator<Item = &mut LiveGroup>) {
        (&self.tx, self.groups.iter_mut())
    }

    /// Takes out a group that is too much for the memory, while there is one. The end of a call does the same.
    pub(crate) fn groups_over_budget(&mut self) -> Option<LiveGroup> {
        self.groups.take_over_budget()
    }

    /// Forgets groups that are too much for the memory, at the call's end: none is ahead of its rows.
    pub(super) fn make_room(&mut self) {
        self.groups.make_room();
    }

    /// Forgets all groups that were kept: the transaction rolls back.
    pub(super) fn forget_kept(&mut self) {
        self.forget_since(0);
    }

    /// Forgets the groups that were kept since `mark`: the file does not hold what they hold. Tells whether one was
    /// ahead of its rows.
    fn forget_since(&mut self, mark: usize) -> bool {
        let mut lost = false;
        for id in self.kept.split_off(mark) {
            lost |= self.groups.take(&id).is_some_and(|group| group.is_ahead);
        }
        lost
    }
}

impl Call<'_, WriteTx<'_>> {
    /// Runs `work` in a savepoint. If it fails, what it changed is undone, in the file and in memory, and the
    /// transaction goes on; a failure of storage itself is the outer error, because nothing can go on then.
    pub(crate) fn savepoint<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, Error>,
    ) -> Result<Result<T, Error>, Error> {
        begin_savepoint(&self.tx)?;
        let mark = self.kept.len();
        let result = work(self);
        let result = end_savepoint(&self.tx, result)?;
        if result.is_err() && self.forget_since(mark) {
            // Steps from before the savepoint may be gone with it: only the whole transaction can be undone.
            return Err(StorageError::LostWrites.into());
        }
        Ok(result)
    }

    /// Runs `work` and undoes what it changed, in the file and in memory: only its answer stays.
    pub(crate) fn provisional<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, Error>,
    ) -> Result<T, Error> {
        begin_savepoint(&self.tx)?;
        let mark = self.kept.len();
        let result = work(self);
        let result = undo_savepoint(&self.tx, result);
        self.forget_since(mark);
        result
    }
}

/// Begins what is kept or undone as one. Savepoints nest.
pub(crate) fn begin_savepoint(tx: &WriteTx<'_>) -> Result<(), Error> {
    tx.savepoint(Savepoint::Begin).map_err(Into::into)
}

/// Ends the savepoint in which `result` was made: keeps what it changed, or undoes it. A failure of storage itself is
/// the outer error, but for a damaged value: it is the damage of one group, and the others go on.
pub(crate) fn end_savepoint<T>(
    tx: &WriteTx<'_>,
    result: Result<T, Error>,
) -> Result<Result<T, Error>, Error> {
    match settle(result, tx.take_failure()) {
        Err(Error::Storage(failure)) if !matches!(failure, StorageError::Corrupt) => Err(failure.into()),
        result => {
            let undo = result.is_err();
            tx.savepoint(if undo { Savepoint::Undo } else { Savepoint::Keep })?;
            Ok(result)
        }
    }
}

/// Ends the savepoint in which `result` was made and undoes what it changed, whatever it is.
fn undo_savepoint<T>(tx: &WriteTx<'_>, result: Result<T, Error>) -> Result<T, Error> {
    let result = settle(result, tx.take_failure());
    // After a failure of storage the whole transaction rolls back.
    if !matches!(result, Err(Error::Storage(_))) {
        tx.savepoint(Savepoint::Undo)?;
    }
    result
}

/// OpenMLS reports failures of storage and of signers as its own errors: the one that the transaction kept is the true
/// one.
pub(super) fn settle<T>(result: Result<T, Error>, failure: Option<Error>) -> Result<T, Error> {
    match failure {
        Some(failure) => Err(failure),
        None => result,
    }
}
