//! A phone that does what it is told, line by line, through the delivery service: the program of tests/scenarios.md.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "it talks through its standard streams"
)]

use std::{error::Error, fs, io, path::Path, process::ExitCode, sync::Arc};

use mls_delivery_client::{
    DeliveryClient, DeliveryError,
    wire::{self, Bytes, CreateGroup, Kind, Submit},
};
use mls_mobile::{
    CallbackError, Ciphersuite, ClientConfig, CommitBundle, Credential, CredentialValidator, IdentityId,
    IncomingMessage, KeyPackageOptions, LeafNodeOptions, MlsClient, MlsError, MlsGroup, ProcessedMessage,
    ValidationRequest,
};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, name, address] = arguments.as_slice() else {
        eprintln!("usage: phone FOLDER NAME ADDRESS");
        return ExitCode::FAILURE;
    };
    match run(Path::new(folder), name, address) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(folder: &Path, name: &str, address: &str) -> Result<()> {
    let phone = Phone::open(folder, name, address)?;
    println!("device {}", wire::device_id(&phone.identity.0));
    for line in io::stdin().lines() {
        println!("{}", phone.obey(&line?)?);
    }
    Ok(())
}

struct Phone {
    client: Arc<MlsClient>,
    delivery: DeliveryClient,
    identity: IdentityId,
}

impl Phone {
    /// On its first start it registers and publishes key packages.
    fn open(folder: &Path, name: &str, address: &str) -> Result<Self> {
        let path = folder.join(format!("{name}.db"));
        let config = ClientConfig::new(path.to_string_lossy(), [5; 32]);
        let client = MlsClient::open(config, Some(Arc::new(AcceptAll)), None)?;
        // An app keeps it where it keeps other secrets.
        let token = folder.join(format!("{name}.token"));
        let mut delivery = DeliveryClient::new(address);
        if let Some(identity) = client.identities()?.into_iter().next() {
            return Ok(Self {
                client,
                delivery: delivery.with_token(fs::read_to_string(token)?),
                identity: identity.id,
            });
        }
        let credential = Credential::Basic {
            identity: name.as_bytes().to_vec(),
        };
        let suite = Ciphersuite::MLS_128_DHKEMX25519_CHACHA20POLY1305_SHA256_Ed25519;
        let identity = client.create_identity(credential, suite)?.id;
        fs::write(token, register(&client, &identity, &mut delivery)?)?;
        let key_packages = client.create_key_packages(identity.clone(), 10, None)?;
        delivery.publish_key_packages(key_packages.into_iter().map(|made| made.bytes).collect())?;
        Ok(Self {
            client,
            delivery,
            identity,
        })
    }

    fn obey(&self, line: &str) -> Result<String> {
        match line.split_once(' ').unwrap_or((line, "")) {
            ("create", "") => {
                let group = self.client.create_group(self.identity.clone(), None)?;
                self.delivery.create_group(&CreateGroup {
                    group: Bytes(group.id()?.0),
                    ..CreateGroup::default()
                })?;
                Ok("created".to_owned())
            }
            ("invite", device) => {
                let device = Bytes::from_text(device).ok_or("no device")?;
                // 0x0003.
                let key_package = self.delivery.claim_key_package(&device, 3)?;
                self.commit(&[device], |group| group.add_members(vec![key_package.clone()]))?;
                Ok("invited".to_owned())
            }
            ("update", "") => {
                let lost = self.commit(&[], |group| group.self_update(None))?;
                Ok(format!("lost {lost}"))
            }
            ("say", text) => {
                let group = self.group()?;
                let message = group.create_message(text.as_bytes().to_vec(), Vec::new())?;
                self.delivery.send_message(&Bytes(group.id()?.0), &message)?;
                Ok("said".to_owned())
            }
            ("hear", "") => Ok(format!("heard {}", self.hear()?.join(", "))),
            ("authenticator", "") => {
                let authenticator = self.group()?.epoch_authenticator()?;
                let hex: String = authenticator.iter().map(|byte| format!("{byte:02x}")).collect();
                Ok(format!("authenticator {hex}"))
            }
            _ => Err("no such command".into()),
        }
    }

    fn group(&self) -> Result<Arc<MlsGroup>> {
        let group = self.client.groups()?.into_iter().next().ok_or("no group")?;
        Ok(self.client.group(group.group_id)?)
    }

    /// Makes the Commit until it is the first of its epoch, and returns how often another member was faster.
    fn commit(
        &self,
        added: &[Bytes],
        make: impl Fn(&MlsGroup) -> std::result::Result<CommitBundle, MlsError>,
    ) -> Result<u32> {
        let group = self.group()?;
        for lost in 0.. {
            let bundle = make(&group)?;
            let commit = Submit {
                commit: Bytes(bundle.commit),
                welcome: bundle.welcome.map(Bytes),
                added: added.to_vec(),
                ..Submit::default()
            };
            match self.delivery.submit(&Bytes(group.id()?.0), &commit) {
                Ok(_) => {
                    group.merge_pending_commit()?;
                    return Ok(lost);
                }
                Err(DeliveryError::WrongEpoch { .. }) => {
                    group.clear_pending_commit()?;
                    self.receive(0)?;
                }
                Err(error) => return Err(error.into()),
            }
        }
        Err("lost every time".into())
    }

    /// Waits until something comes, and takes all that is there.
    fn hear(&self) -> Result<Vec<String>> {
        while self.receive(50)? == 0 {}
        while self.receive(0)? > 0 {}
        let entries = self.client.inbox(1000)?;
        self.client
            .acknowledge(entries.iter().map(|entry| entry.id).collect())?;
        let texts = entries.into_iter().filter_map(|entry| match entry.outcome {
            ProcessedMessage::Application { plaintext, .. } => String::from_utf8(plaintext).ok(),
            _ => None,
        });
        Ok(texts.collect())
    }

    /// Takes what is in the queue, or waits for it, and returns how much that was.
    fn receive(&self, wait_seconds: u32) -> Result<usize> {
        let page = self.delivery.read_queue(0, 100, wait_seconds)?;
        if page.missed > 0 {
            return Err("messages are lost to this device: it has to join its groups again".into());
        }
        let mut messages = Vec::new();
        for delivery in &page.deliveries {
            if delivery.kind == Kind::Welcome {
                self.process(std::mem::take(&mut messages))?;
                match self.client.join_from_welcome(delivery.bytes.0.clone(), None) {
                    // It came before, and the acknowledgement was lost.
                    Ok(_) | Err(MlsError::GroupAlreadyExists) => {}
                    Err(error) => return Err(error.into()),
                }
            } else {
                messages.push(IncomingMessage {
                    bytes: delivery.bytes.0.clone(),
                    cursor: None,
                });
            }
        }
        self.process(messages)?;
        // All is on this device's disk now.
        self.delivery.acknowledge(page.cursor, 0)?;
        Ok(page.deliveries.len())
    }

    fn process(&self, messages: Vec<IncomingMessage>) -> Result<()> {
        let batch = self.client.process_messages(messages, None)?;
        batch
            .stopped_at
            .map_or(Ok(()), |at| Err(format!("stopped at {at}").into()))
    }
}

/// The key package that proves the identity is deleted at once: nobody was, or will be, added with it.
fn register(client: &MlsClient, identity: &IdentityId, delivery: &mut DeliveryClient) -> Result<String> {
    let leaf_node = LeafNodeOptions {
        application_id: Some(delivery.challenge()?),
        ..LeafNodeOptions::default()
    };
    let options = KeyPackageOptions {
        leaf_node: Some(leaf_node),
        ..KeyPackageOptions::default()
    };
    let proofs = client.create_key_packages(identity.clone(), 1, Some(options))?;
    let proof = proofs.into_iter().next().ok_or("no key package")?;
    client.delete_key_package(proof.reference)?;
    Ok(delivery.register(proof.bytes)?.token)
}

struct AcceptAll;

impl CredentialValidator for AcceptAll {
    fn validate(&self, _request: ValidationRequest) -> std::result::Result<bool, CallbackError> {
        Ok(true)
    }
}
