//! A member that joins from a Welcome and follows what others do, closed and opened again between any two steps.

use mls_mobile::{
    AuthenticatorComparison, BatchOutcome, CommitState, GroupId, IncomingMessage, MlsError, ProcessedMessage,
};

use super::{
    SUITES,
    common::Device,
    file::{COMMITS, Epoch, PassiveClient, WELCOMES},
    number, with_a_bit_changed,
};

impl PassiveClient {
    /// A phone that has the key package with its keys.
    pub(crate) fn device(&self) -> Device {
        let suite = SUITES
            .into_iter()
            .find(|suite| number(*suite) == self.cipher_suite);
        let mut device = Device::with_suite("a passive client", suite.unwrap());
        let imported = device.client().import_key_package(
            &self.key_package.0,
            self.init_priv.0.clone(),
            self.encryption_priv.0.clone(),
            self.signature_priv.0.clone(),
        );
        assert_eq!(imported.unwrap().bytes, self.key_package.0);
        device.reload();
        device
    }

    pub(crate) fn register_psks(&self, device: &mut Device) {
        for external in &self.external_psks {
            let registered = device
                .client()
                .register_psk(external.psk_id.0.clone(), external.psk.0.clone());
            registered.unwrap();
            device.reload();
        }
    }

    pub(crate) fn tree(&self) -> Option<Vec<u8>> {
        self.ratchet_tree.as_ref().map(|tree| tree.0.clone())
    }

    pub(crate) fn try_to_join(&self, device: &Device) -> Result<GroupId, MlsError> {
        let group = device
            .client()
            .join_from_welcome(self.welcome.0.clone(), self.tree())?;
        group.id()
    }

    /// A phone that has joined.
    pub(crate) fn joined(&self) -> (Device, GroupId) {
        let mut device = self.device();
        self.register_psks(&mut device);
        let looked_at = device
            .client()
            .inspect_welcome(self.welcome.0.clone(), self.tree())
            .unwrap();
        let id = self.try_to_join(&device).unwrap();
        device.reload();
        assert_eq!((&looked_at.group_id, looked_at.epoch), (&id, device.epoch(&id)));
        // It was used up, and its keys with it.
        assert_eq!(device.client().key_packages().unwrap(), []);
        assert_authenticator(&device, &id, &self.initial_epoch_authenticator.0);
        (device, id)
    }
}

/// Asserts that the epoch is the vector's, and that another one would be noticed.
pub(crate) fn assert_authenticator(device: &Device, id: &GroupId, expected: &[u8]) {
    assert_eq!(device.authenticator(id), expected);
    let compare = |authenticator: Vec<u8>| {
        let compared = device
            .group(id)
            .compare_authenticator(device.epoch(id), authenticator);
        compared.unwrap()
    };
    assert_eq!(compare(expected.to_vec()), AuthenticatorComparison::Same);
    let wrong = with_a_bit_changed(expected, expected.len() - 1);
    assert_eq!(compare(wrong), AuthenticatorComparison::Different);
}

/// One call for each message; the validator lets each Commit be merged.
pub(crate) fn follow(device: &mut Device, id: &GroupId, epoch: &Epoch) {
    for proposal in &epoch.proposals {
        let outcome = device.receive(id, &proposal.0);
        assert!(
            matches!(outcome, ProcessedMessage::Proposal { .. }),
            "{outcome:?}"
        );
        device.reload();
    }
    device.follow(id, &epoch.commit.0);
    device.reload();
}

/// One batch for all messages of an epoch; the app merges the Commit after a restart.
fn follow_later(device: &mut Device, id: &GroupId, epoch: &Epoch) {
    let messages = epoch.proposals.iter().chain([&epoch.commit]);
    let batch = messages.map(|message| IncomingMessage {
        bytes: message.0.clone(),
        cursor: None,
    });
    let batch = device.client().process_messages(batch.collect(), None).unwrap();
    assert_eq!(batch.outcomes.len(), epoch.proposals.len() + 1);
    let last = batch.outcomes.last();
    let staged = matches!(
        last,
        Some(BatchOutcome::Processed {
            outcome: ProcessedMessage::Commit {
                state: CommitState::Staged,
                ..
            },
            ..
        })
    );
    assert!(staged, "{last:?}");
    device.reload();
    device.group(id).merge_staged_commit().unwrap();
    device.reload();
}

#[test]
fn every_welcome_is_joined_with_its_authenticator() {
    let Some(cases) = WELCOMES.ours() else { return };
    let (mut with_a_tree, mut with_a_psk) = (0, 0);
    for case in &cases {
        case.joined();
        with_a_tree += usize::from(case.ratchet_tree.is_some());
        with_a_psk += usize::from(!case.external_psks.is_empty());
    }
    assert_eq!((with_a_tree, with_a_psk), (cases.len() / 2, cases.len() / 2));
}

fn every_commit_is_followed(
    prepare: impl Fn(Device) -> Device,
    follow: impl Fn(&mut Device, &GroupId, &Epoch),
) {
    let Some(cases) = COMMITS.ours() else { return };
    let (mut commits, mut proposals) = (0, 0);
    for case in &cases {
        let (device, id) = case.joined();
        let mut device = prepare(device);
        for epoch in &case.epochs {
            let before = device.epoch(&id);
            follow(&mut device, &id, epoch);
            assert_eq!(device.epoch(&id), before + 1);
            assert_authenticator(&device, &id, &epoch.epoch_authenticator.0);
            commits += 1;
            proposals += epoch.proposals.len();
        }
    }
    // Two epochs each, six with one proposal of a kind, and one with all of them.
    assert_eq!((commits, proposals), (2 * cases.len(), 12 * SUITES.len()));
}

#[test]
fn every_commit_is_followed_with_its_authenticator() {
    every_commit_is_followed(|device| device, follow);
}

#[test]
fn every_commit_is_followed_in_batches_by_an_app_that_decides_later() {
    every_commit_is_followed(Device::decides_later, follow_later);
}
