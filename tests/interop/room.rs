//! A group with its members, and a delivery service that gives each message to everybody else.

use mls_mobile::{GroupId, LeafNodeOptions, MlsError, MlsGroup, ProposalBundle};

use super::{
    Way,
    common::Device,
    party::{Made, Party},
    peer::Peer,
};

pub(crate) struct Room {
    pub(crate) id: GroupId,
    pub(crate) way: Way,
    members: Vec<Party>,
}

impl Room {
    /// A group with its creator in it.
    pub(crate) fn new(way: Way, mut creator: Party) -> Self {
        Self {
            id: creator.create_group(way),
            way,
            members: vec![creator],
        }
    }

    /// alice and anna with this library, bob and ben with mls-rs, on leaves 0, 2, 1 and 3; alice has invited all.
    pub(crate) fn of_four(way: Way) -> Self {
        let mut room = Self::new(way, Party::ours("alice", way));
        let newcomers = vec![
            Party::theirs("bob", way),
            Party::ours("anna", way),
            Party::theirs("ben", way),
        ];
        room.add("alice", newcomers);
        room
    }

    /// As [`Self::of_four`], and every leaf lists these types of extensions and proposals too.
    pub(crate) fn of_four_who_list(way: Way, extensions: &[u16], proposals: &[u16]) -> Self {
        let mut room = Self::new(way, Party::ours("alice", way));
        let theirs = |name| Party::Theirs(Box::new(Peer::supporting(name, way, extensions, proposals)));
        let newcomers = vec![theirs("bob"), Party::ours("anna", way), theirs("ben")];
        room.add("alice", newcomers);
        let leaf_node = LeafNodeOptions {
            supported_extensions: extensions.to_vec(),
            supported_proposals: proposals.to_vec(),
            ..LeafNodeOptions::default()
        };
        for name in ["alice", "anna"] {
            room.commit(name, |member, id| {
                let group = member.device().group(id);
                group.update_leaf_node(leaf_node.clone(), None).unwrap().into()
            });
        }
        room.settle();
        room
    }

    fn index(&self, name: &str) -> usize {
        let found = self.members.iter().position(|member| member.name() == name);
        found.unwrap_or_else(|| panic!("{name} is not in the room"))
    }

    pub(crate) fn member(&mut self, name: &str) -> &mut Party {
        let index = self.index(name);
        &mut self.members[index]
    }

    pub(crate) fn device(&self, name: &str) -> &Device {
        self.members[self.index(name)].device()
    }

    pub(crate) fn peer(&mut self, name: &str) -> &mut Peer {
        self.member(name).peer()
    }

    pub(crate) fn leaf(&self, name: &str) -> u32 {
        self.members[0].facts(&self.id).leaf(name)
    }

    /// Somebody who misses what follows, or is no member any more.
    pub(crate) fn take(&mut self, name: &str) -> Party {
        let index = self.index(name);
        self.members.remove(index)
    }

    /// Somebody who is in the group, or is again.
    pub(crate) fn put(&mut self, member: Party) {
        self.members.push(member);
    }

    /// `by` makes a Commit that is accepted. Returns it.
    pub(crate) fn commit(&mut self, by: &str, make: impl FnOnce(&mut Party, &GroupId) -> Made) -> Made {
        let id = self.id.clone();
        let made = make(self.member(by), &id);
        self.member(by).reload();
        self.member(by).merge(&id);
        for other in self.members.iter_mut().filter(|member| member.name() != by) {
            assert!(other.follow(&id, &made.commit), "{} was removed", other.name());
        }
        made
    }

    /// Everybody follows a Commit of somebody else.
    pub(crate) fn deliver(&mut self, commit: &[u8]) {
        for member in &mut self.members {
            assert!(member.follow(&self.id, commit), "{} was removed", member.name());
        }
    }

    /// `by` invites them, they join, and the next epoch is as it must be.
    pub(crate) fn add(&mut self, by: &str, newcomers: Vec<Party>) {
        let key_packages = newcomers.iter().map(Party::key_package).collect();
        let made = self.commit(by, |member, id| member.add(id, key_packages));
        self.welcome(by, &made, newcomers);
        self.settle();
    }

    /// They join by the Welcome of a Commit of `by`.
    pub(crate) fn welcome(&mut self, by: &str, made: &Made, newcomers: Vec<Party>) {
        let way = self.way;
        let tree = way
            .tree_outside
            .then(|| self.members[self.index(by)].tree(&self.id));
        for mut newcomer in newcomers {
            newcomer.join(way, made.welcome.as_ref().unwrap(), tree.as_deref());
            self.put(newcomer);
        }
    }

    /// `by` removes them; they learn it. Returns them.
    pub(crate) fn remove(&mut self, by: &str, names: &[&str]) -> Vec<Party> {
        let leaves = names.iter().map(|name| self.leaf(name)).collect();
        let mut removed: Vec<_> = names.iter().map(|name| self.take(name)).collect();
        let made = self.commit(by, |member, id| member.remove(id, leaves));
        for member in &mut removed {
            assert!(!member.follow(&self.id, &made.commit), "{}", member.name());
        }
        self.settle();
        removed
    }

    /// `by` removes some, who learn it, and lets others join, with one Commit. Returns who is gone.
    pub(crate) fn swap(&mut self, by: &str, names: &[&str], newcomers: Vec<Party>) -> Vec<Party> {
        let leaves = names.iter().map(|name| self.leaf(name)).collect();
        let key_packages = newcomers.iter().map(Party::key_package).collect();
        let mut removed: Vec<_> = names.iter().map(|name| self.take(name)).collect();
        let made = self.commit(by, |member, id| member.swap(id, leaves, key_packages));
        for member in &mut removed {
            assert!(!member.follow(&self.id, &made.commit), "{}", member.name());
        }
        self.welcome(by, &made, newcomers);
        self.settle();
        removed
    }

    pub(crate) fn update(&mut self, by: &str) {
        self.commit(by, Party::update);
        self.settle();
    }

    /// Everybody but the sender gets a proposal.
    pub(crate) fn propose(&mut self, by: &str, proposal: &[u8]) {
        let id = self.id.clone();
        for other in self.members.iter_mut().filter(|member| member.name() != by) {
            other.queue(&id, proposal);
            other.reload();
        }
    }

    /// alice makes a proposal, and everybody has it after a restart.
    pub(crate) fn alice_proposes(
        &mut self,
        make: impl FnOnce(&MlsGroup) -> Result<ProposalBundle, MlsError>,
    ) {
        let group = self.device("alice").group(&self.id);
        let proposal = make(&group).unwrap().proposal;
        self.member("alice").reload();
        self.propose("alice", &proposal);
    }

    /// After a Commit: reloads everybody, and asserts that all agree and read each other.
    pub(crate) fn settle(&mut self) {
        self.members.iter_mut().for_each(Party::reload);
        assert_agree(&self.id, &self.members);
        self.talk();
    }

    /// Everybody says something, and all others read it.
    fn talk(&mut self) {
        let names: Vec<_> = self
            .members
            .iter()
            .map(|member| member.name().to_owned())
            .collect();
        for name in names {
            let id = self.id.clone();
            let message = self.member(&name).send(&id, &name);
            for reader in self.members.iter_mut().filter(|member| member.name() != name) {
                assert_eq!(reader.read(&id, &message), name, "by {}", reader.name());
            }
        }
    }
}

/// Asserts that the epoch, its authenticator, the members, the ratchet tree byte for byte and exporter outputs are
/// the same for all.
pub(crate) fn assert_agree(id: &GroupId, members: &[Party]) {
    let (first, others) = members.split_first().unwrap();
    let expected = first.facts(id);
    for other in others {
        let found = other.facts(id);
        assert_eq!(found, expected, "{} and {}", other.name(), first.name());
    }
}
