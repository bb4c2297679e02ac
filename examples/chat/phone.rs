//! A phone: the little that an app writes around the library.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use mls_mobile::{
    CallbackError, Ciphersuite, ClientConfig, Credential, CredentialValidator, GroupId, IdentityId,
    MlsClient, MlsGroup, ProcessedMessage, ValidationRequest,
};

use crate::{Result, show};

/// The suite that is fastest with libcrux; every member of a group must use the group's.
pub const SUITE: Ciphersuite = Ciphersuite::MLS_128_DHKEMX25519_CHACHA20POLY1305_SHA256_Ed25519;

pub struct Phone {
    pub name: &'static str,
    pub client: Arc<MlsClient>,
    pub identity: IdentityId,
}

/// What is left of a phone while the app is closed: the file, and the key in the system's key store.
pub struct Closed {
    name: &'static str,
    path: PathBuf,
    key: [u8; 32],
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
        })
    }

    /// Opens the database; the first time it is created.
    pub fn open(&self) -> Result<Phone> {
        let client = open(&self.path, self.key)?;
        // An app asks for its identity after each start, and makes one the first time.
        let identity = match client.identities()?.into_iter().next() {
            Some(identity) => identity,
            None => client.create_identity(credential(self.name), SUITE)?,
        };
        Ok(Phone {
            name: self.name,
            client,
            identity: identity.id,
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
        show::line(
            self.name,
            format!("epoch {epoch}, safety number {safety_number}, members {members}"),
        );
        Ok(safety_number)
    }

    /// Encrypts a line for the group. The bytes may be sent by whatever means the app has.
    pub fn say(&self, id: &GroupId, text: &str) -> Result<Vec<u8>> {
        let message = self
            .group(id)?
            .create_message(text.as_bytes().to_vec(), Vec::new())?;
        show::line(
            self.name,
            format!("says \"{text}\": {} bytes on the wire", message.len()),
        );
        Ok(message)
    }

    /// Takes a message from the delivery service and prints what it was.
    pub fn receive(&self, id: &GroupId, message: &[u8]) -> Result<()> {
        let processed = match self.group(id)?.process_message(message.to_vec()) {
            Ok(processed) => processed,
            Err(error) => {
                // Errors are typed: an app matches on the variant, and logs the stable code.
                show::line(
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
                show::line(
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
                show::line(
                    self.name,
                    format!("sees that {}{ending} (epoch {epoch})", show::commit(&summary)),
                );
            }
            ProcessedMessage::Duplicate => show::line(self.name, "has had that before: Duplicate, no error"),
            ProcessedMessage::OwnMessage => {
                show::line(self.name, "sees the own message come back: OwnMessage")
            }
            ProcessedMessage::Stale { epoch } => {
                show::line(
                    self.name,
                    format!("has no key for that message of epoch {epoch}: Stale, no error"),
                );
            }
            other => show::line(self.name, format!("sees {other:?}")),
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
