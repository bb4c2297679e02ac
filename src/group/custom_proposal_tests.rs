//! Custom proposals between members whose leaves list their type, which the facade cannot make yet.

use std::time::Duration;

use openmls::{
    group::{GroupId, MlsGroup},
    prelude::{BasicCredential, Capabilities, KeyPackage, MlsMessageOut, ProposalType},
};

use super::{
    Context, commit, join,
    outcome::{Outcome, ProposalKind},
    pending, process, propose,
};
use crate::{
    error::Error,
    keys::identity::{self, Identity},
    log::Log,
    policy::{self, EarlyLimits, GroupSettings},
    provider::Provider,
    secret::Secret,
    storage::{
        Call, Store, WriteTx,
        cache::LiveGroup,
        groups::{self, GroupRecord},
    },
};

const TYPE: u16 = 0xf042;

fn capabilities(own: &Identity) -> Capabilities {
    let usual = policy::capabilities(own.credential.credential_type());
    Capabilities::builder()
        .proposals(vec![ProposalType::SelfRemove, ProposalType::Custom(TYPE)])
        .extensions(usual.extensions().to_vec())
        .ciphersuites(policy::CIPHERSUITES.to_vec())
        .credentials(usual.credentials().to_vec())
        .build()
}

struct Phone {
    _folder: tempfile::TempDir,
    store: Store,
    context: Context,
    identity: Vec<u8>,
}

impl Phone {
    fn new(name: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mls.db");
        let key = Secret::from_slice(&[7; 32]).unwrap();
        let store = Store::open(&path, &key, Duration::from_secs(5), None).unwrap();
        let credential = BasicCredential::new(name.into()).into();
        let identity = store
            .write(|call| identity::create(call, credential, policy::CIPHERSUITES[1]))
            .unwrap();
        Self {
            _folder: folder,
            store,
            identity: identity.signature_key,
            context: Context {
                validator: None,
                log: Log::new(None),
                settings: GroupSettings::default(),
                inbox: true,
                early: EarlyLimits::default(),
            },
        }
    }

    fn write<T>(
        &self,
        work: impl FnOnce(&mut Call<'_, WriteTx<'_>>, &Context) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.store.write(|call| work(call, &self.context))
    }

    fn key_package(&self) -> Vec<u8> {
        let make = |call: &mut Call<'_, WriteTx<'_>>, _: &Context| {
            let own = identity::get(&call.tx, &self.identity)?;
            let bundle = KeyPackage::builder()
                .leaf_node_capabilities(capabilities(&own))
                .key_package_lifetime(policy::lifetime(policy::DEFAULT_LIFETIME)?)
                .build(
                    own.ciphersuite,
                    &Provider::new(&call.tx)?,
                    &own.signer,
                    own.credential_with_key(),
                )?;
            let key_package = MlsMessageOut::from(bundle.into_key_package());
            key_package.to_bytes().map_err(Into::into)
        };
        self.write(make).unwrap()
    }

    fn create_group(&self, id: &GroupId) {
        let create = |call: &mut Call<'_, WriteTx<'_>>, context: &Context| {
            let own = identity::get(&call.tx, &self.identity)?;
            let join_config = context.settings.join_config();
            let mls = MlsGroup::builder()
                .with_group_id(id.clone())
                .with_wire_format_policy(join_config.wire_format_policy())
                .ciphersuite(own.ciphersuite)
                .use_ratchet_tree_extension(true)
                .with_capabilities(capabilities(&own))
                .build(&Provider::new(&call.tx)?, &own.signer, own.credential_with_key())?;
            let record = GroupRecord::new(id.clone(), own.signature_key, 0, 0);
            groups::insert(&call.tx, &record)?;
            call.keep_group(LiveGroup::new(mls, record));
            Ok(())
        };
        self.write(create).unwrap();
    }
}

#[test]
fn a_custom_proposal_is_queued_by_all_and_named_by_the_commit() {
    let (alice, bob) = (Phone::new("alice"), Phone::new("bob"));
    let id = GroupId::from_slice(b"group");
    alice.create_group(&id);
    let packages = [bob.key_package()];
    let added = alice
        .write(|call, context| commit::add_members(call, context, &id, &packages))
        .unwrap();
    alice
        .write(|call, context| pending::merge(call, context, &id))
        .unwrap();
    bob.write(|call, context| join::join(call, context, &added.welcome.unwrap(), None))
        .unwrap();

    let proposed = alice
        .write(|call, _| propose::custom(call, &id, TYPE, b"payload".to_vec()))
        .unwrap();
    let receive = |phone: &Phone, bytes: &[u8]| {
        let processed = phone.write(|call, context| process::process(call, context, &id, bytes));
        processed.unwrap().unwrap().outcome
    };
    assert!(matches!(receive(&alice, &proposed.message), Outcome::OwnMessage));
    let Outcome::Proposal(info) = receive(&bob, &proposed.message) else {
        panic!("no proposal")
    };
    assert_eq!(info.reference, proposed.reference);
    let ProposalKind::Custom {
        proposal_type,
        payload,
    } = info.kind
    else {
        panic!("no custom proposal")
    };
    assert_eq!((proposal_type, payload.as_slice()), (TYPE, &b"payload"[..]));

    let bundle = bob
        .write(|call, context| commit::commit_to_pending_proposals(call, context, &id))
        .unwrap();
    let merged = bob
        .write(|call, context| pending::merge(call, context, &id))
        .unwrap();
    let Outcome::Commit { summary, .. } = receive(&alice, &bundle.commit) else {
        panic!("no Commit")
    };
    for summary in [merged.summary, summary] {
        let custom = &summary.custom[0];
        assert_eq!((custom.leaf_index, custom.proposal_type), (Some(0), TYPE));
        assert_eq!(custom.payload, b"payload");
    }
}
