//! This library, through its facade, as an app calls it: sealed, with an inbox, synchronous FULL.

use std::{collections::HashMap, path::Path, sync::Arc};

use mls_mobile::{
    BatchOutcome, CallbackError, Ciphersuite, ClientConfig, Credential, CredentialValidator, GroupId,
    IncomingMessage, MlsClient, MlsGroup, ProcessedMessage, ValidationRequest,
};

use crate::contestant::Contestant;

pub(crate) struct Ours {
    client: Arc<MlsClient>,
    groups: HashMap<Vec<u8>, Arc<MlsGroup>>,
}

/// An app that decides at once, so that a Commit is one call.
struct AcceptAll;

impl CredentialValidator for AcceptAll {
    fn validate(&self, _request: ValidationRequest) -> Result<bool, CallbackError> {
        Ok(true)
    }
}

impl Ours {
    fn group(&mut self, id: &[u8]) -> &MlsGroup {
        let Self { client, groups } = self;
        groups
            .entry(id.to_vec())
            .or_insert_with(|| client.group(GroupId(id.to_vec())).unwrap())
    }
}

impl Contestant for Ours {
    fn open(folder: &Path) -> Self {
        let config = ClientConfig::new(folder.join("ours.db").to_str().unwrap(), [1; 32]);
        Self {
            client: MlsClient::open(config, Some(Arc::new(AcceptAll)), None).unwrap(),
            groups: HashMap::new(),
        }
    }

    fn key_packages(&mut self, count: usize) -> Vec<Vec<u8>> {
        let identity = match self.client.identities().unwrap().pop() {
            Some(identity) => identity.id,
            None => {
                let credential = Credential::Basic {
                    identity: b"contestant".to_vec(),
                };
                let suite = Ciphersuite::MLS_128_DHKEMX25519_CHACHA20POLY1305_SHA256_Ed25519;
                self.client.create_identity(credential, suite).unwrap().id
            }
        };
        let count = u32::try_from(count).unwrap();
        let made = self.client.create_key_packages(identity, count, None);
        made.unwrap().into_iter().map(|it| it.bytes).collect()
    }

    fn join(&mut self, welcome: &[u8]) {
        self.client.join_from_welcome(welcome.to_vec(), None).unwrap();
    }

    fn load(&mut self, group: &[u8]) {
        self.group(group).info().unwrap();
    }

    fn process(&mut self, group: &[u8], message: &[u8]) {
        match self.group(group).process_message(message.to_vec()).unwrap() {
            ProcessedMessage::Application { .. } | ProcessedMessage::Commit { .. } => {}
            other => panic!("{other:?}"),
        }
    }

    fn encrypt(&mut self, group: &[u8], plaintext: &[u8]) -> Vec<u8> {
        self.group(group)
            .create_message(plaintext.to_vec(), Vec::new())
            .unwrap()
    }

    fn commit(&mut self, group: &[u8]) -> Vec<u8> {
        self.group(group).self_update(None).unwrap().commit
    }

    fn merge(&mut self, group: &[u8]) {
        self.group(group).merge_pending_commit().unwrap();
    }

    fn clear(&mut self, group: &[u8]) {
        self.group(group).clear_pending_commit().unwrap();
    }

    fn catch_up(&mut self, messages: Vec<(Vec<u8>, Vec<u8>)>) {
        let count = messages.len();
        let messages = messages.into_iter().zip(0_u32..);
        let messages = messages.map(|((_, bytes), cursor)| IncomingMessage {
            bytes,
            cursor: Some(cursor.to_be_bytes().to_vec()),
        });
        let batch = self.client.process_messages(messages.collect(), None).unwrap();
        assert_eq!((batch.outcomes.len(), &batch.error), (count, &None));
        assert!(batch.outcomes.iter().all(|outcome| matches!(
            outcome,
            BatchOutcome::Processed {
                outcome: ProcessedMessage::Application { .. },
                ..
            }
        )));
    }
}
