//! The facade: the only module that knows uniffi. Each body parses, runs and converts; logic lives below.

mod batch;
mod callbacks;
mod client;
mod commits;
mod config;
mod credential;
mod error;
mod error_conversion;
mod exports;
mod external_joins;
mod group;
mod group_context_extensions;
mod group_info_error;
mod identity;
mod ids;
mod key_packages;
mod leaf_nodes;
mod message_info;
mod messages;
mod outcome_conversion;
mod outcomes;
mod past_epochs;
mod proposals;
mod proposing;
mod psks;
mod received_commits;
mod receiving;
mod records;
mod recovery;
mod storage;
#[cfg(feature = "test-vectors")]
#[doc(hidden)]
pub mod test_vectors;
mod x509;

pub use batch::*;
pub use callbacks::{
    CallbackError, CredentialValidator, LogField, LogLevel, LogSink, Signer, ValidationRequest,
};
pub use client::MlsClient;
pub use config::*;
pub use credential::*;
pub use error::{
    ArgumentReason, KeyPackageReason, MessageReason, MlsError, RecoveryArchiveReason, WelcomeReason,
};
pub use external_joins::{ExternalJoin, ExternalJoined, JoinProposal};
pub use group::MlsGroup;
pub use group_context_extensions::{external_senders_extension, required_capabilities_extension};
pub use group_info_error::GroupInfoReason;
pub use ids::*;
pub use leaf_nodes::*;
pub use message_info::*;
pub use outcomes::*;
pub use past_epochs::{AuthenticatorComparison, PastEpochDeletion};
pub use records::*;
pub use recovery::GroupToRejoin;
pub use x509::{x509_validator, x509_validator_with_others};

use std::sync::Arc;

use crate::{error::Error, group::Context, storage::Store};

/// What a client and its groups share.
struct Core {
    store: Store,
    context: Context,
}

/// Runs a facade call: converts its error and leaves a line in the app's log for it.
fn call<T>(core: &Core, name: &'static str, run: impl FnOnce() -> Result<T, Error>) -> Result<T, MlsError> {
    run().map_err(|error| {
        let error = MlsError::from(error);
        core.context.log.event(
            crate::log::Level::Error,
            name,
            &[("code", error.error_code().into())],
        );
        error
    })
}

type Shared = Arc<Core>;
