//! What an app needs of a delivery service, through the client crate. `started.rs` starts the service, `by_hand.rs` is
//! what the example has without one.

use std::{cell::RefCell, rc::Rc};

use mls_delivery_client::{
    DeliveryClient, DeliveryError,
    wire::{self, Bytes, CreateGroup, Kind, Submit},
};
use mls_mobile::{CommitBundle, GroupId, IdentityId, KeyPackageOptions, LeafNodeOptions, MlsClient};

use crate::{
    Result,
    by_hand::{ByHand, Table},
};

/// What lies between the phones.
pub enum Network {
    /// The delivery service at this address.
    Service(String),
    /// Nothing but this program.
    ByHand(Rc<RefCell<Table>>),
}

/// A phone's line to the delivery service.
pub trait Line {
    /// Publishes a key package, for others to take.
    fn publish(&self, key_package: Vec<u8>) -> Result<()>;
    /// Takes a key package of another phone; nobody else gets the same.
    fn claim(&self, other: &IdentityId) -> Result<Vec<u8>>;
    /// Makes a group known, with this phone in it.
    fn create_group(&self, group: &GroupId) -> Result<()>;
    /// Of the Commits of an epoch the first is accepted.
    fn submit(&self, group: &GroupId, bundle: &CommitBundle, change: &Change) -> Result<Verdict>;
    /// Sends a message to the other phones of the group.
    fn send(&self, group: &GroupId, message: &[u8]) -> Result<()>;
    /// Waits until something is in the queue. It comes again until it is acknowledged.
    fn read(&self) -> Result<Page>;
    /// Says that everything up to the cursor is on this phone's disk.
    fn acknowledge(&self, cursor: u64) -> Result<()>;
    /// Ends the registration.
    fn sign_off(&self) -> Result<()>;
}

/// What a Commit changes in the list of those who get the group's messages. The service cannot see it: Commits are
/// encrypted.
#[derive(Default)]
pub struct Change {
    pub added: Vec<IdentityId>,
    pub removed: Vec<IdentityId>,
}

pub enum Verdict {
    Accepted,
    /// Another Commit was first; the group is in this epoch now.
    TooLate(u64),
}

pub struct Page {
    pub letters: Vec<Letter>,
    pub cursor: u64,
}

#[derive(Clone)]
pub struct Letter {
    pub group: GroupId,
    pub invites: bool,
    pub bytes: Vec<u8>,
}

impl Network {
    pub fn by_hand() -> Self {
        Self::ByHand(Rc::default())
    }

    /// The phone's line. The first time the phone is registered, and gets a token that it keeps with its other secrets.
    pub fn connect(
        &self,
        client: &MlsClient,
        identity: &IdentityId,
        token: &mut Option<String>,
    ) -> Result<Box<dyn Line>> {
        match self {
            Self::ByHand(table) => Ok(Box::new(ByHand::new(table.clone(), identity.clone()))),
            Self::Service(address) => {
                let mut service = DeliveryClient::new(address);
                let token = match token {
                    Some(token) => token,
                    None => token.insert(register(client, identity, &mut service)?),
                };
                Ok(Box::new(Connection(service.with_token(token.clone()))))
            }
        }
    }
}

/// The phone proves its signature key by a key package that bears the service's challenge, and that nobody is added with.
fn register(client: &MlsClient, identity: &IdentityId, service: &mut DeliveryClient) -> Result<String> {
    let options = KeyPackageOptions {
        leaf_node: Some(LeafNodeOptions {
            application_id: Some(service.challenge()?),
            ..LeafNodeOptions::default()
        }),
        ..KeyPackageOptions::default()
    };
    let proof = client
        .create_key_packages(identity.clone(), 1, Some(options))?
        .pop()
        .ok_or("no key package was made")?;
    client.delete_key_package(proof.reference)?;
    Ok(service.register(proof.bytes)?.token)
}

struct Connection(DeliveryClient);

impl Line for Connection {
    fn publish(&self, key_package: Vec<u8>) -> Result<()> {
        self.0.publish_key_packages(vec![key_package])?;
        Ok(())
    }

    fn claim(&self, other: &IdentityId) -> Result<Vec<u8>> {
        Ok(self.0.claim_key_package(&device(other), SUITE_NUMBER)?)
    }

    fn create_group(&self, group: &GroupId) -> Result<()> {
        let new = CreateGroup {
            group: name(group),
            ..CreateGroup::default()
        };
        Ok(self.0.create_group(&new)?)
    }

    fn submit(&self, group: &GroupId, bundle: &CommitBundle, change: &Change) -> Result<Verdict> {
        let commit = Submit {
            commit: bundle.commit.clone().into(),
            welcome: bundle.welcome.clone().map(Bytes),
            added: change.added.iter().map(device).collect(),
            removed: change.removed.iter().map(device).collect(),
            ..Submit::default()
        };
        match self.0.submit(&name(group), &commit) {
            Ok(_) => Ok(Verdict::Accepted),
            Err(DeliveryError::WrongEpoch { epoch }) => Ok(Verdict::TooLate(epoch)),
            Err(error) => Err(error.into()),
        }
    }

    fn send(&self, group: &GroupId, message: &[u8]) -> Result<()> {
        self.0.send_message(&name(group), message)?;
        Ok(())
    }

    fn read(&self) -> Result<Page> {
        // From the start: what was acknowledged is not there any more.
        let page = self.0.read_queue(0, 100, LONGEST_WAIT)?;
        let letters = page.deliveries.into_iter().map(|delivery| Letter {
            group: GroupId(delivery.group.0),
            invites: delivery.kind == Kind::Welcome,
            bytes: delivery.bytes.0,
        });
        Ok(Page {
            letters: letters.collect(),
            cursor: page.cursor,
        })
    }

    fn acknowledge(&self, cursor: u64) -> Result<()> {
        Ok(self.0.acknowledge(cursor, 0)?)
    }

    fn sign_off(&self) -> Result<()> {
        Ok(self.0.delete_device()?)
    }
}

/// Seconds.
const LONGEST_WAIT: u32 = 50;
/// `phone::SUITE` as RFC 9420 numbers it.
const SUITE_NUMBER: u16 = 3;

/// Members see each other's signature keys, and a device is named after its own.
fn device(identity: &IdentityId) -> Bytes {
    wire::device_id(&identity.0)
}

fn name(group: &GroupId) -> Bytes {
    Bytes(group.0.clone())
}
