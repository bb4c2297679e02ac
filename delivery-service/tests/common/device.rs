//! A device with a real signature key and real key packages, by OpenMLS.

use mls_delivery_client::{
    DeliveryClient,
    wire::{self, Accepted, Bytes, CreateGroup, Delivery, Submit},
};
use openmls::extensions::ApplicationIdExtension;
use openmls::prelude::{
    BasicCredential, Capabilities, Ciphersuite, CredentialWithKey, Extension, ExtensionType, Extensions,
    KeyPackage, Lifetime, MlsMessageOut, SignaturePublicKey,
};
use openmls_libcrux_crypto::Provider;
use openmls_traits::{
    OpenMlsProvider as _,
    crypto::OpenMlsCrypto as _,
    signatures::{Signer, SignerError},
    types::SignatureScheme,
};

use super::forged;

pub const SUITE: u16 = 3;

pub struct Device {
    keys: Keys,
    provider: Provider,
    pub id: Bytes,
    pub client: DeliveryClient,
    pub cursor: u64,
}

struct Keys {
    private: Vec<u8>,
    public: Vec<u8>,
}

impl Signer for Keys {
    fn sign(&self, payload: &[u8]) -> Result<Vec<u8>, SignerError> {
        let provider = Provider::new().unwrap();
        let signature = provider
            .crypto()
            .sign(SignatureScheme::ED25519, payload, &self.private);
        signature.map_err(|_| SignerError::SigningError)
    }

    fn signature_scheme(&self) -> SignatureScheme {
        SignatureScheme::ED25519
    }
}

impl Device {
    /// Registered with the service.
    pub fn new(address: &str) -> Self {
        let mut device = Self::unregistered(DeliveryClient::new(address));
        device.register();
        device
    }

    pub fn unregistered(client: DeliveryClient) -> Self {
        let provider = Provider::new().unwrap();
        let (private, public) = provider
            .crypto()
            .signature_key_gen(SignatureScheme::ED25519)
            .unwrap();
        Self {
            id: wire::device_id(&public),
            keys: Keys { private, public },
            provider,
            client,
            cursor: 0,
        }
    }

    /// Returns the token.
    pub fn register(&mut self) -> String {
        let proof = self.proof(self.client.challenge().unwrap());
        let registered = self.client.register(proof).unwrap();
        assert_eq!(registered.device, self.id);
        registered.token
    }

    pub fn proof(&self, challenge: Vec<u8>) -> Vec<u8> {
        self.make(Some(challenge), false)
    }

    pub fn key_package(&self) -> Vec<u8> {
        self.make(None, false)
    }

    pub fn last_resort(&self) -> Vec<u8> {
        self.make(None, true)
    }

    fn make(&self, application_id: Option<Vec<u8>>, last_resort: bool) -> Vec<u8> {
        let credential = CredentialWithKey {
            credential: BasicCredential::new(b"somebody".to_vec()).into(),
            signature_key: SignaturePublicKey::from(self.keys.public.clone()),
        };
        let mut builder = KeyPackage::builder().key_package_lifetime(Lifetime::new(86400));
        if let Some(id) = application_id {
            let extension = Extension::ApplicationId(ApplicationIdExtension::new(&id));
            builder = builder.leaf_node_extensions(Extensions::single(extension).unwrap());
        }
        if last_resort {
            let capabilities = Capabilities::builder()
                .extensions(vec![ExtensionType::LastResort])
                .build();
            builder = builder.leaf_node_capabilities(capabilities).mark_as_last_resort();
        }
        let suite = Ciphersuite::try_from(SUITE).unwrap();
        let bundle = builder
            .build(suite, &self.provider, &self.keys, credential)
            .unwrap();
        MlsMessageOut::from(bundle.into_key_package()).to_bytes().unwrap()
    }

    pub fn create_group(&self, group: &[u8]) -> Bytes {
        let new = CreateGroup {
            group: Bytes(group.to_vec()),
            ..CreateGroup::default()
        };
        self.client.create_group(&new).unwrap();
        new.group
    }

    /// Adds devices by a Commit that is a frame only.
    pub fn add(&self, group: &Bytes, epoch: u64, others: &[&Self]) -> Accepted {
        let mut submit = commit(group, epoch, b"adds");
        submit.added = others.iter().map(|other| other.id.clone()).collect();
        self.client.submit(group, &submit).unwrap()
    }

    /// Sends a frame with this content.
    pub fn say(&self, group: &Bytes, epoch: u64, content: &[u8]) -> Accepted {
        let message = forged::private_message(&group.0, epoch, forged::APPLICATION, content);
        self.client.send_message(group, &message).unwrap()
    }

    /// Takes everything, and acknowledges it.
    pub fn take_all(&mut self) -> Vec<Delivery> {
        let mut all = Vec::new();
        loop {
            let page = self.client.read_queue(self.cursor, 1000, 0).unwrap();
            self.client.acknowledge(page.cursor, page.missed).unwrap();
            self.cursor = page.cursor;
            if page.deliveries.is_empty() {
                return all;
            }
            all.extend(page.deliveries);
        }
    }
}

pub fn commit(group: &Bytes, epoch: u64, content: &[u8]) -> Submit {
    Submit {
        commit: Bytes(forged::private_message(&group.0, epoch, forged::COMMIT, content)),
        ..Submit::default()
    }
}
