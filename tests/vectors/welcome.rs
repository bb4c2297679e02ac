//! Welcomes without the ratchet tree that they belong to: they decrypt, and there it ends, because GroupInfo and
//! confirmation tag are verified with the tree. The passive clients have both.

use mls_mobile::{MlsError, WelcomeReason};
use serde::Deserialize;

use super::{
    ALL_SUITES, SUITES,
    common::Device,
    file::{Bytes, read},
    number, with_a_bit_changed,
};

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    pub(crate) cipher_suite: u16,
    pub(crate) init_priv: Bytes,
    pub(crate) key_package: Bytes,
    #[serde(rename = "signer_pub")]
    _signer: Bytes,
    pub(crate) welcome: Bytes,
}

/// All cases, one for each suite.
pub(crate) fn cases() -> Option<Vec<Case>> {
    let cases: Vec<Case> = read("welcome.json")?;
    let suites: Vec<u16> = cases.iter().map(|case| case.cipher_suite).collect();
    assert_eq!(suites, Vec::from_iter(1..=ALL_SUITES));
    Some(cases)
}

/// How the Welcome is refused by a phone with this init key. The other two keys, which the vectors do not tell, have no
/// part in that.
fn refusal(case: &Case, init_key: &[u8], welcome: Vec<u8>) -> WelcomeReason {
    let mut device = Device::new("phone");
    let key_package = &case.key_package.0;
    let imported =
        device
            .client()
            .import_key_package(key_package, init_key.to_vec(), vec![0; 32], vec![0; 32]);
    imported.unwrap();
    device.reload();
    match device.client().inspect_welcome(welcome, None) {
        Err(MlsError::WelcomeInvalid { reason }) => reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_welcome_decrypts_with_its_init_key() {
    let Some(mut cases) = cases() else { return };
    cases.retain(|case| SUITES.iter().any(|ours| number(*ours) == case.cipher_suite));
    assert_eq!(cases.len(), SUITES.len());
    for case in &cases {
        let whole = &case.welcome.0;
        let refused = refusal(case, &case.init_priv.0, whole.clone());
        assert_eq!(refused, WelcomeReason::RatchetTreeMissing);
        let another_key = with_a_bit_changed(&case.init_priv.0, 16);
        let refused = refusal(case, &another_key, whole.clone());
        assert_eq!(refused, WelcomeReason::DecryptionFailed);
        let damaged = with_a_bit_changed(whole, whole.len() - 1);
        let refused = refusal(case, &case.init_priv.0, damaged);
        assert_eq!(refused, WelcomeReason::DecryptionFailed);
    }
}
