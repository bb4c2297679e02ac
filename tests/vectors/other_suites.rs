//! Vectors of suites that this library does not compute: a typed error, and a file as it was.

use mls_mobile::MlsError;

use super::{
    common::Device,
    file::{Bytes, COMMITS, WELCOMES},
    welcome,
};

struct Strange {
    cipher_suite: u16,
    key_package: Bytes,
    private_keys: [Bytes; 3],
    welcome: Bytes,
    ratchet_tree: Option<Bytes>,
    handshakes: Vec<Bytes>,
}

fn all() -> Option<Vec<Strange>> {
    let mut all = Vec::new();
    for file in [WELCOMES, COMMITS] {
        all.extend(file.others()?.into_iter().map(|case| {
            Strange {
                cipher_suite: case.cipher_suite,
                key_package: case.key_package,
                private_keys: [case.init_priv, case.encryption_priv, case.signature_priv],
                welcome: case.welcome,
                ratchet_tree: case.ratchet_tree,
                handshakes: case
                    .epochs
                    .into_iter()
                    .flat_map(|epoch| epoch.proposals.into_iter().chain([epoch.commit]))
                    .collect(),
            }
        }));
    }
    let mut welcomes = welcome::cases()?;
    welcomes.retain(|case| ![1, 3].contains(&case.cipher_suite));
    all.extend(welcomes.into_iter().map(|case| Strange {
        cipher_suite: case.cipher_suite,
        key_package: case.key_package,
        private_keys: [case.init_priv.clone(), case.init_priv.clone(), case.init_priv],
        welcome: case.welcome,
        ratchet_tree: None,
        handshakes: Vec::new(),
    }));
    assert_eq!(all.len(), 5 * (8 + 13 + 1));
    Some(all)
}

#[test]
fn other_suites_are_refused_and_nothing_is_stored() {
    let Some(cases) = all() else { return };
    let device = Device::new("phone");
    let client = device.client();
    let before = (client.storage_info().unwrap(), client.identities().unwrap());
    for case in cases {
        let unsupported = Some(MlsError::UnsupportedCiphersuite {
            ciphersuite: case.cipher_suite,
        });
        // Those of the larger curves have keys that are longer, which would be refused first.
        let [init, encryption, signature] = case.private_keys.map(|mut key| {
            key.0.resize(32, 0);
            key.0
        });
        let imported = client.import_key_package(&case.key_package.0, init, encryption, signature);
        assert_eq!(imported.err(), unsupported);
        assert_eq!(client.inspect_key_package(case.key_package.0).err(), unsupported);
        let tree = || case.ratchet_tree.as_ref().map(|tree| tree.0.clone());
        let welcome = case.welcome.0;
        assert_eq!(client.inspect_welcome(welcome.clone(), tree()).err(), unsupported);
        assert_eq!(client.join_from_welcome(welcome, tree()).err(), unsupported);
        for message in case.handshakes {
            let id = client.message_info(message.0.clone()).unwrap().group_id.unwrap();
            assert_eq!(client.group(id).err(), Some(MlsError::GroupNotFound));
        }
        assert_eq!(client.groups().unwrap(), []);
        assert_eq!(client.key_packages().unwrap(), []);
    }
    assert_eq!(
        (client.storage_info().unwrap(), client.identities().unwrap()),
        before
    );
}
