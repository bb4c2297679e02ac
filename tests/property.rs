//! Any history of a group, delivered in order, leaves all members in the same state.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code"
)]

mod common;

use common::{Device, assert_agree, reload};
use mls_mobile::{CommitBundle, GroupId, MlsError, ProcessedMessage};
use proptest::{collection::vec, prelude::*, test_runner::FileFailurePersistence};

/// What a member may commit. Numbers choose among those who are there, so that every value means something.
#[derive(Clone, Debug)]
enum Change {
    Add(usize),
    Remove(usize),
    Update,
}

#[derive(Clone, Debug)]
enum Step {
    Commit {
        by: usize,
        change: Change,
    },
    /// Two members commit in the same epoch; the delivery service accepts the first.
    Rivals {
        first: (usize, Change),
        second: (usize, Change),
    },
    Send {
        by: usize,
    },
    Reload,
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        3 => any::<usize>().prop_map(Change::Add),
        2 => any::<usize>().prop_map(Change::Remove),
        3 => Just(Change::Update),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let commit = || (any::<usize>(), change());
    prop_oneof![
        4 => commit().prop_map(|(by, change)| Step::Commit { by, change }),
        2 => (commit(), commit()).prop_map(|(first, second)| Step::Rivals { first, second }),
        3 => any::<usize>().prop_map(|by| Step::Send { by }),
        1 => Just(Step::Reload),
    ]
}

/// All peers, and the model: who is a member, and which epoch it is.
struct World {
    id: GroupId,
    peers: Vec<Device>,
    members: Vec<usize>,
    epoch: u64,
    sent: usize,
}

/// A Commit with what it should do to the members.
struct Made {
    by: usize,
    bundle: CommitBundle,
    joins: Option<usize>,
    leaves: Option<usize>,
}

impl World {
    fn new(peers: usize) -> Self {
        let peers: Vec<_> = (0..peers).map(|n| Device::new(&n.to_string())).collect();
        Self {
            id: peers[0].create_group(),
            peers,
            members: vec![0],
            epoch: 0,
            sent: 0,
        }
    }

    fn run(&mut self, step: &Step) {
        match step {
            Step::Commit { by, change } => {
                let by = self.members[by % self.members.len()];
                let made = self.make(by, change);
                self.deliver(&made);
            }
            Step::Rivals { first, second } => self.rivals(first, second),
            Step::Send { by } => self.send(self.members[by % self.members.len()]),
            Step::Reload => reload(&mut self.peers.iter_mut().collect::<Vec<_>>()),
        }
        self.check();
    }

    /// An add without an outsider and a removal without another member become updates.
    fn make(&self, by: usize, change: &Change) -> Made {
        let group = self.peers[by].group(&self.id);
        let outside: Vec<_> = (0..self.peers.len())
            .filter(|peer| !self.members.contains(peer))
            .collect();
        let others: Vec<_> = self
            .members
            .iter()
            .copied()
            .filter(|member| *member != by)
            .collect();
        let (mut joins, mut leaves) = (None, None);
        let bundle = match change {
            Change::Add(n) if !outside.is_empty() => {
                let who = outside[n % outside.len()];
                joins = Some(who);
                group.add_members(vec![self.peers[who].key_package()])
            }
            Change::Remove(n) if !others.is_empty() => {
                let who = others[n % others.len()];
                leaves = Some(who);
                group.remove_members(vec![self.peers[by].leaf_of(&self.id, &who.to_string())])
            }
            _ => group.self_update(None),
        }
        .unwrap();
        Made {
            by,
            bundle,
            joins,
            leaves,
        }
    }

    /// Everybody gets the Commit, its maker too, and then the invited one its Welcome.
    fn deliver(&mut self, made: &Made) {
        for &member in &self.members {
            let outcome = self.peers[member].receive(&self.id, &made.bundle.commit);
            match outcome {
                ProcessedMessage::OwnCommit { epoch, .. } => {
                    assert_eq!((member, epoch), (made.by, self.epoch + 1));
                }
                ProcessedMessage::Commit { summary, .. } => {
                    assert_ne!(member, made.by);
                    assert_eq!(
                        (summary.from_epoch, summary.to_epoch),
                        (self.epoch, self.epoch + 1)
                    );
                    assert_eq!(summary.self_removed, made.leaves == Some(member));
                    assert_eq!(summary.added.len(), usize::from(made.joins.is_some()));
                }
                other => panic!("{member}: {other:?}"),
            }
        }
        self.epoch += 1;
        self.members.retain(|member| Some(*member) != made.leaves);
        if let Some(newcomer) = made.joins {
            self.peers[newcomer].join(made.bundle.welcome.as_ref().unwrap());
            self.members.push(newcomer);
        }
    }

    fn rivals(&mut self, first: &(usize, Change), second: &(usize, Change)) {
        let count = self.members.len();
        if count < 2 {
            return;
        }
        let winner = self.members[first.0 % count];
        let others: Vec<_> = self
            .members
            .iter()
            .copied()
            .filter(|member| *member != winner)
            .collect();
        let loser = others[second.0 % others.len()];
        let (won, lost) = (self.make(winner, &first.1), self.make(loser, &second.1));
        let before = self.members.clone();
        let epoch = self.epoch;
        self.deliver(&won);
        assert_eq!(self.peers[loser].group(&self.id).pending_commit().unwrap(), None);
        for member in before {
            let result = self.peers[member]
                .group(&self.id)
                .process_message(lost.bundle.commit.clone());
            if won.leaves == Some(member) {
                assert_eq!(result, Err(MlsError::GroupInactive));
            } else {
                assert_eq!(result, Ok(ProcessedMessage::Stale { epoch }));
            }
        }
    }

    fn send(&mut self, by: usize) {
        self.sent += 1;
        let text = format!("message {} of {by}", self.sent);
        let message = self.peers[by].send(&self.id, &text);
        for &member in &self.members {
            let peer = &self.peers[member];
            if member == by {
                assert_eq!(peer.receive(&self.id, &message), ProcessedMessage::OwnMessage);
            } else {
                assert_eq!(peer.read(&self.id, &message), text);
            }
        }
    }

    /// The members agree with each other and with the model; the others know that they are none.
    fn check(&self) {
        let members: Vec<_> = self.members.iter().map(|member| &self.peers[*member]).collect();
        assert_agree(&self.id, &members);
        assert_eq!(members[0].epoch(&self.id), self.epoch);
        let mut names = members[0].member_names(&self.id);
        names.sort();
        let mut expected: Vec<_> = self.members.iter().map(ToString::to_string).collect();
        expected.sort();
        assert_eq!(names, expected);
        for (number, peer) in self.peers.iter().enumerate() {
            let active = peer
                .client()
                .groups()
                .unwrap()
                .iter()
                .any(|group| group.is_active);
            assert_eq!(active, self.members.contains(&number), "{number}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 24,
        max_shrink_iters: 200,
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct("tests/property.regressions"))),
        ..ProptestConfig::default()
    })]

    #[test]
    fn members_agree_after_every_step(peers in 3..=6_usize, steps in vec(step(), 1..=25)) {
        let mut world = World::new(peers);
        for step in &steps {
            world.run(step);
        }
    }
}
