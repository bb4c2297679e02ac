//! The app's log: it hears which call failed with which code, and nothing that it could not show to anybody.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code"
)]

mod common;

use std::sync::{Arc, Mutex};

use common::{Device, KEY, SUITE, basic};
use mls_mobile::{
    CallbackError, ClientConfig, CredentialValidator, GroupId, LogField, LogLevel, LogSink, MlsClient,
    ValidationRequest,
};

/// A validator that cannot answer.
struct Failing;

impl CredentialValidator for Failing {
    fn validate(&self, _: ValidationRequest) -> Result<bool, CallbackError> {
        Err(CallbackError::Failed)
    }
}

#[derive(Default)]
struct Lines(Mutex<Vec<(LogLevel, String, Vec<LogField>)>>);

impl LogSink for Lines {
    fn log(&self, level: LogLevel, event: String, fields: Vec<LogField>) -> Result<(), CallbackError> {
        self.0.lock().unwrap().push((level, event, fields));
        // A log that fails must not make calls fail.
        Err(CallbackError::Failed)
    }
}

#[test]
fn the_log_gets_names_and_numbers_only() {
    let (lines, failing) = (Arc::new(Lines::default()), Arc::new(Failing));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mls.db");
    let config = ClientConfig::new(path.to_str().unwrap(), KEY);
    let client = MlsClient::open(config, Some(failing), Some(lines.clone())).unwrap();
    let identity = client.create_identity(basic("Alice Secret"), SUITE).unwrap().id;
    let group = client.create_group(identity.clone(), None).unwrap();
    group
        .create_message(b"Secret plans".to_vec(), Vec::new())
        .unwrap();
    group.process_message(b"Secret garbage".to_vec()).unwrap_err();
    client.delete_identity(identity).unwrap_err();
    group
        .add_members(vec![Device::new("bob").key_package()])
        .unwrap_err();
    client.group(GroupId(b"Secret group".to_vec())).err().unwrap();

    let lines = std::mem::take(&mut *lines.0.lock().unwrap());
    let shown: Vec<_> = lines
        .iter()
        .map(|(level, event, fields)| {
            let numbers: Vec<_> = fields
                .iter()
                .map(|field| match field.name.as_str() {
                    // However long it took.
                    "milliseconds" => ("milliseconds", 0),
                    name => (name, field.value),
                })
                .collect();
            (*level, event.as_str(), numbers)
        })
        .collect();
    let failed = |event, code| (LogLevel::Error, event, vec![("code", code)]);
    let expected = [
        (LogLevel::Info, "opened", vec![]),
        failed("process_message", 152),
        failed("delete_identity", 111),
        (LogLevel::Error, "validator_failed", vec![("milliseconds", 0)]),
        failed("add_members", 160),
        failed("group", 100),
    ];
    assert_eq!(shown, expected);
}
