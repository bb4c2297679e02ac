//! Without a service: the phones of one program hand each other what they have, under the same rules.

use std::{
    cell::{RefCell, RefMut},
    collections::HashMap,
    rc::Rc,
};

use mls_mobile::{CommitBundle, GroupId, IdentityId};

use crate::{
    Result,
    network::{Change, Letter, Line, Page, Verdict},
};

/// What lies on the table between the phones.
#[derive(Default)]
pub struct Table {
    key_packages: HashMap<IdentityId, Vec<Vec<u8>>>,
    groups: HashMap<GroupId, Group>,
    queues: HashMap<IdentityId, Queue>,
}

#[derive(Default)]
struct Group {
    epoch: u64,
    phones: Vec<IdentityId>,
}

#[derive(Default)]
struct Queue {
    letters: Vec<Letter>,
    acknowledged: u64,
}

/// A phone's place at the table.
pub struct ByHand {
    table: Rc<RefCell<Table>>,
    me: IdentityId,
}

impl ByHand {
    pub fn new(table: Rc<RefCell<Table>>, me: IdentityId) -> Self {
        Self { table, me }
    }

    fn table(&self) -> RefMut<'_, Table> {
        self.table.borrow_mut()
    }

    /// Puts a letter into the queues of these phones, but not into the sender's.
    fn deliver(&self, to: &[IdentityId], letter: &Letter) {
        let mut table = self.table();
        for phone in to.iter().filter(|phone| **phone != self.me) {
            let queue = table.queues.entry(phone.clone()).or_default();
            queue.letters.push(letter.clone());
        }
    }

    fn phones(&self, group: &GroupId) -> Result<Vec<IdentityId>> {
        let table = self.table();
        let group = table.groups.get(group).ok_or("no such group")?;
        Ok(group.phones.clone())
    }
}

impl Line for ByHand {
    fn publish(&self, key_package: Vec<u8>) -> Result<()> {
        let mut table = self.table();
        let published = table.key_packages.entry(self.me.clone()).or_default();
        published.push(key_package);
        Ok(())
    }

    fn claim(&self, other: &IdentityId) -> Result<Vec<u8>> {
        let mut table = self.table();
        let claimed = table.key_packages.get_mut(other).and_then(Vec::pop);
        claimed.ok_or_else(|| "there is no key package to be had".into())
    }

    fn create_group(&self, group: &GroupId) -> Result<()> {
        let new = Group {
            epoch: 0,
            phones: vec![self.me.clone()],
        };
        self.table().groups.insert(group.clone(), new);
        Ok(())
    }

    fn submit(&self, group: &GroupId, bundle: &CommitBundle, change: &Change) -> Result<Verdict> {
        let before = self.phones(group)?;
        if let Some(group) = self.table().groups.get_mut(group) {
            if group.epoch != bundle.epoch {
                return Ok(Verdict::TooLate(group.epoch));
            }
            group.epoch += 1;
            group.phones.retain(|phone| !change.removed.contains(phone));
            group.phones.extend(change.added.iter().cloned());
        }
        let letter = |bytes: &Vec<u8>, invites| Letter {
            group: group.clone(),
            invites,
            bytes: bytes.clone(),
        };
        self.deliver(&before, &letter(&bundle.commit, false));
        if let Some(welcome) = &bundle.welcome {
            self.deliver(&change.added, &letter(welcome, true));
        }
        Ok(Verdict::Accepted)
    }

    fn send(&self, group: &GroupId, message: &[u8]) -> Result<()> {
        let letter = Letter {
            group: group.clone(),
            invites: false,
            bytes: message.to_vec(),
        };
        self.deliver(&self.phones(group)?, &letter);
        Ok(())
    }

    fn read(&self) -> Result<Page> {
        let mut table = self.table();
        let queue = table.queues.entry(self.me.clone()).or_default();
        Ok(Page {
            letters: queue.letters.clone(),
            cursor: queue.acknowledged + queue.letters.len() as u64,
        })
    }

    fn acknowledge(&self, cursor: u64) -> Result<()> {
        let mut table = self.table();
        let queue = table.queues.entry(self.me.clone()).or_default();
        while queue.acknowledged < cursor && !queue.letters.is_empty() {
            queue.letters.remove(0);
            queue.acknowledged += 1;
        }
        Ok(())
    }

    fn sign_off(&self) -> Result<()> {
        self.table().queues.remove(&self.me);
        Ok(())
    }
}
