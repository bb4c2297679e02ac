//! What a device may answer to a message, given what the model knows.

use mls_mobile::{CommitState, MlsError, ProcessedMessage};

use crate::{service::Content, world::World};

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
            let kind = entry
                .text()
                .unwrap_or(if entry.is_commit() { "Commit" } else { "Proposal" });
            panic!(
                "{to}, joined {:?}, in {before:?}: message {place} ({kind}, epoch {}, of {}) became {result:?}",
                phone.joined, entry.epoch, entry.by,
            )
        };
        let given = phone.given.contains(&place);
        let outcome = match result {
            Ok(outcome) => outcome,
            Err(MlsError::CredentialRejected) if doubt && phone.has_validator() && entry.text().is_none() => {
                return;
            }
            // It was removed: what comes now is lost for it.
            Err(MlsError::GroupInactive) if phone.epoch().is_none() => {
                if !given && entry.text().is_some() {
                    self.count("unread after a removal");
                }
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
                    && entry.text().map(str::as_bytes) == Some(plaintext);
                if !right {
                    complain();
                }
            }
            ProcessedMessage::Commit { summary, state, .. } => {
                let waits = *state == CommitState::Staged;
                if !entry.is_commit()
                    || entry.by == to
                    || summary.from_epoch != entry.epoch
                    || waits == phone.has_validator()
                {
                    complain();
                }
            }
            ProcessedMessage::OwnCommit { epoch, .. } => {
                if !entry.is_commit() || entry.by != to || *epoch != entry.epoch + 1 {
                    complain();
                }
            }
            ProcessedMessage::OwnMessage => {
                if entry.text().is_none() || entry.by != to {
                    complain();
                }
            }
            ProcessedMessage::Duplicate => {
                // An own Commit that was merged by hand is known, too.
                if !(given || entry.is_commit() && entry.by == to) {
                    complain();
                }
            }
            ProcessedMessage::Proposal { .. } => {
                if !matches!(entry.content, Content::Proposal) {
                    complain();
                }
            }
            // Only handshakes grow old here, and Commits are long known then.
            ProcessedMessage::Stale { .. } => {
                if entry.text().is_some() || entry.is_commit() && !(given || entry.by == to) {
                    complain();
                }
            }
            // Before the Commit, or its replay, that begins the epoch.
            ProcessedMessage::Early { epoch } => {
                let lacks_proposals = entry.is_commit() && self.proposer.is_some();
                let ahead =
                    before.is_some_and(|before| before < *epoch || before == *epoch && lacks_proposals);
                if *epoch != entry.epoch || !ahead {
                    complain();
                }
            }
            _ => complain(),
        }
        self.count(name(outcome));
        match outcome {
            ProcessedMessage::Commit { released, .. }
            | ProcessedMessage::Proposal { released, .. }
            | ProcessedMessage::OwnCommit { released, .. } => {
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
        ProcessedMessage::Proposal { released, .. } => {
            if released.is_empty() {
                "Proposal"
            } else {
                "Proposal that a Commit lacked"
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
