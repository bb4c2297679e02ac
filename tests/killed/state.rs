//! What an app sees of a database, all of it, to be compared before and after a kill.

use std::mem::{Discriminant, discriminant};

use mls_mobile::{
    CommitBundle, ExternalJoin, GroupState, GroupSummary, Identity, InboxEntry, KeyPackage, Member,
    MlsClient, ProcessedMessage,
};

/// Everything, to the byte.
#[derive(Clone, Debug, PartialEq)]
pub struct Dump {
    pub identities: Vec<Identity>,
    pub key_packages: Vec<KeyPackage>,
    pub groups: Vec<Group>,
    pub inbox: Vec<InboxEntry>,
    pub cursor: Option<Vec<u8>>,
    /// More with each transaction: one, or the inbox entries that it makes.
    pub generation: u64,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    pub summary: GroupSummary,
    pub state: GroupState,
    pub members: Vec<Member>,
    pub pending: Option<CommitBundle>,
    pub external_join: Option<ExternalJoin>,
}

/// What two runs of the same call have in common, which draw different keys and ids.
#[derive(Debug, PartialEq)]
pub struct Shape {
    identities: usize,
    key_packages: usize,
    groups: Vec<GroupShape>,
    inbox: Vec<Discriminant<ProcessedMessage>>,
    cursor: Option<Vec<u8>>,
}

#[derive(Debug, PartialEq)]
struct GroupShape {
    epoch: u64,
    is_active: bool,
    members: usize,
    /// Whether the pending Commit, if there is one, has a Welcome.
    pending: Option<bool>,
    external_join: bool,
}

impl Dump {
    pub fn of(client: &MlsClient) -> Self {
        let groups = client.groups().unwrap().into_iter().map(|summary| {
            let group = client.group(summary.group_id.clone()).unwrap();
            Group {
                summary,
                state: group.info().unwrap(),
                members: group.members().unwrap(),
                pending: group.pending_commit().unwrap(),
                external_join: client.pending_external_join(group.id().unwrap()).unwrap(),
            }
        });
        let dump = Self {
            identities: client.identities().unwrap(),
            key_packages: client.key_packages().unwrap(),
            groups: groups.collect(),
            inbox: client.inbox(1000).unwrap(),
            cursor: client.cursor().unwrap(),
            generation: client.storage_info().unwrap().generation,
        };
        dump.assert_consistent();
        dump
    }

    /// What is stored in more than one place must say the same everywhere.
    fn assert_consistent(&self) {
        for group in &self.groups {
            assert_eq!(group.summary.epoch, group.state.epoch);
            assert_eq!(group.summary.is_active, group.state.is_active);
            assert_eq!(group.summary.identity, group.state.identity);
            assert_eq!(group.pending.is_some(), group.state.has_pending_commit);
        }
    }

    /// The same to the byte, whatever messages were sent in between: those change keys, which nobody sees.
    pub fn assert_same(&self, other: &Self) {
        let generation = self.generation;
        assert_eq!(
            self,
            &Self {
                generation,
                ..other.clone()
            }
        );
    }

    pub fn shape(&self) -> Shape {
        Shape {
            identities: self.identities.len(),
            key_packages: self.key_packages.len(),
            groups: self.groups.iter().map(Group::shape).collect(),
            inbox: self
                .inbox
                .iter()
                .map(|entry| discriminant(&entry.outcome))
                .collect(),
            cursor: self.cursor.clone(),
        }
    }
}

impl Group {
    fn shape(&self) -> GroupShape {
        GroupShape {
            epoch: self.state.epoch,
            is_active: self.state.is_active,
            members: self.members.len(),
            pending: self.pending.as_ref().map(|bundle| bundle.welcome.is_some()),
            external_join: self.external_join.is_some(),
        }
    }
}
