//! The floor: OpenMLS over libcrux with its state in memory. Nothing is cheaper for a library that stands on both.

use std::{collections::HashMap, path::Path, path::PathBuf};

use crate::{
    contestant::Contestant,
    member::{Member, group_id},
};

pub(crate) struct Floor {
    file: PathBuf,
    member: Member,
    groups: HashMap<Vec<u8>, openmls::group::MlsGroup>,
}

impl Floor {
    fn group(&mut self, id: &[u8]) -> (&Member, &mut openmls::group::MlsGroup) {
        let Self { member, groups, .. } = self;
        let group = groups
            .entry(id.to_vec())
            .or_insert_with(|| member.load(&group_id(id)));
        (member, group)
    }
}

impl Contestant for Floor {
    const STORES: bool = false;

    fn open(folder: &Path) -> Self {
        let file = folder.join("floor");
        Self {
            member: Member::read(&file).unwrap_or_else(|| Member::new("contestant")),
            file,
            groups: HashMap::new(),
        }
    }

    fn before_timing(&mut self) {
        self.member.drop_writes();
    }

    fn key_packages(&mut self, count: usize) -> Vec<Vec<u8>> {
        (0..count).map(|_| self.member.key_package()).collect()
    }

    fn join(&mut self, welcome: &[u8]) {
        let group = self.member.join(welcome);
        self.groups.insert(group.group_id().to_vec(), group);
    }

    fn load(&mut self, group: &[u8]) {
        self.group(group);
    }

    fn process(&mut self, group: &[u8], message: &[u8]) {
        let (member, group) = self.group(group);
        member.process(group, message);
    }

    fn encrypt(&mut self, group: &[u8], plaintext: &[u8]) -> Vec<u8> {
        let (member, group) = self.group(group);
        member.encrypt(group, plaintext)
    }

    fn commit(&mut self, group: &[u8]) -> Vec<u8> {
        let (member, group) = self.group(group);
        member.commit(group)
    }

    fn merge(&mut self, group: &[u8]) {
        let (member, group) = self.group(group);
        member.merge(group);
    }

    fn clear(&mut self, group: &[u8]) {
        let (member, group) = self.group(group);
        member.clear(group);
    }

    fn catch_up(&mut self, messages: Vec<(Vec<u8>, Vec<u8>)>) {
        for (group, message) in messages {
            self.process(&group, &message);
        }
    }

    fn close(self) {
        self.member.write(&self.file);
    }
}
