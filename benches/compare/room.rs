//! What one contestant works on: groups that it shares with a member of the driver's, its database before and after it
//! joined them, and what the other member has sent.

use std::{fs, path::PathBuf, time::SystemTime};

use openmls::group::MlsGroup;
use openmls_traits::OpenMlsProvider;

use crate::{
    member::{Member, group_id},
    rival::Rival,
    tree,
};

/// How much is prepared.
#[derive(Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) members: u32,
    pub(crate) groups: usize,
    /// In the first group.
    pub(crate) messages: usize,
    /// In the first group, after the messages.
    pub(crate) commits: usize,
    /// Over all groups in turn.
    pub(crate) turns: usize,
}

pub(crate) struct Room {
    pub(crate) members: u32,
    /// The database before it joined.
    pub(crate) before: PathBuf,
    /// After it joined, and has followed as many Commits as past epochs are kept.
    pub(crate) joined: PathBuf,
    /// Where operations work on copies.
    pub(crate) work: PathBuf,
    pub(crate) groups: Vec<Vec<u8>>,
    /// Of the first group.
    pub(crate) welcome: Vec<u8>,
    pub(crate) messages: Vec<Vec<u8>>,
    pub(crate) commits: Vec<Vec<u8>>,
    /// Group and message, by turns.
    pub(crate) in_turn: Vec<(Vec<u8>, Vec<u8>)>,
}

/// Past epochs that are kept.
const PAST_EPOCHS: usize = 3;

impl Room {
    /// Prepares a room below `folder`.
    pub(crate) fn new(folder: &std::path::Path, rival: &mut Rival, plan: Plan) -> Self {
        let [before, joined, work] = ["before", "joined", "work"].map(|it| folder.join(it));
        fs::create_dir_all(&before).unwrap();
        rival.open(&before);
        let count = plan.groups.to_string();
        let key_packages = rival.ask("key_packages", &[count.as_bytes()]);
        rival.close();
        crate::rival::copy(&before, &joined);
        rival.open(&joined);

        let other = Member::new("other");
        other.drop_writes();
        let mut groups = Vec::new();
        let mut welcomes = Vec::new();
        for (number, key_package) in key_packages.iter().enumerate() {
            let id = format!("group {number}").into_bytes();
            let mut group = found(&other, &id, plan.members);
            let welcome = other.add(&mut group, key_package);
            rival.ask("join", &[&welcome]);
            let update = rival.ask("update", &[&id]).remove(0);
            other.process(&mut group, &update);
            for _ in 0..PAST_EPOCHS {
                rival.ask("process", &[&id, &update_of(&other, &mut group)]);
            }
            welcomes.push(welcome);
            groups.push((id, group));
        }
        rival.close();

        let plaintext = [7; 1024];
        let in_turn = (0..plan.turns)
            .map(|turn| {
                let (id, group) = &mut groups[turn % plan.groups];
                (id.clone(), other.encrypt(group, &plaintext))
            })
            .collect();
        let first = &mut groups[0].1;
        Self {
            members: plan.members,
            messages: (0..plan.messages)
                .map(|_| other.encrypt(first, &plaintext))
                .collect(),
            commits: (0..plan.commits).map(|_| update_of(&other, first)).collect(),
            groups: groups.into_iter().map(|(id, _)| id).collect(),
            welcome: welcomes.remove(0),
            before,
            joined,
            work,
            in_turn,
        }
    }

    pub(crate) fn group(&self) -> &[u8] {
        &self.groups[0]
    }
}

fn update_of(member: &Member, group: &mut MlsGroup) -> Vec<u8> {
    let commit = member.commit(group);
    member.merge(group);
    commit
}

/// A group with a filled tree and one place left.
fn found(other: &Member, id: &[u8], members: u32) -> MlsGroup {
    if members == 2 {
        return other.create(&group_id(id));
    }
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let info = tree::group_info(other.provider.crypto(), id, members - 2, now.as_secs());
    other.take_over(&info)
}
