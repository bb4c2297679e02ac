//! End-to-end encrypted groups (MLS, RFC 9420) for iOS and Android.
//!
//! An app calls a small, synchronous, typed facade: [`MlsClient`] and [`MlsGroup`]. Each call is one SQLite
//! transaction in which OpenMLS runs with libcrux; when the call returns, what it did is on disk, and when it fails,
//! nothing happened. The app does the networking: the library takes bytes and gives bytes.
//!
//! ```text
//! MlsClient, MlsGroup        api/              parse, run, convert; the only module with uniffi attributes
//!   Store::write(|call| …)   storage/store.rs  BEGIN IMMEDIATE … COMMIT, live groups in memory
//!     group::*, keys::*      group/, keys/     MLS verbs; no SQL, no uniffi
//!       Provider             provider.rs       libcrux, and storage over this transaction
//!         storage::openmls   storage/openmls/  OpenMLS's StorageProvider, one file for each kind of entity
//!           codec, seal      storage/          MessagePack, then XChaCha20-Poly1305
//! ```
//!
//! Arrows run downwards only. `docs/architecture.md` has the rules that hold everywhere.

mod api;
mod crypto;
mod error;
mod extension;
mod group;
mod keys;
mod log;
mod message;
mod padding;
mod policy;
mod provider;
mod provider_crypto;
mod secret;
mod signing;
mod storage;
mod tree_hashes;
mod verification;
mod x509;

pub use api::*;
#[cfg(feature = "fault-injection")]
#[doc(hidden)]
pub use storage::fault;

uniffi::setup_scaffolding!();

/// The README's code compiles and runs.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// So does that of the page on backups.
#[cfg(doctest)]
#[doc = include_str!("../docs/backups.md")]
struct Backups;
