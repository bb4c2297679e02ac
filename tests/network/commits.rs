//! Commits: made, submitted, answered and merged, or given up.

use mls_mobile::MlsError;

use crate::{
    call::{Call, Returned},
    common::name_of,
    phone::Phone,
    script::{Answer, Change, Fault},
    service::Made,
    world::{DEVICES, World, choose},
};

/// More own Commits than this in one epoch are not remembered after they were cleared.
const REMEMBERED_COMMITS: usize = 8;
/// Epochs between the oldest message that is under way and the newest: fewer than devices keep.
const MAX_LAG: u64 = 28;

impl World {
    pub fn change(&mut self, by: usize, change: &Change, fault: Fault) {
        let epoch = self.phones[by].epoch().unwrap();
        let own = |made: &&Made| made.by == by && made.epoch == epoch;
        if self.service.made.values().filter(own).count() >= REMEMBERED_COMMITS
            || self.service.epoch() - self.oldest_epoch() >= MAX_LAG
        {
            return;
        }
        let mut made = Made {
            by,
            epoch,
            ..Made::default()
        };
        let call = self.call_for(change, &mut made);
        let phone = &self.phones[by];
        let (before, info) = (phone.pending(), phone.info().unwrap());
        let result = self.make(by, &call, false, fault);
        let after = self.phones[by].pending();
        match (before, result) {
            (Some(before), result) => {
                let refused = match result {
                    Some(Err(MlsError::StagedCommitExists)) => info.staged_commit.is_some(),
                    Some(Err(MlsError::PendingCommitExists)) | None => true,
                    _ => false,
                };
                assert!(refused, "{by}: {result:?}");
                assert_eq!(after, Some(before));
            }
            (None, Some(Ok(Returned::Bundle(bundle)))) => assert_eq!(after, Some(bundle)),
            // Storage failed: there is none. Killed: perhaps.
            (None, None) => assert!(after.is_none() || !matches!(fault, Fault::Error(_))),
            (None, Some(Err(MlsError::StagedCommitExists))) if info.staged_commit.is_some() => {}
            (None, other) => panic!("{by}: {other:?}"),
        }
        if let Some(bundle) = after {
            assert_eq!(bundle.epoch, epoch);
            self.service.made.entry(bundle.commit).or_insert(made);
        }
    }

    /// Among those whom the device sees as members, and those outside who know that they are none.
    fn call_for(&self, change: &Change, made: &mut Made) -> Call {
        let phone = &self.phones[made.by];
        let members = phone.client().group(self.id.clone()).unwrap().members().unwrap();
        let leaf_of = |number: usize| {
            let member = members
                .iter()
                .find(|member| name_of(&member.credential) == number.to_string());
            member.map(|member| member.leaf_index)
        };
        match *change {
            Change::Update => Call::Update,
            Change::Add(which) => {
                let outside = self.those(|phone| {
                    leaf_of(phone.number).is_none()
                        && phone.epoch().is_none()
                        && self.invitation(phone.number).is_none()
                });
                let Some(whom) = choose(&outside, which) else {
                    return Call::Update;
                };
                made.adds = Some(whom);
                Call::Add(self.phones[whom].key_package())
            }
            Change::Remove(which) => {
                let others: Vec<_> = (0..DEVICES)
                    .filter(|other| *other != made.by && leaf_of(*other).is_some())
                    .collect();
                let Some(whom) = choose(&others, which) else {
                    return Call::Update;
                };
                made.removes = Some(whom);
                Call::Remove(leaf_of(whom).unwrap())
            }
        }
    }

    /// Of what is under way or still will be sent.
    fn oldest_epoch(&self) -> u64 {
        let devices = self.phones.iter().filter_map(Phone::epoch);
        let invited = (0..DEVICES).filter_map(|by| self.invitation(by));
        let messages = (0..DEVICES)
            .filter(|to| self.phones[*to].epoch().is_some())
            .flat_map(|to| self.deliverable(to))
            .map(|place| self.service.log[place].epoch);
        devices.chain(invited).chain(messages).min().unwrap()
    }

    pub fn submit(&mut self, by: usize, answer: Answer, fault: Fault) {
        let bundle = self.phones[by].pending().unwrap();
        let epoch = self.service.epoch();
        let accepted = self.service.submit(&bundle.commit);
        if let Some(peer) = &mut self.proposer
            && self.service.epoch() != epoch
        {
            peer.follow(&bundle.commit);
        }
        self.count(if accepted { "accepted" } else { "refused" });
        match answer {
            Answer::Now => self.answer(by, &bundle.commit, accepted, fault),
            Answer::Late => self.phones[by].answers.push_back((bundle.commit, accepted)),
            Answer::Lost => {}
            Answer::Misunderstood => self.answer(by, &bundle.commit, false, fault),
        }
    }

    /// The app hears of its Commit. It knows which one is meant.
    pub fn answer(&mut self, by: usize, commit: &[u8], accepted: bool, fault: Fault) {
        if self.phones[by].info().is_none_or(|info| !info.is_active) {
            return;
        }
        let pending = self.phones[by].pending();
        let is_pending = pending.as_ref().is_some_and(|bundle| bundle.commit == commit);
        match (accepted, pending) {
            (true, Some(bundle)) if is_pending => {
                if let Some(welcome) = bundle.welcome {
                    self.service.invite(by, bundle.epoch + 1, welcome);
                }
                match self.make(by, &Call::Merge, false, fault) {
                    Some(Ok(Returned::Merged(merged))) => {
                        assert_eq!(merged.summary.to_epoch, bundle.epoch + 1);
                        self.promise(by, &merged.released);
                    }
                    None => {}
                    other => panic!("{by}: {other:?}"),
                }
            }
            (false, Some(_)) if is_pending => {
                self.make(by, &Call::Clear, false, fault).map(Result::unwrap);
            }
            // Its echo was quicker, or it was cleared.
            (true, None) => match self.make(by, &Call::Merge, false, fault) {
                Some(Ok(Returned::Merged(merged))) => {
                    assert_eq!(Some(merged.summary.to_epoch), self.phones[by].epoch());
                }
                None | Some(Err(MlsError::NoPendingCommit)) => {}
                other => panic!("{by}: {other:?}"),
            },
            _ => {}
        }
    }

    pub fn merge_staged(&mut self, by: usize, fault: Fault) {
        match self.make(by, &Call::MergeStaged, false, fault) {
            Some(Ok(Returned::Merged(merged))) => self.promise(by, &merged.released),
            None => {}
            other => panic!("{by}: {other:?}"),
        }
    }
}
