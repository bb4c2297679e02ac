//! Where the vectors are, and what their files hold.

use std::{
    env, fs,
    io::Write as _,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Deserializer, de::DeserializeOwned, de::Error as _};

/// The folder that `MLS_VECTORS` names, which must be there, or the one beside the checkout, if it is.
fn folder() -> Option<PathBuf> {
    if let Some(named) = env::var_os("MLS_VECTORS") {
        return Some(named.into());
    }
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/vectors");
    beside.is_dir().then_some(beside)
}

/// The cases of a file, or `None` where there are no vectors, which is said.
pub(crate) fn read<T: DeserializeOwned>(name: &str) -> Option<Vec<T>> {
    let Some(folder) = folder() else {
        // Not `eprintln`, which the test runner keeps to itself when a test passes; test.sh counts these lines. A line of
        // its own: the runner may have begun one.
        let why = format!("\nskipped: {name}: MLS_VECTORS is not set, and ../shared/vectors is not there\n");
        std::io::stderr().write_all(why.as_bytes()).unwrap();
        return None;
    };
    let path = folder.join(name);
    let text = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    Some(serde_json::from_slice(&text).unwrap())
}

/// Bytes, in hexadecimal digits.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Bytes(pub(crate) Vec<u8>);

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let digits = String::deserialize(deserializer)?;
        if !digits.is_ascii() || digits.len() % 2 != 0 {
            return Err(D::Error::custom("no hexadecimal digits"));
        }
        (0..digits.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&digits[at..at + 2], 16))
            .collect::<Result<_, _>>()
            .map(Self)
            .map_err(D::Error::custom)
    }
}

/// A group that somebody else made, as one of its members sees it: he never sends anything.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PassiveClient {
    pub(crate) cipher_suite: u16,
    pub(crate) external_psks: Vec<ExternalPsk>,
    pub(crate) key_package: Bytes,
    pub(crate) signature_priv: Bytes,
    pub(crate) encryption_priv: Bytes,
    pub(crate) init_priv: Bytes,
    pub(crate) welcome: Bytes,
    pub(crate) ratchet_tree: Option<Bytes>,
    pub(crate) initial_epoch_authenticator: Bytes,
    pub(crate) epochs: Vec<Epoch>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExternalPsk {
    pub(crate) psk_id: Bytes,
    pub(crate) psk: Bytes,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Epoch {
    pub(crate) proposals: Vec<Bytes>,
    pub(crate) commit: Bytes,
    pub(crate) epoch_authenticator: Bytes,
}

/// A file of passive clients, and how many it has of each suite.
pub(crate) struct PassiveFile {
    name: &'static str,
    of_each_suite: usize,
}

pub(crate) const WELCOMES: PassiveFile = PassiveFile {
    name: "passive-client-welcome.json",
    of_each_suite: 8,
};

pub(crate) const COMMITS: PassiveFile = PassiveFile {
    name: "passive-client-handling-commit.json",
    of_each_suite: 13,
};

impl PassiveFile {
    /// The cases of the suites that this library computes: none is missing.
    pub(crate) fn ours(&self) -> Option<Vec<PassiveClient>> {
        let cases = self.select(|suite| super::SUITES.iter().any(|ours| super::number(*ours) == suite))?;
        assert_eq!(cases.len(), self.of_each_suite * super::SUITES.len());
        Some(cases)
    }

    /// The cases of all other suites.
    pub(crate) fn others(&self) -> Option<Vec<PassiveClient>> {
        let cases = self.select(|suite| super::SUITES.iter().all(|ours| super::number(*ours) != suite))?;
        let suites = usize::from(super::ALL_SUITES) - super::SUITES.len();
        assert_eq!(cases.len(), self.of_each_suite * suites);
        Some(cases)
    }

    fn select(&self, wanted: impl Fn(u16) -> bool) -> Option<Vec<PassiveClient>> {
        let cases: Vec<PassiveClient> = read(self.name)?;
        for suite in 1..=super::ALL_SUITES {
            let found = cases.iter().filter(|case| case.cipher_suite == suite).count();
            assert_eq!(found, self.of_each_suite, "{} of suite {suite}", self.name);
        }
        Some(
            cases
                .into_iter()
                .filter(|case| wanted(case.cipher_suite))
                .collect(),
        )
    }
}
