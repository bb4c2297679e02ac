//! Signers that the app attaches, for identities whose key the library never sees. They are in memory only.

use std::{
    cell::Cell,
    collections::BTreeMap,
    rc::Rc,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use crate::log::{Level, Log};

/// What the app signs with.
pub(crate) trait AppSigner: Send + Sync {
    /// `None` when the callback failed.
    fn sign(&self, bytes: &[u8]) -> Option<Vec<u8>>;
}

/// Why there is no signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SigningFailure {
    /// None was attached since the database was opened.
    Missing,
    /// It failed, or its signature does not verify.
    Failed,
}

/// The first failure of a call, because OpenMLS replaces it by an error of its own.
#[derive(Clone, Debug, Default)]
pub(crate) struct FirstFailure(Rc<Cell<Option<SigningFailure>>>);

impl FirstFailure {
    pub(crate) fn keep(&self, failure: SigningFailure) {
        self.0.set(self.0.get().or(Some(failure)));
    }

    pub(crate) fn take(&self) -> Option<SigningFailure> {
        self.0.take()
    }
}

/// A callback that takes longer holds up every other call on the database, so it is worth a line in the log.
const SLOW: Duration = Duration::from_secs(1);

/// A signer, and where its failures are reported.
#[derive(Clone)]
pub(crate) struct AttachedSigner {
    signer: Arc<dyn AppSigner>,
    log: Log,
}

impl AttachedSigner {
    pub(crate) fn new(signer: Arc<dyn AppSigner>, log: Log) -> Self {
        Self { signer, log }
    }

    pub(crate) fn sign(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        let start = Instant::now();
        let signature = self.signer.sign(bytes);
        let elapsed = start.elapsed();
        let line = match signature {
            None => Some((Level::Error, "signer_failed")),
            Some(_) if elapsed > SLOW => Some((Level::Warn, "signer_slow")),
            Some(_) => None,
        };
        if let Some((level, event)) = line {
            let milliseconds = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
            self.log.event(level, event, &[("milliseconds", milliseconds)]);
        }
        signature
    }
}

/// The attached signers of an open database, by the public signature key of their identity.
#[derive(Default)]
pub(crate) struct Signers(Mutex<BTreeMap<Vec<u8>, AttachedSigner>>);

impl Signers {
    pub(crate) fn attach(&self, signature_key: Vec<u8>, signer: AttachedSigner) {
        self.lock().insert(signature_key, signer);
    }

    pub(crate) fn detach(&self, signature_key: &[u8]) {
        self.lock().remove(signature_key);
    }

    pub(crate) fn detach_all(&self) {
        self.lock().clear();
    }

    pub(crate) fn get(&self, signature_key: &[u8]) -> Option<AttachedSigner> {
        self.lock().get(signature_key).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Vec<u8>, AttachedSigner>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
