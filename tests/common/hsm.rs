//! A key outside the library, which signs as it is told: well, or not.

use std::sync::{Arc, Mutex, OnceLock, Weak};

use mls_mobile::{CallbackError, Credential, Identity, MlsClient, MlsError, Signer};
use openmls_libcrux_crypto::CryptoProvider;
use openmls_traits::{crypto::OpenMlsCrypto as _, types::SignatureScheme};

use super::{Device, SUITE};

/// What is wrong with a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    Fails,
    Panics,
    IsEmpty,
    IsTooLong,
    IsGarbage,
    IsOfOtherBytes,
    IsByAnotherKey,
}

impl Fault {
    pub const ALL: [Self; 7] = [
        Self::Fails,
        Self::Panics,
        Self::IsEmpty,
        Self::IsTooLong,
        Self::IsGarbage,
        Self::IsOfOtherBytes,
        Self::IsByAnotherKey,
    ];
}

pub struct Hsm {
    private_key: Vec<u8>,
    pub public_key: Vec<u8>,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    signed: Vec<Vec<u8>>,
    /// How many signatures are left until the one that goes wrong.
    fault: Option<(usize, Fault)>,
    /// Who is called back, and what that answered.
    calls_back: Weak<MlsClient>,
    answers: Vec<Option<MlsError>>,
}

fn crypto() -> CryptoProvider {
    CryptoProvider::new().unwrap()
}

impl Hsm {
    pub fn new() -> Arc<Self> {
        Self::sharing(Arc::default())
    }

    /// The same key for the whole process, for calls that cannot be handed one.
    pub fn shared() -> Arc<Self> {
        static SHARED: OnceLock<Arc<Hsm>> = OnceLock::new();
        SHARED.get_or_init(Self::new).clone()
    }

    /// Another key, whose signatures are counted with this one's.
    pub fn another(&self) -> Arc<Self> {
        Self::sharing(self.state.clone())
    }

    fn sharing(state: Arc<Mutex<State>>) -> Arc<Self> {
        let (private_key, public_key) = crypto().signature_key_gen(SignatureScheme::ED25519).unwrap();
        Arc::new(Self {
            private_key,
            public_key,
            state,
        })
    }

    /// Lets the signature after the next `after` go wrong, once.
    pub fn goes_wrong(&self, after: usize, fault: Fault) {
        self.state.lock().unwrap().fault = Some((after, fault));
    }

    /// Whether the signature that was to go wrong was asked for, or nothing was to; all are good from now on.
    pub fn went_wrong(&self) -> bool {
        self.state.lock().unwrap().fault.take().is_none()
    }

    pub fn calls_back(&self, client: &Arc<MlsClient>) {
        self.state.lock().unwrap().calls_back = Arc::downgrade(client);
    }

    /// What calling back was answered, since this was last asked.
    pub fn answers(&self) -> Vec<Option<MlsError>> {
        std::mem::take(&mut self.state.lock().unwrap().answers)
    }

    /// What was signed since this was last asked.
    pub fn signed(&self) -> Vec<Vec<u8>> {
        std::mem::take(&mut self.state.lock().unwrap().signed)
    }

    pub fn create_identity(self: &Arc<Self>, device: &Device, credential: Credential) -> Identity {
        device
            .client()
            .create_identity_with_signer(credential, SUITE, self.public_key.clone(), self.clone())
            .unwrap()
    }

    fn sign_with(private_key: &[u8], bytes: &[u8]) -> Vec<u8> {
        crypto()
            .sign(SignatureScheme::ED25519, bytes, private_key)
            .unwrap()
    }
}

impl Signer for Hsm {
    fn sign(&self, bytes: Vec<u8>) -> Result<Vec<u8>, CallbackError> {
        let (client, fault) = {
            let mut state = self.state.lock().unwrap();
            state.signed.push(bytes.clone());
            let fault = match state.fault {
                Some((0, fault)) => {
                    state.fault = None;
                    Some(fault)
                }
                Some((left, fault)) => {
                    state.fault = Some((left - 1, fault));
                    None
                }
                None => None,
            };
            (state.calls_back.upgrade(), fault)
        };
        if let Some(client) = client {
            let answers = [
                client.identities().err(),
                client.wipe().err(),
                client.suspend(1).err(),
            ];
            self.state.lock().unwrap().answers.extend(answers);
        }
        let good = Self::sign_with(&self.private_key, &bytes);
        match fault {
            None => Ok(good),
            Some(Fault::Fails) => Err(CallbackError::Failed),
            // Without the message and the backtrace of `panic!`, hundreds of times.
            Some(Fault::Panics) => std::panic::resume_unwind(Box::new("the key is gone")),
            Some(Fault::IsEmpty) => Ok(Vec::new()),
            Some(Fault::IsTooLong) => Ok([good, vec![0]].concat()),
            Some(Fault::IsGarbage) => Ok(vec![7; 64]),
            Some(Fault::IsOfOtherBytes) => Ok(Self::sign_with(&self.private_key, b"other bytes")),
            Some(Fault::IsByAnotherKey) => {
                let (other, _) = crypto().signature_key_gen(SignatureScheme::ED25519).unwrap();
                Ok(Self::sign_with(&other, &bytes))
            }
        }
    }
}
