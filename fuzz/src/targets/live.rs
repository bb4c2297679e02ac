//! A client that takes thousands of inputs: what it refuses must leave it as it was, and what it accepts must be
//! readable from disk. Then it is put back to where it began.

use std::{path::Path, sync::Arc};

use mls_mobile::{MlsClient, MlsError};
use tempfile::TempDir;

use super::folder;
use crate::common::{KEY, template};

/// How often memory is compared with the start although nothing was stored: it takes longer than an input.
const LOOK_EVERY_REFUSAL: u32 = 256;

pub struct Live {
    /// The closed database.
    template: Vec<(String, Vec<u8>)>,
    client: Option<Arc<MlsClient>>,
    copy: TempDir,
    /// Of the template, and after the last call.
    generation: u64,
    now: u64,
    start: String,
    /// Whether the state has no suspicion of a fork yet, and the first message that does not decrypt adds it.
    may_suspect: bool,
    look_every: u64,
    refusals: u32,
    /// Inputs that changed something.
    pub changes: u64,
}

impl Live {
    /// Over a copy, in `scratch`, of the closed database in `template`. Every so many changes memory is compared with
    /// the file, which takes longer than an input too.
    pub fn new(template: &Path, scratch: &Path, may_suspect: bool, look_every: u64) -> Self {
        let mut live = Self {
            template: folder::read(template),
            client: None,
            copy: tempfile::tempdir_in(scratch).unwrap(),
            generation: 0,
            now: 0,
            may_suspect,
            look_every,
            start: String::new(),
            refusals: 0,
            changes: 0,
        };
        live.put_back();
        live.generation = generation(live.client());
        live.now = live.generation;
        live.start = seen(live.client());
        live
    }

    pub fn client(&self) -> &MlsClient {
        self.client.as_ref().unwrap()
    }

    /// Makes a call with bytes from outside: its answer, if it is not a refusal.
    pub fn call<T>(&mut self, call: impl FnOnce(&MlsClient) -> Result<T, MlsError>) -> Option<T> {
        let before = self.now;
        let answer = call(self.client());
        self.now = generation(self.client());
        match answer {
            Ok(answer) => Some(answer),
            Err(error) => {
                assert_is_typed(&error);
                assert!(
                    self.now == before || self.only_suspects(),
                    "stored in spite of {error:?}"
                );
                None
            }
        }
    }

    pub fn has_changed(&self) -> bool {
        self.now != self.generation
    }

    /// Whether all that is new is the suspicion of a fork, in each group that something did not decrypt in.
    pub fn only_suspects(&self) -> bool {
        self.may_suspect
            && seen(self.client()).replace("fork_suspected: true", "fork_suspected: false") == self.start
    }

    /// Ends an input: looks whether memory and file still say the same, and puts the client back if it has changed.
    pub fn end(&mut self) {
        if !self.has_changed() {
            self.refusals += 1;
            if self.refusals.is_multiple_of(LOOK_EVERY_REFUSAL) {
                assert_eq!(seen(self.client()), self.start, "memory has changed");
            }
            return;
        }
        if self.changes.is_multiple_of(self.look_every) {
            let in_memory = seen(self.client());
            self.open();
            assert_eq!(seen(self.client()), in_memory, "the file says something else");
        }
        self.changes += 1;
        self.put_back();
        self.now = self.generation;
    }

    fn put_back(&mut self) {
        self.client = None;
        let mut files = Vec::new();
        for (name, content) in &self.template {
            files.push((name.as_str(), content.as_slice()));
        }
        folder::lay(self.copy.path(), &files);
        self.open();
    }

    /// Closes the database and opens it again.
    fn open(&mut self) {
        self.client = None;
        self.client = Some(template::open_at(self.copy.path(), KEY).unwrap());
    }
}

/// Bytes from outside are never our own mistake, nor the disk's.
pub fn assert_is_typed(error: &MlsError) {
    assert!(
        !matches!(error, MlsError::Internal { .. }) && !(200..300).contains(&error.error_code()),
        "{error:?}"
    );
}

/// Counts transactions that changed a row.
fn generation(client: &MlsClient) -> u64 {
    client.storage_info().unwrap().generation
}

/// All that an app can read.
fn seen(client: &MlsClient) -> String {
    let groups: Vec<_> = client
        .groups()
        .unwrap()
        .into_iter()
        .map(|summary| {
            let group = client.group(summary.group_id.clone()).unwrap();
            let state = group.info().unwrap();
            let join = client.pending_external_join(summary.group_id.clone()).unwrap();
            let known = (group.members().unwrap(), group.external_senders().unwrap());
            (summary, state, known, group.pending_commit().unwrap(), join)
        })
        .collect();
    let own = (client.identities().unwrap(), client.key_packages().unwrap());
    format!("{:?}", (groups, own, client.inbox(100).unwrap()))
}
