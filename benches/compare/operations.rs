//! What is measured, and how each measurement begins with the same state in every round.

use crate::{
    rival::{Rival, Sample, bytes, copy},
    room::{Plan, Room},
};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Operation {
    Decrypt,
    Encrypt,
    ProcessCommit,
    MakeCommit,
    Join,
    Load,
    Open,
    AfterReopening,
    TenGroups,
    KeyPackages,
}

use Operation::{
    AfterReopening, Decrypt, Encrypt, Join, KeyPackages, Load, MakeCommit, Open, ProcessCommit, TenGroups,
};

pub(crate) const ALL: [Operation; 10] = [
    Decrypt,
    Encrypt,
    ProcessCommit,
    MakeCommit,
    Join,
    Load,
    Open,
    AfterReopening,
    TenGroups,
    KeyPackages,
];

/// Messages of the two kinds of catching up.
const AFTER_REOPENING: usize = 100;
const IN_TEN_GROUPS: usize = 500;

/// How often: a round is one contestant's turn, and in a turn it works on one thing for a while, as it would alone.
#[derive(Clone, Copy)]
pub(crate) struct Effort {
    pub(crate) rounds: usize,
    pub(crate) in_a_round: usize,
}

impl Operation {
    /// The name on the command line and in the file of results.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Decrypt => "decrypt",
            Encrypt => "encrypt",
            ProcessCommit => "process-commit",
            MakeCommit => "make-commit",
            Join => "join",
            Load => "load",
            Open => "open",
            AfterReopening => "after-reopening",
            TenGroups => "ten-groups",
            KeyPackages => "key-packages",
        }
    }

    pub(crate) fn title(self) -> &'static str {
        match self {
            Decrypt => "decrypt 1 KiB",
            Encrypt => "encrypt 1 KiB",
            ProcessCommit => "process a Commit",
            MakeCommit => "make a Commit",
            Join => "join",
            Load => "load a group",
            Open => "open the database",
            AfterReopening => "100 messages after reopening",
            TenGroups => "500 messages in ten groups after a cold start",
            KeyPackages => "100 key packages",
        }
    }

    /// What the number of members has nothing to do with is measured once.
    pub(crate) fn at(self, members: u32) -> bool {
        match self {
            TenGroups => members <= 256,
            KeyPackages => members == 2,
            _ => true,
        }
    }

    /// What a contestant without a file cannot do.
    pub(crate) fn needs_a_file(self) -> bool {
        matches!(self, Open | Load)
    }

    fn effort(self, members: u32) -> Effort {
        let large = members > 1000;
        let (rounds, in_a_round) = match self {
            Decrypt | Encrypt => (if large { 8 } else { 12 }, if large { 8 } else { 16 }),
            ProcessCommit => (10, 2),
            MakeCommit => (10, 3),
            Open => (15, 1),
            Join | TenGroups => (if large { 5 } else { 7 }, 1),
            Load | AfterReopening | KeyPackages => (if large { 7 } else { 11 }, 1),
        };
        Effort { rounds, in_a_round }
    }

    pub(crate) fn effort_of(self, members: u32, quick: bool) -> Effort {
        let Effort { rounds, in_a_round } = self.effort(members);
        Effort {
            rounds: if quick { rounds.div_ceil(3) } else { rounds },
            in_a_round,
        }
    }

    /// Before the first round.
    pub(crate) fn begin(self, rival: &mut Rival, room: &Room) {
        copy(&room.joined, &room.work);
        rival.open(&room.work);
        if matches!(self, Decrypt | Encrypt | ProcessCommit | MakeCommit) {
            rival.ask("load", &[room.group()]);
        }
    }

    /// For what is looked at rather than timed.
    pub(crate) fn once(self, rival: &mut Rival, room: &Room) {
        self.round(
            rival,
            room,
            0,
            Effort {
                rounds: 1,
                in_a_round: 1,
            },
        );
    }

    /// One contestant's turn.
    pub(crate) fn round(self, rival: &mut Rival, room: &Room, round: usize, effort: Effort) -> Vec<Sample> {
        let count = effort.in_a_round.to_string();
        let part = |messages: &[Vec<u8>]| messages[round * effort.in_a_round..][..effort.in_a_round].to_vec();
        let again = |rival: &mut Rival, folder| {
            rival.close();
            copy(folder, &room.work);
        };
        match self {
            Decrypt => process(rival, room, &part(&room.messages)),
            ProcessCommit => process(rival, room, &part(&room.commits)),
            Encrypt => rival.time("encrypt", &[room.group(), count.as_bytes()]),
            MakeCommit => rival.time("commit", &[room.group(), count.as_bytes()]),
            Join => {
                again(rival, &room.before);
                rival.open(&room.work);
                rival.time("join", &[&room.welcome])
            }
            Load => {
                again(rival, &room.joined);
                rival.open(&room.work);
                rival.time("load", &[room.group()])
            }
            Open => {
                again(rival, &room.joined);
                rival.time("open", &[bytes(&room.work)])
            }
            AfterReopening => {
                again(rival, &room.joined);
                let mut arguments = vec![bytes(&room.work)];
                for message in &room.messages[..AFTER_REOPENING] {
                    arguments.extend([room.group(), message]);
                }
                rival.time("catch_up", &arguments)
            }
            TenGroups => {
                again(rival, &room.joined);
                let mut arguments = vec![bytes(&room.work)];
                for (group, message) in &room.in_turn {
                    arguments.extend([group.as_slice(), message]);
                }
                rival.time("catch_up", &arguments)
            }
            KeyPackages => rival.time("key_packages", &[b"100"]),
        }
    }
}

fn process(rival: &mut Rival, room: &Room, messages: &[Vec<u8>]) -> Vec<Sample> {
    let mut arguments = vec![room.group()];
    arguments.extend(messages.iter().map(Vec::as_slice));
    rival.time("process", &arguments)
}

/// What a room needs for these operations. A first round warms up.
pub(crate) fn plan(operations: &[Operation], members: u32) -> Plan {
    let needed = |operation: Operation| {
        let Effort { rounds, in_a_round } = operation.effort(members);
        (rounds + 1) * in_a_round
    };
    let ten_groups = operations.contains(&TenGroups);
    Plan {
        members,
        groups: if ten_groups { 10 } else { 1 },
        messages: needed(Decrypt).max(AFTER_REOPENING),
        commits: needed(ProcessCommit),
        turns: if ten_groups { IN_TEN_GROUPS } else { 0 },
    }
}
