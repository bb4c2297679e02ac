//! Bytes that come by way of the app: credentials, extensions, payloads, names and secrets.

use mls_mobile::{
    Ciphersuite, Credential, Extension, ExternalSender, GroupConfig, GroupId, KeyPackageOptions,
    KeyPackageRef, LeafNodeOptions, MlsClient, MlsError, MlsGroup, ProposalRef, PskId, RequiredCapabilities,
    external_senders_extension, required_capabilities_extension,
};

use super::{
    Session,
    wire::Reader,
    world::{GROUP, IN_THE_GROUP},
};

/// What an input can choose from.
pub const CALLS: u8 = 31;

/// A byte for the state, one for the call, a number, a first argument behind its length, and a second one.
pub fn arguments(session: &mut Session, input: &[u8]) {
    let mut reader = Reader(input);
    let Some((state, number, value)) = reader
        .take(4)
        .map(|head| (head[0], head[1], u16::from_be_bytes([head[2], head[3]])))
    else {
        return;
    };
    let Some(first) = reader.vector() else { return };
    let (first, second) = (first.to_vec(), reader.0.to_vec());
    let live = session.live(IN_THE_GROUP[usize::from(state) % IN_THE_GROUP.len()]);
    live.call(|client| of_client(client, number, value, first.clone(), second.clone()));
    live.call(|client| {
        let group = client.group(GroupId(GROUP.to_vec()))?;
        of_group(&group, number, value, first, second)
    });
    live.end();
}

fn of_client(
    client: &MlsClient,
    number: u8,
    value: u16,
    first: Vec<u8>,
    second: Vec<u8>,
) -> Result<(), MlsError> {
    const SUITE: Ciphersuite = Ciphersuite::MLS_128_DHKEMX25519_CHACHA20POLY1305_SHA256_Ed25519;
    let identity = client.identities()?.remove(0).id;
    let create = |credential| client.create_identity(credential, SUITE).map(drop);
    match number % CALLS {
        0 => create(Credential::Basic { identity: first }),
        1 => create(Credential::X509 {
            certificates: vec![first, second],
        }),
        2 => create(Credential::Other {
            credential_type: value,
            content: first,
        }),
        3 => client.register_psk(first, second),
        4 => client.delete_psk(first),
        5 => client.group(GroupId(first)).map(drop),
        6 => {
            let config = GroupConfig {
                group_id: Some(GroupId(first)),
                ..GroupConfig::default()
            };
            client.create_group(identity, Some(config)).map(drop)
        }
        7 => client.delete_key_package(KeyPackageRef(first)),
        8 => client.abandon_external_join(GroupId(first)),
        28 => {
            let (group, epoch) = (GroupId(first), u64::from(value) << (8 * (second.len() % 7)));
            let made = client.propose_external_join(identity, group, epoch, None)?;
            client.message_info(made.proposal).unwrap();
            client.delete_key_package(made.key_package)
        }
        24 => {
            let [extensions, proposals, credentials] = numbers(&second);
            let config = GroupConfig {
                leaf_node: Some(leaf_node(value, first, &second)),
                required_capabilities: Some(RequiredCapabilities {
                    extensions,
                    proposals,
                    credentials,
                }),
                ..GroupConfig::default()
            };
            let group = client.create_group(identity, Some(config))?;
            // What can be founded can be lived with.
            group.self_update(None).unwrap();
            Ok(())
        }
        25 => {
            let options = KeyPackageOptions {
                leaf_node: Some(leaf_node(value, first, &second)),
                ..KeyPackageOptions::default()
            };
            let made = client.create_key_packages(identity, 1, Some(options))?;
            for key_package in made {
                client.inspect_key_package(key_package.bytes).unwrap();
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

/// 16 bits each, in turn for extensions, proposals and credentials.
fn numbers(bytes: &[u8]) -> [Vec<u16>; 3] {
    let mut all = [Vec::new(), Vec::new(), Vec::new()];
    for (place, number) in bytes.chunks_exact(2).enumerate() {
        all[place % 3].push(u16::from_be_bytes([number[0], number[1]]));
    }
    all
}

fn leaf_node(value: u16, first: Vec<u8>, second: &[u8]) -> LeafNodeOptions {
    let [supported_extensions, supported_proposals, supported_credentials] = numbers(second);
    LeafNodeOptions {
        application_id: (value & 1 == 1).then(|| first.clone()),
        extensions: vec![Extension {
            extension_type: value,
            data: first,
        }],
        supported_extensions,
        supported_proposals,
        supported_credentials,
        grease: value & 2 == 2,
    }
}

fn of_group(
    group: &MlsGroup,
    number: u8,
    value: u16,
    first: Vec<u8>,
    second: Vec<u8>,
) -> Result<(), MlsError> {
    let extension = |data| {
        vec![Extension {
            extension_type: value,
            data,
        }]
    };
    match number % CALLS {
        9 => group.create_message(first, second).map(drop),
        10 => group.commit_and_create_message(first, second).map(drop),
        11 => change(group, extension(first)),
        12 => {
            group.propose_group_context_extensions(extension(first))?;
            group.commit_to_pending_proposals().unwrap();
            Ok(())
        }
        13 => group.propose_custom(value, first).map(drop),
        14 => group.compare_authenticator(value.into(), first).map(drop),
        15 => group.propose_psk(PskId::External { id: first }).map(drop),
        16 => {
            let psk = PskId::Resumption {
                group_id: GroupId(first),
                epoch: value.into(),
            };
            group.propose_psk(psk).map(drop)
        }
        17 => group.remove_pending_proposal(ProposalRef(first)),
        18 => export(group, first, second, value),
        19 => group.safe_export_secret(value).map(drop),
        20 => group.remove_members(vec![value.into()]).map(drop),
        21 => group.propose_remove(value.into()).map(drop),
        22 => group.swap_members(vec![value.into()], vec![first]).map(drop),
        23 => group.resumption_psk(value.into()).map(drop),
        26 => {
            group.update_leaf_node(leaf_node(value, first, &second), None)?;
            group.merge_pending_commit().unwrap();
            group.self_update(None).unwrap();
            Ok(())
        }
        27 => group
            .propose_leaf_node(leaf_node(value, first, &second), None)
            .map(drop),
        29 => {
            let credential = Credential::Other {
                credential_type: value,
                content: first,
            };
            let sender = ExternalSender {
                signature_key: second,
                credential,
            };
            change(group, vec![external_senders_extension(vec![sender])?])
        }
        30 => {
            let [extensions, proposals, credentials] = numbers(&first);
            let required = RequiredCapabilities {
                extensions,
                proposals,
                credentials,
            };
            change(group, vec![required_capabilities_extension(required)?])
        }
        _ => Ok(()),
    }
}

/// What can be committed can be merged, and lived with.
fn change(group: &MlsGroup, extensions: Vec<Extension>) -> Result<(), MlsError> {
    group.update_group_context_extensions(extensions)?;
    group.merge_pending_commit().unwrap();
    group.self_update(None).unwrap();
    Ok(())
}

fn export(group: &MlsGroup, label: Vec<u8>, context: Vec<u8>, length: u16) -> Result<(), MlsError> {
    let label = String::from_utf8_lossy(&label).into_owned();
    let secret = group.export_secret(label, context, length.into())?;
    assert_eq!(secret.len(), usize::from(length));
    Ok(())
}
