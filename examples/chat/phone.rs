//! A phone: the little that an app writes around the library.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use mls_mobile::{
    CallbackError, Ciphersuite, ClientConfig, CommitBundle, Credential, CredentialValidator, GroupId,
    IdentityId, MlsClient, MlsGroup, ProcessedMessage, ValidationRequest,
};

use crate::{
    Result,
    network::{Change, Line, Network, Verdict},
    show::{self, line},
};

/// The suite that is fastest with libcrux; every member of a group must use the group's.
pub const SUITE: Ciphersuite = Ciphersuite::MLS_128_DHKEMX25519_CHACHA20POLY1305_SHA256_Ed25519;

pub struct Phone {
    pub name: &'static str,
    pub client: Arc<MlsClient>,
    pub identity: IdentityId,
    network: Box<dyn Line>,
}

/// What is left of a phone while the app is closed: the file, and what the system's key store has.
pub struct Closed {
    name: &'static str,
    path: PathBuf,
    key: [u8; 32],
    /// For the delivery service.
    token: Option<String>,
}

impl Closed {
    /// A phone without a database.
    pub fn new(folder: &Path, name: &'static str) -> Result<Self> {
        let path = folder.join(format!("{}.db", name.to_lowercase()));
        if path.exists() {
            // Its key was never written down, so nobody can open it.
            return Err(format!("{} exists already; choose another folder", path.display()).into());
        }
        Ok(Self {
            name,
            path,
            key: random_key()?,
            token: None,
        })
    }

    /// Opens the database; the first time it is created.
    pub fn open(&mut self, network: &Network) -> Result<Phone> {
        let client = open(&self.path, self.key)?;
        // An app asks for its identity after each start, and makes one the first time.
        let identity = match client.identities()?.into_iter().next() {
            Some(identity) => identity,
            None => client.create_identity(credential(self.name), SUITE)?,
        };
        let network = network.connect(&client, &identity.id, &mut self.token)?;
        Ok(Phone {
            name: self.name,
            client,
            identity: identity.id,
            network,
        })
    }

    /// What a thief without the key sees.
    pub fn open_with_wrong_key(&self) -> Result<String> {
        match MlsClient::open(config(&self.path, random_key()?)?, None, None) {
            Ok(_) => Err("a wrong key opened the database".into()),
            Err(error) => Ok(format!("{error} (code {})", error.error_code())),
        }
    }
}

impl Phone {
    /// A handle to the group. It holds no state, so an app can make one whenever it needs one.
    pub fn group(&self, id: &GroupId) -> Result<Arc<MlsGroup>> {
        Ok(self.client.group(id.clone())?)
    }

    /// Prints what the phone knows of the group, and returns the number that all members must agree on.
    pub fn report(&self, id: &GroupId) -> Result<String> {
        let group = self.group(id)?;
        let (epoch, members) = (group.info()?.epoch, show::members(&group.members()?));
        let safety_number = show::safety_number(&group)?;
        line(
            self.name,
            format!("epoch {epoch}, safety number {safety_number}, members {members}"),
        );
        Ok(safety_number)
    }

    /// A key package is what others need to add somebody who is offline. Each is good for one invitation.
    pub fn publish_key_package(&self) -> Result<()> {
        let key_package = self
            .client
            .create_key_packages(self.identity.clone(), 1, None)?
            .pop()
            .ok_or("no key package was made")?;
        line(
            self.name,
            format!("publishes a key package of {} bytes", key_package.bytes.len()),
        );
        self.network.publish(key_package.bytes)
    }

    pub fn create_group(&self) -> Result<GroupId> {
        // Without a configuration the group gets a random id and the client's defaults.
        let id = self.client.create_group(self.identity.clone(), None)?.id()?;
        self.network.create_group(&id)?;
        Ok(id)
    }

    pub fn invite(&self, id: &GroupId, other: &Self) -> Result<()> {
        let key_package = self.network.claim(&other.identity)?;
        let bundle = self.group(id)?.add_members(vec![key_package])?;
        let change = Change {
            added: vec![other.identity.clone()],
            ..Change::default()
        };
        self.submit(id, &bundle, &change)
    }

    pub fn remove(&self, id: &GroupId, other: &Self) -> Result<()> {
        let members = self.group(id)?.members()?;
        let member = members
            .iter()
            .find(|member| member.signature_key == other.identity.0);
        let leaf = member
            .ok_or_else(|| format!("{} is no member", other.name))?
            .leaf_index;
        let bundle = self.group(id)?.remove_members(vec![leaf])?;
        let change = Change {
            removed: vec![other.identity.clone()],
            ..Change::default()
        };
        self.submit(id, &bundle, &change)
    }

    /// Lets the delivery service decide on a Commit. If the app dies before it has heard the answer, `pending_commit` gives
    /// the same bytes once more, and the service knows them.
    pub fn submit(&self, id: &GroupId, bundle: &CommitBundle, change: &Change) -> Result<()> {
        let welcome = bundle.welcome.as_ref().map_or(String::new(), |welcome| {
            format!(", and a Welcome of {} bytes", welcome.len())
        });
        let bytes = bundle.commit.len();
        line(self.name, format!("makes a Commit of {bytes} bytes{welcome}"));
        match self.network.submit(id, bundle, change)? {
            Verdict::Accepted => {
                let epoch = self.group(id)?.merge_pending_commit()?.summary.to_epoch;
                line(
                    self.name,
                    format!("merges it, for it was accepted: epoch {epoch}"),
                );
            }
            Verdict::TooLate(epoch) => {
                self.group(id)?.clear_pending_commit()?;
                line(
                    self.name,
                    format!("drops it, for another was first: the group is in epoch {epoch}"),
                );
            }
        }
        Ok(())
    }

    /// Encrypts a line for the group and sends it. Returns the bytes that travel.
    pub fn say(&self, id: &GroupId, text: &str) -> Result<Vec<u8>> {
        let message = self
            .group(id)?
            .create_message(text.as_bytes().to_vec(), Vec::new())?;
        line(
            self.name,
            format!("says \"{text}\": {} bytes on the wire", message.len()),
        );
        self.network.send(id, &message)?;
        Ok(message)
    }

    /// Takes what waits for this phone, and says that it is safe: each call of the library was on disk when it returned.
    pub fn fetch(&self) -> Result<()> {
        let cursor = self.read()?;
        self.network.acknowledge(cursor)
    }

    /// The same without the end: what was read comes again.
    pub fn read(&self) -> Result<u64> {
        let page = self.network.read()?;
        if page.letters.is_empty() {
            return Err(format!("nothing came for {}", self.name).into());
        }
        for letter in page.letters {
            if letter.invites {
                self.join(letter.bytes)?;
            } else {
                self.receive(&letter.group, &letter.bytes)?;
            }
        }
        Ok(page.cursor)
    }

    /// Looks at the invitation before it takes it.
    fn join(&self, welcome: Vec<u8>) -> Result<()> {
        let info = self.client.inspect_welcome(welcome.clone(), None)?;
        let inviter = info
            .sender
            .map_or("nobody".to_owned(), |member| show::name(&member.credential));
        self.client.join_from_welcome(welcome, None)?;
        line(
            self.name,
            format!("joins at the invitation of {inviter}, in epoch {}", info.epoch),
        );
        Ok(())
    }

    /// Processes a message and prints what it was.
    pub fn receive(&self, id: &GroupId, message: &[u8]) -> Result<()> {
        let processed = match self.group(id)?.process_message(message.to_vec()) {
            Ok(processed) => processed,
            Err(error) => {
                // Errors are typed: an app matches on the variant, and logs the stable code.
                line(
                    self.name,
                    format!("cannot read it: {error} (code {})", error.error_code()),
                );
                return Ok(());
            }
        };
        match processed {
            ProcessedMessage::Application {
                sender, plaintext, ..
            } => {
                let text = String::from_utf8_lossy(&plaintext);
                line(
                    self.name,
                    format!("reads \"{text}\" from {}", show::sender(&sender)),
                );
            }
            ProcessedMessage::Commit { summary, .. } => {
                let ending = if summary.self_removed {
                    ": that is me, I am out"
                } else {
                    ""
                };
                let epoch = summary.to_epoch;
                line(
                    self.name,
                    format!("sees that {}{ending} (epoch {epoch})", show::commit(&summary)),
                );
            }
            ProcessedMessage::Duplicate => line(self.name, "has had that before: Duplicate, no error"),
            ProcessedMessage::OwnMessage => line(self.name, "sees the own message come back: OwnMessage"),
            ProcessedMessage::Stale { epoch } => {
                line(
                    self.name,
                    format!("has no key for that message of epoch {epoch}: Stale, no error"),
                );
            }
            other => line(self.name, format!("sees {other:?}")),
        }
        Ok(())
    }

    /// Saves what happened, as an app would in its own database, and tells the library that it may forget it.
    pub fn save_inbox(&self) -> Result<usize> {
        let entries = self.client.inbox(100)?;
        self.client
            .acknowledge(entries.iter().map(|entry| entry.id).collect())?;
        Ok(entries.len())
    }

    /// Leaves the delivery service, which forgets the phone and what waits for it.
    pub fn sign_off(&self) -> Result<()> {
        self.network.sign_off()
    }
}

pub fn open(path: &Path, key: [u8; 32]) -> Result<Arc<MlsClient>> {
    Ok(MlsClient::open(
        config(path, key)?,
        Some(Arc::new(AddressBook)),
        None,
    )?)
}

/// Decides who is let in. A real app asks whether the credential and its key belong to the account that it names;
/// in this story everybody who has a name is known.
struct AddressBook;

impl CredentialValidator for AddressBook {
    fn validate(&self, request: ValidationRequest) -> std::result::Result<bool, CallbackError> {
        let newcomers = match request {
            ValidationRequest::Commit { summary, .. } => [summary.added, summary.external_joins].concat(),
            ValidationRequest::KeyPackage { member, .. } => vec![member],
            _ => Vec::new(),
        };
        let has_a_name = |credential: &Credential| matches!(credential, Credential::Basic { identity } if !identity.is_empty());
        Ok(newcomers.iter().all(|member| has_a_name(&member.credential)))
    }
}

fn config(path: &Path, key: [u8; 32]) -> Result<ClientConfig> {
    let path = path.to_str().ok_or("the path is not UTF-8")?;
    Ok(ClientConfig::new(path, key))
}

pub fn credential(name: &str) -> Credential {
    Credential::Basic {
        identity: name.as_bytes().to_vec(),
    }
}

/// A real app makes this key once and keeps it in Keychain or Keystore.
pub fn random_key() -> Result<[u8; 32]> {
    let mut key = [0; 32];
    getrandom::fill(&mut key).map_err(|error| error.to_string())?;
    Ok(key)
}
