//! Changing keys: the app's key without rewriting anything, and the data key by sealing everything again.

use rusqlite::Connection;

use super::{
    error::StorageError,
    fault::{self, Point},
    header::{self, Transfer},
    key_slots, migrations,
    open::Database,
    reseal,
    store::{State, Store},
    tx::check_interrupted,
};
use crate::{error::Error, secret::Secret};

impl Store {
    /// Wraps the data key for `new` as well. Both keys open until [`Self::confirm_rekey`], so that an app that is
    /// killed before it has saved the new key is not locked out.
    pub(crate) fn rekey(&self, new: &Secret<32>) -> Result<(), Error> {
        self.maintain(|tx, state| {
            // The key that the app surely has: not the one that an unconfirmed `rekey` of this client made.
            let own = key_slots::slot_of(tx, state.database_key)?;
            let oldest = key_slots::list(tx)?.first().copied();
            let keep = if *state.rekeyed {
                oldest.unwrap_or(own)
            } else {
                own
            };
            key_slots::add(tx, state.database_key, new, keep)?;
            Ok(|state: &mut Maintained<'_>| {
                *state.database_key = new.clone();
                *state.rekeyed = true;
            })
        })
    }

    /// Erases the wrap of the old key. Refused to a client that holds the old one: it would lock the app out.
    pub(crate) fn confirm_rekey(&self) -> Result<(), Error> {
        self.maintain(|tx, state| {
            let own = key_slots::slot_of(tx, state.database_key)?;
            if key_slots::list(tx)?.last() != Some(&own) {
                return Err(StorageError::WrongKey);
            }
            key_slots::keep_only(tx, own)?;
            Ok(|state: &mut Maintained<'_>| *state.rekeyed = false)
        })
    }

    /// Makes a new data key and seals every value with it: who has an old file and its key opens nothing newer.
    pub(crate) fn rotate_data_key(&self) -> Result<(), Error> {
        let interrupted = &self.interrupted;
        self.maintain(|tx, state| {
            // A client whose key was replaced would wrap the new data key for the old one, and lock the app out.
            let own = key_slots::slot_of(tx, state.database_key)?;
            if key_slots::list(tx)?.len() > 1 {
                return Err(StorageError::RekeyPending);
            }
            let sealer = key_slots::renew(tx, &state.keys.sealer, state.database_key, own)?;
            reseal::all(tx, &state.keys.sealer, &sealer, interrupted)?;
            let key_epoch = state.keys.key_epoch + 1;
            Ok(move |state: &mut Maintained<'_>| {
                state.keys.sealer = sealer;
                state.keys.key_epoch = key_epoch;
            })
        })
    }

    /// Runs `work` in a transaction of its own, then what it returns, which brings memory in line, then erases.
    fn maintain<After: FnOnce(&mut Maintained<'_>)>(
        &self,
        work: impl FnOnce(&Connection, &mut Maintained<'_>) -> Result<After, StorageError>,
    ) -> Result<(), Error> {
        let mut entered = self.entered(self.gate.enter()?);
        let State {
            phase,
            groups,
            database_key,
            rekeyed,
            erasure,
            ..
        } = &mut *entered.state;
        let Database { connection, keys, .. } = phase.database()?;
        let connection: &Connection = connection;
        groups.clear();
        fault::hit(Point::BeforeBegin)?;
        let tx = self.immediate(connection)?;
        // Another process may have changed the schema or the data key, or moved the database away.
        migrations::version(&tx)?;
        let header = header::read(&tx)?;
        if header.transfer != Transfer::InUse {
            return Err(StorageError::Transferred.into());
        }
        if header.key_epoch != keys.key_epoch {
            *keys = key_slots::unlock(&tx, database_key)?;
        }
        let mut state = Maintained {
            keys,
            database_key,
            rekeyed,
        };
        fault::hit(Point::BeforeStatement)?;
        let after = work(&tx, &mut state)?;
        fault::hit(Point::AfterStatement)?;
        header::raise_in(&tx)?;
        check_interrupted(&self.interrupted)?;
        fault::hit(Point::BeforeCommit)?;
        tx.commit().map_err(StorageError::from)?;
        fault::hit(Point::AfterCommit)?;
        after(&mut state);
        erasure.erase(connection);
        fault::hit(Point::AfterCommit)?;
        Ok(())
    }
}

/// What a change of keys changes in memory.
struct Maintained<'s> {
    keys: &'s mut key_slots::Unlocked,
    database_key: &'s mut Secret<32>,
    rekeyed: &'s mut bool,
}
