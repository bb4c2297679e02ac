//! What a device may answer to a message, given what the model knows.

use mls_mobile::{CommitState, MlsError, ProcessedMessage};

use crate::world::World;

impl World {
    /// Judges one outcome, before the message counts as given. `before` is the device's epoch before the call, `doubt`
    /// whether its validator fails.
    pub fn judge(
        &mut self,
        to: usize,
        before: Option<u64>,
        doubt: bool,
        place: usize,
        result: &Result<ProcessedMessage, MlsError>,
    ) {
        let (phone, entry) = (&self.phones[to], &self.service.log[place]);
        let complain = || -> ! {
            let kind = entry.text.as_deref().unwrap_or("Commit");
            panic!(
                "{to}, joined {:?}, in {before:?}: message {place} ({kind}, epoch {}, of {}) became {result:?}",
                phone.joined, entry.epoch, entry.by,
            )
        };
        let given = phone.given.contains(&place);
        let outcome = match result {
            Ok(outcome) => outcome,
            Err(MlsError::CredentialRejected) if doubt && phone.has_validator() && entry.text.is_none() => {
                return;
            }
            // It was removed: what comes now is lost for it.
            Err(MlsError::GroupInactive) if phone.epoch().is_none() => {
                self.phones[to].missed.insert(place);
                return;
            }
            Err(_) => complain(),
        };
        // Of a time when it was not in, or in for another time.
        if Some(entry.epoch) < phone.joined {
            match outcome {
                ProcessedMessage::Stale { epoch } if *epoch == entry.epoch => {}
                // Removed and back: the Commits are still known.
                ProcessedMessage::Duplicate if given => {}
                _ => complain(),
            }
            self.phones[to].missed.insert(place);
            return;
        }
        match outcome {
            ProcessedMessage::Application { epoch, plaintext, .. } => {
                let right = *epoch == entry.epoch
                    && entry.by != to
                    && entry.text.as_ref().map(String::as_bytes) == Some(plaintext);
                if !right {
                    complain();
                }
            }
            ProcessedMessage::Commit { summary, state, .. } => {
                let waits = *state == CommitState::Staged;
                if entry.text.is_some()
                    || entry.by == to
                    || summary.from_epoch != entry.epoch
                    || waits == phone.has_validator()
                {
                    complain();
                }
            }
            ProcessedMessage::OwnCommit { epoch, .. } => {
                if entry.text.is_some() || entry.by != to || *epoch != entry.epoch + 1 {
                    complain();
                }
            }
            ProcessedMessage::OwnMessage => {
                if entry.text.is_none() || entry.by != to {
                    complain();
                }
            }
            ProcessedMessage::Duplicate => {
                // An own Commit that was merged by hand is known, too.
                if !given && !(entry.text.is_none() && entry.by == to) {
                    complain();
                }
            }
            // Only Commits grow old here, and are long known then.
            ProcessedMessage::Stale { .. } => {
                if entry.text.is_some() || !(given || entry.by == to) {
                    complain();
                }
            }
            // Before the Commit, or its replay, that begins the epoch.
            ProcessedMessage::Early { epoch } => {
                if *epoch != entry.epoch || before.is_none_or(|before| before >= *epoch) {
                    complain();
                }
            }
            _ => complain(),
        }
        self.count(name(outcome));
        match outcome {
            ProcessedMessage::Commit { released, .. } | ProcessedMessage::OwnCommit { released, .. } => {
                self.expect_in_inbox(to, outcome);
                self.promise(to, released);
            }
            ProcessedMessage::Application { .. } => self.expect_in_inbox(to, outcome),
            _ => {}
        }
    }
}

fn name(outcome: &ProcessedMessage) -> &'static str {
    match outcome {
        ProcessedMessage::Application { .. } => "Application",
        ProcessedMessage::Commit { superseded, .. } => {
            if superseded.is_some() {
                "Commit that won"
            } else {
                "Commit"
            }
        }
        ProcessedMessage::OwnCommit { .. } => "OwnCommit",
        ProcessedMessage::OwnMessage => "OwnMessage",
        ProcessedMessage::Duplicate => "Duplicate",
        ProcessedMessage::Stale { .. } => "Stale",
        ProcessedMessage::Early { .. } => "Early",
        _ => "other",
    }
}
