//! The end of a history: everything arrives, and then all must agree and have read everything once.

use std::collections::BTreeSet;

use mls_mobile::{EarlyRefusal, ProcessedMessage};

use crate::{
    common::name_of,
    script::{Answer, Fault},
    world::World,
};

/// Rounds in which everything must have come to rest: each merges a Commit at least.
const ROUNDS: usize = 100;

impl World {
    /// Nothing goes wrong any more, until nothing is under way.
    pub fn settle(&mut self) {
        for _ in 0..ROUNDS {
            let mut moved = false;
            for number in 0..self.phones.len() {
                moved |= self.settle_one(number);
            }
            if !moved {
                return;
            }
        }
        panic!("it never comes to rest");
    }

    fn settle_one(&mut self, number: usize) -> bool {
        let mut moved = false;
        if self.invitation(number).is_some() && self.phones[number].epoch().is_none() {
            self.join(number, Fault::None);
            moved |= self.phones[number].epoch().is_some();
        }
        if self.phones[number].epoch().is_some() {
            if self.phones[number].pending().is_some() {
                self.submit(number, Answer::Now, Fault::None);
                moved = true;
            }
            let info = self.phones[number].info().unwrap();
            if info.staged_commit.is_some() {
                self.merge_staged(number, Fault::None);
                moved = true;
            } else if self.phones[number].rejected && info.early_messages > 0 {
                moved |= self.release(number, Fault::None);
            }
        }
        let places = self.deliverable(number);
        if !places.is_empty() {
            let handled = self.hand_over(number, &places, true, false, Fault::None);
            assert_eq!(handled, places.len());
            self.service.backlog[number].retain(|place| !places.contains(place));
            moved = true;
        }
        while !self.phones[number].client().inbox(1).unwrap().is_empty() {
            self.read_inbox(number, 64, true, Fault::None);
            moved = true;
        }
        moved
    }

    pub fn check(&mut self) {
        self.check_agreement();
        for number in 0..self.phones.len() {
            self.check_read(number);
            self.check_commits(number);
        }
        self.everything_again();
        self.go_on();
    }

    fn check_agreement(&self) {
        let members = self.service.members_at(self.service.epoch());
        let mut expected_names: BTreeSet<_> = members.iter().map(ToString::to_string).collect();
        let mut authenticators = BTreeSet::new();
        if let Some(proposer) = &self.proposer {
            expected_names.insert("proposer".to_owned());
            authenticators.insert(proposer.authenticator());
        }
        for phone in &self.phones {
            let number = phone.number;
            if !members.contains(&number) {
                assert_eq!(phone.epoch(), None, "{number} was removed");
                continue;
            }
            let info = phone.info().unwrap();
            assert_eq!(
                (
                    info.epoch,
                    info.is_active,
                    info.early_messages,
                    info.fork_suspected
                ),
                (self.service.epoch(), true, 0, false),
                "{number}"
            );
            let group = phone.client().group(self.id.clone()).unwrap();
            let found = group.members().unwrap();
            assert_eq!(found.len(), expected_names.len(), "{number}");
            let names: BTreeSet<_> = found.iter().map(|member| name_of(&member.credential)).collect();
            assert_eq!(names, expected_names, "{number}");
            authenticators.insert(info.epoch_authenticator);
        }
        assert_eq!(authenticators.len(), 1);
    }

    /// Each message of others, of each epoch in which it was a member, exactly once.
    fn check_read(&self, number: usize) {
        let phone = &self.phones[number];
        let read: Vec<_> = phone
            .saved
            .values()
            .filter_map(|entry| match &entry.outcome {
                ProcessedMessage::Application { plaintext, .. } => Some(plaintext.as_slice()),
                ProcessedMessage::Commit { .. }
                | ProcessedMessage::OwnCommit { .. }
                | ProcessedMessage::Proposal { .. }
                | ProcessedMessage::EarlyRefused {
                    reason: EarlyRefusal::Rejected,
                    ..
                } => None,
                other => panic!("{number}: {other:?}"),
            })
            .collect();
        let mut expected = 0;
        for (place, entry) in self.service.log.iter().enumerate() {
            let Some(text) = entry.text() else { continue };
            let times = read.iter().filter(|read| **read == text.as_bytes()).count();
            let is_for_it = entry.by != number && self.service.members_at(entry.epoch).contains(&number);
            let wanted = if is_for_it {
                // It may have come before and again when the device was out.
                if times == 0 && phone.missed.contains(&place) {
                    0
                } else {
                    1
                }
            } else {
                0
            };
            assert_eq!(
                times, wanted,
                "{number}: {text}, message {place}, epoch {}",
                entry.epoch
            );
            expected += wanted;
        }
        assert_eq!(read.len(), expected, "{number}: messages that nobody sent");
        let references: Vec<_> = phone
            .saved
            .values()
            .filter_map(|entry| match &entry.outcome {
                ProcessedMessage::Proposal { reference, .. } => Some(reference),
                _ => None,
            })
            .collect();
        let distinct: BTreeSet<_> = references.iter().collect();
        assert_eq!(distinct.len(), references.len(), "{number}: a proposal twice");
        for promised in &phone.promised {
            assert!(
                phone.saved.contains_key(promised),
                "{number}: entry {promised} is lost"
            );
        }
    }

    /// Each Commit of others exactly once, each own one at most once.
    fn check_commits(&self, number: usize) {
        let saved = &self.phones[number].saved;
        for (epoch, made) in &self.service.commits {
            let others = saved.values().filter(|entry| {
                matches!(&entry.outcome, ProcessedMessage::Commit { summary, .. } if summary.from_epoch == *epoch)
            });
            let own = saved.values().filter(|entry| {
                matches!(&entry.outcome, ProcessedMessage::OwnCommit { epoch: to, .. } if *to == epoch + 1)
            });
            let is_member = self.service.members_at(*epoch).contains(&number);
            let expected = usize::from(is_member && made.by != number);
            assert_eq!(others.count(), expected, "{number}: the Commit of epoch {epoch}");
            assert!(
                own.count() <= usize::from(made.by == number),
                "{number}: epoch {epoch}"
            );
        }
    }

    /// All that was ever sent comes once more, and nothing comes of it.
    fn everything_again(&mut self) {
        for number in 0..self.phones.len() {
            if self.phones[number].epoch().is_none() {
                continue;
            }
            let places: Vec<_> = self.phones[number].given.iter().copied().collect();
            if !places.is_empty() {
                self.hand_over(number, &places, true, false, Fault::None);
            }
            assert_eq!(self.phones[number].client().inbox(1).unwrap(), [], "{number}");
        }
        self.check_agreement();
    }

    /// The group lives: a Commit, and a word to everybody.
    fn go_on(&mut self) {
        let members = self.service.members_at(self.service.epoch()).clone();
        let by = *members.first().unwrap();
        self.change(by, &crate::script::Change::Update, Fault::None);
        self.settle();
        self.send(by, Fault::None);
        self.settle();
        self.check_agreement();
        for number in members {
            self.check_read(number);
        }
    }
}
