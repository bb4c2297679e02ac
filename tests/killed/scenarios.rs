//! The calls to kill: what alice's database and her peers are like before each, and the call itself.

use std::{fs, path::Path, sync::Arc};

use mls_mobile::{
    BatchOutcome, CommitBundle, GroupId, IncomingMessage, MlsClient, MlsError, MlsGroup, ProcessOptions,
    ProcessedMessage, PskId,
};

use crate::{
    common::{
        Device, KEY, SUITE, basic, deliver, group_of,
        hsm::Hsm,
        template::{Template, WITHOUT_VALIDATOR, open_at},
    },
    transfer,
};

/// The app's key after `rekey`; before, it is [`KEY`].
pub const NEW_KEY: [u8; 32] = [9; 32];

/// The message that waits for a Commit.
pub const WAITING: &[u8] = b"with the Commit";
const PSK: &[u8] = b"psk";

/// Messages of the scenarios with a batch.
pub const BATCH: usize = 5;

/// Everybody before the call, closed.
pub struct Scene {
    pub alice: Template,
    pub bob: Template,
    pub carol: Template,
    pub dave: Template,
}

/// The devices while a scene is set up. All but dave are in the group `main`; alice and bob are in `other`.
struct Cast {
    alice: Device,
    bob: Device,
    carol: Device,
    dave: Device,
    main: GroupId,
    other: GroupId,
}

impl Scene {
    /// The scene for the call that `scenario` names.
    pub fn of(scenario: &str) -> Self {
        let [alice, bob, carol, dave] = ["alice", "bob", "carol", "dave"].map(Device::new);
        let main = group_of(&[&alice, &bob, &carol]);
        let other = group_of(&[&bob, &alice]);
        // One message each way in each, so that every sender's ratchet exists.
        for (id, peers) in [(&main, vec![&bob, &carol]), (&other, vec![&bob])] {
            for peer in peers {
                peer.read(id, &alice.send(id, "before"));
                alice.read(id, &peer.send(id, "before"));
            }
        }
        let mut cast = Cast {
            alice,
            bob,
            carol,
            dave,
            main,
            other,
        };
        if ["confirm_rejoin", "forget_group_to_rejoin"].contains(&scenario) {
            cast.lose_alice();
        }
        read_inbox(&cast.alice);

        let inputs = cast.prepare(scenario);
        let Cast { main, other, .. } = &cast;
        let (main, other) = (main.clone(), other.clone());
        let alice = Template::new(cast.alice);
        if scenario == "process_commit_to_wait" {
            alice.put(WITHOUT_VALIDATOR, b"");
        }
        alice.put("main", &main.0);
        alice.put("other", &other.0);
        for (index, input) in inputs.iter().enumerate() {
            alice.put(&format!("input-{index}"), input);
        }
        let [bob, carol, dave] = [cast.bob, cast.carol, cast.dave].map(Template::new);
        Self {
            alice,
            bob,
            carol,
            dave,
        }
    }
}

fn read_inbox(device: &Device) {
    let seen = device.client().inbox(1000).unwrap();
    let seen = seen.into_iter().map(|entry| entry.id).collect();
    device.client().acknowledge(seen).unwrap();
}

impl Cast {
    /// Alice is recovered from an archive and has rejoined `main`; `other` waits.
    fn lose_alice(&mut self) {
        self.alice = self.alice.recovered(&self.alice.archive());
        let join = self.alice.rejoin(&self.main, &self.bob);
        for device in [&self.bob, &self.carol] {
            device.follow(&self.main, &join.commit);
        }
        let client = self.alice.client();
        client.confirm_external_join(self.main.clone()).unwrap();
    }

    /// What is special about the scenario; returns the bytes that the call takes.
    fn prepare(&self, scenario: &str) -> Vec<Vec<u8>> {
        let Self {
            alice,
            bob,
            carol,
            dave,
            main,
            other,
        } = self;
        let own_commit = |device: &Device| device.group(main).self_update(None).unwrap();
        let process = |commit: &CommitBundle, devices: &[&Device]| {
            for device in devices {
                device.receive(main, &commit.commit);
            }
        };
        match scenario {
            "add_members" => vec![dave.key_package()],
            "join_from_welcome" => {
                let id = bob.create_group();
                let bundle = bob.group(&id).add_members(vec![alice.key_package()]).unwrap();
                bob.group(&id).merge_pending_commit().unwrap();
                vec![bundle.welcome.unwrap()]
            }
            "merge_pending_commit" => {
                let added = alice.group(main).add_members(vec![dave.key_package()]).unwrap();
                process(&added, &[bob, carol]);
                dave.client()
                    .join_from_welcome(added.welcome.unwrap(), None)
                    .unwrap();
                Vec::new()
            }
            "clear_pending_commit" => {
                alice.group(main).add_members(vec![dave.key_package()]).unwrap();
                Vec::new()
            }
            "process_application_message" => vec![bob.send(main, "hello")],
            "process_commit" | "process_rival_commit" => {
                if scenario == "process_rival_commit" {
                    own_commit(alice);
                }
                let commit = own_commit(bob);
                deliver(main, bob, &commit, &[carol]);
                vec![commit.commit]
            }
            "process_commit_to_wait" => {
                let commit = own_commit(bob);
                deliver(main, bob, &commit, &[carol]);
                vec![commit.commit]
            }
            "merge_staged_commit" | "discard_staged_commit" => {
                let commit = own_commit(bob);
                deliver(main, bob, &commit, &[carol]);
                let early = bob.send(main, "early");
                let later = alice.open_without_validator().group(main.clone()).unwrap();
                for message in [commit.commit, early] {
                    later.process_message(message).unwrap();
                }
                read_inbox(alice);
                Vec::new()
            }
            "keep_early_message" => {
                let commit = own_commit(bob);
                deliver(main, bob, &commit, &[carol]);
                vec![bob.send(main, "early"), commit.commit]
            }
            "process_commit_that_releases" => {
                let commit = own_commit(bob);
                deliver(main, bob, &commit, &[carol]);
                alice.receive(main, &bob.send(main, "early"));
                vec![commit.commit]
            }
            "process_echo_of_cleared_commit" => {
                let commit = own_commit(alice);
                alice.group(main).clear_pending_commit().unwrap();
                process(&commit, &[bob, carol]);
                vec![commit.commit]
            }
            "process_own_echo" => {
                let commit = own_commit(alice);
                process(&commit, &[bob, carol]);
                vec![commit.commit]
            }
            "merge_pending_commit_with_message"
            | "clear_pending_commit_with_message"
            | "process_own_echo_with_message" => {
                let group = alice.group(main);
                let commit = group
                    .commit_and_create_message(WAITING.to_vec(), Vec::new())
                    .unwrap();
                if scenario != "clear_pending_commit_with_message" {
                    process(&commit, &[bob, carol]);
                }
                vec![commit.commit]
            }
            "process_rival_commit_with_message" => {
                let group = alice.group(main);
                group
                    .commit_and_create_message(WAITING.to_vec(), Vec::new())
                    .unwrap();
                let commit = own_commit(bob);
                deliver(main, bob, &commit, &[carol]);
                vec![commit.commit]
            }
            "process_own_removal" => {
                let leaf = bob.leaf_of(main, "alice");
                let commit = bob.group(main).remove_members(vec![leaf]).unwrap();
                deliver(main, bob, &commit, &[carol]);
                vec![commit.commit]
            }
            "process_messages" | "process_messages_with_a_budget" => {
                let [first, second, third] = [
                    bob.send(main, "first"),
                    carol.send(main, "second"),
                    bob.send(other, "third"),
                ];
                let commit = own_commit(carol);
                deliver(main, carol, &commit, &[bob]);
                let fifth = bob.send(main, "fifth");
                vec![first, second, third, commit.commit, fifth]
            }
            "join_by_external_commit" => vec![bob.group(main).export_group_info(true).unwrap()],
            "confirm_external_join" | "process_external_join_echo" => {
                let commit = external_join(alice, bob, main);
                for device in [bob, carol] {
                    device.receive(main, &commit);
                }
                vec![commit]
            }
            "confirm_rejoin" => {
                bob.follow(other, &alice.rejoin(other, bob).commit);
                Vec::new()
            }
            "delete_psk" => {
                alice.client().register_psk(PSK.to_vec(), vec![3; 32]).unwrap();
                Vec::new()
            }
            "abandon_external_join" => vec![external_join(alice, bob, main)],
            "acknowledge" => {
                for text in ["one", "two", "three"] {
                    alice.read(main, &bob.send(main, text));
                }
                Vec::new()
            }
            _ => Vec::new(),
        }
    }
}

/// Makes an external Commit with the GroupInfo that `member` gives.
fn external_join(joiner: &Device, member: &Device, id: &GroupId) -> Vec<u8> {
    let group_info = member.group(id).export_group_info(true).unwrap();
    let join = joiner
        .client()
        .join_by_external_commit(joiner.identity.clone(), group_info, None);
    join.unwrap().commit
}

/// A call that is ready to be made, and the outcomes that it returns, of calls that return any.
pub type Call = Box<dyn FnOnce() -> Vec<ProcessedMessage>>;

/// Does what comes before the call in the same process, and returns the call.
pub fn call(scenario: &str, client: &Arc<MlsClient>, folder: &Path) -> Call {
    let client = Arc::clone(client);
    let input = |index: usize| fs::read(folder.join(format!("input-{index}"))).unwrap();
    let identity = || client.identities().unwrap().remove(0).id;
    let main = named_group(folder, "main");
    let group = |client: &MlsClient| client.group(main.clone()).unwrap();
    match scenario {
        "create_identity" => quiet(move || client.create_identity(basic("work"), SUITE).map(drop)),
        "create_identity_with_signer" => {
            let hsm = Hsm::new();
            let key = hsm.public_key.clone();
            quiet(move || {
                client
                    .create_identity_with_signer(basic("work"), SUITE, key, hsm)
                    .map(drop)
            })
        }
        "create_key_packages" => {
            let identity = identity();
            quiet(move || client.create_key_packages(identity, 3, None).map(drop))
        }
        "create_group" => {
            let identity = identity();
            quiet(move || client.create_group(identity, None).map(drop))
        }
        "join_from_welcome" => {
            let welcome = input(0);
            quiet(move || client.join_from_welcome(welcome, None).map(drop))
        }
        "add_members" => on(group(&client), vec![input(0)], |group, key_packages| {
            group.add_members(key_packages).map(drop)
        }),
        "remove_members" => {
            let group = group(&client);
            let carol = group.members().unwrap();
            let carol = carol.iter().find(|it| it.credential == basic("carol")).unwrap();
            on(group, vec![carol.leaf_index], |group, leaves| {
                group.remove_members(leaves).map(drop)
            })
        }
        "self_update" => on(group(&client), (), |group, ()| group.self_update(None).map(drop)),
        "leave" => on(group(&client), (), |group, ()| group.leave().map(drop)),
        "propose_self_update" => on(group(&client), (), |group, ()| {
            group.propose_self_update(None).map(drop)
        }),
        "commit_and_create_message" => on(group(&client), (), |group, ()| {
            group
                .commit_and_create_message(WAITING.to_vec(), Vec::new())
                .map(drop)
        }),
        "merge_pending_commit" | "merge_pending_commit_with_message" => {
            on(group(&client), (), |group, ()| {
                group.merge_pending_commit().map(drop)
            })
        }
        "clear_pending_commit" | "clear_pending_commit_with_message" => {
            on(group(&client), (), |group, ()| group.clear_pending_commit())
        }
        "merge_staged_commit" => on(group(&client), (), |group, ()| {
            group.merge_staged_commit().map(drop)
        }),
        "discard_staged_commit" => on(group(&client), (), |group, ()| group.discard_staged_commit()),
        "create_message" => on(group(&client), (), |group, ()| {
            group
                .create_message(b"never returned".to_vec(), Vec::new())
                .map(drop)
        }),
        "process_application_message"
        | "process_commit"
        | "process_rival_commit"
        | "process_own_echo"
        | "process_own_removal"
        | "process_own_echo_with_message"
        | "process_rival_commit_with_message"
        | "process_external_join_echo"
        | "process_commit_to_wait"
        | "process_commit_that_releases"
        | "process_echo_of_cleared_commit"
        | "keep_early_message" => {
            let (group, message) = (group(&client), input(0));
            Box::new(move || vec![group.process_message(message).unwrap()])
        }
        "join_by_external_commit" => {
            let (identity, group_info) = (identity(), input(0));
            quiet(move || {
                client
                    .join_by_external_commit(identity, group_info, None)
                    .map(drop)
            })
        }
        "confirm_external_join" => quiet(move || client.confirm_external_join(main).map(drop)),
        "confirm_rejoin" => {
            let other = named_group(folder, "other");
            quiet(move || client.confirm_external_join(other).map(drop))
        }
        "forget_group_to_rejoin" => {
            let other = named_group(folder, "other");
            quiet(move || client.forget_group_to_rejoin(other))
        }
        "abandon_external_join" => quiet(move || client.abandon_external_join(main)),
        "process_messages" => {
            let messages = from_cursor(&client, folder);
            Box::new(move || processed(client.process_messages(messages, None).unwrap()))
        }
        "process_messages_with_a_budget" => {
            let folder = folder.to_owned();
            Box::new(move || {
                let mut outcomes = Vec::new();
                // A millisecond is over after a message at the latest: a transaction for each. On a busy machine it may
                // be over before the first.
                let options = ProcessOptions { budget_ms: Some(1) };
                while outcomes.len() < BATCH {
                    let messages = from_cursor(&client, &folder);
                    if messages.is_empty() {
                        break;
                    }
                    outcomes.extend(processed(
                        client.process_messages(messages, Some(options)).unwrap(),
                    ));
                    // Returned: from here on it must not be lost.
                    if let Some(cursor) = client.cursor().unwrap() {
                        fs::write(folder.join("returned-cursor"), cursor).unwrap();
                    }
                }
                outcomes
            })
        }
        "acknowledge" => {
            let ids = client
                .inbox(2)
                .unwrap()
                .into_iter()
                .map(|entry| entry.id)
                .collect();
            quiet(move || client.acknowledge(ids))
        }
        "delete_group" => on(group(&client), (), |group, ()| group.delete()),
        "register_psk" => quiet(move || client.register_psk(PSK.to_vec(), vec![3; 32])),
        "delete_psk" => quiet(move || client.delete_psk(PSK.to_vec())),
        "safe_export_secret" => on(group(&client), (), |group, ()| {
            group.safe_export_secret(5).map(drop)
        }),
        "rekey" => quiet(move || client.rekey(NEW_KEY.to_vec())),
        "confirm_rekey" => {
            if !client.storage_info().unwrap().rekey_pending {
                client.rekey(NEW_KEY.to_vec()).unwrap();
            }
            quiet(move || client.confirm_rekey())
        }
        "export_for_transfer" => {
            let folder = folder.to_owned();
            quiet(move || transfer::export(&client, &folder))
        }
        "rotate_data_key" => quiet(move || client.rotate_data_key()),
        _ => panic!("{scenario}?"),
    }
}

/// What the dump does not show: looked at once the call has been made, before the kill or again after it.
pub fn assert_done(scenario: &str, client: &MlsClient, folder: &Path) {
    let group = client.group(named_group(folder, "main"));
    let propose = || {
        let group = group.clone().unwrap();
        let proposed = group.propose_psk(PskId::External { id: PSK.to_vec() });
        group.clear_pending_proposals().unwrap();
        proposed.map(drop)
    };
    match scenario {
        "confirm_rejoin" | "forget_group_to_rejoin" => {
            assert_eq!(client.groups_to_rejoin().unwrap(), []);
        }
        "register_psk" => assert_eq!(propose(), Ok(())),
        "delete_psk" => assert_eq!(propose(), Err(MlsError::PskNotFound)),
        "safe_export_secret" => assert_eq!(
            group.unwrap().safe_export_secret(5),
            Err(MlsError::SecretAlreadyExported)
        ),
        _ => {}
    }
}

/// A call whose result is not looked at.
pub fn quiet(run: impl FnOnce() -> Result<(), mls_mobile::MlsError> + 'static) -> Call {
    Box::new(move || {
        run().unwrap();
        Vec::new()
    })
}

fn on<T: 'static>(
    group: Arc<MlsGroup>,
    argument: T,
    run: impl FnOnce(Arc<MlsGroup>, T) -> Result<(), mls_mobile::MlsError> + 'static,
) -> Call {
    quiet(move || run(group, argument))
}

/// What the delivery service still has for a device that continues at its cursor.
fn from_cursor(client: &MlsClient, folder: &Path) -> Vec<IncomingMessage> {
    let handled = client
        .cursor()
        .unwrap()
        .map_or(0, |cursor| usize::from(cursor[0]));
    messages(folder).into_iter().skip(handled).collect()
}

/// The messages of the batch, each with its number as cursor.
pub fn messages(folder: &Path) -> Vec<IncomingMessage> {
    (0..BATCH)
        .map(|index| IncomingMessage {
            bytes: fs::read(folder.join(format!("input-{index}"))).unwrap(),
            cursor: Some(vec![u8::try_from(index + 1).unwrap()]),
        })
        .collect()
}

/// The outcomes of a batch in which nothing failed.
pub fn processed(batch: mls_mobile::Batch) -> Vec<ProcessedMessage> {
    let outcomes = batch.outcomes.into_iter().map(|outcome| match outcome {
        BatchOutcome::Processed { outcome, .. } => outcome,
        failed @ BatchOutcome::Failed { .. } => panic!("{failed:?}"),
    });
    outcomes.collect()
}

/// One of the groups that the scene has written down.
pub fn named_group(folder: &Path, name: &str) -> GroupId {
    GroupId(fs::read(folder.join(name)).unwrap())
}

/// Keys that must open the database, and keys that must not.
pub fn assert_keys(scenario: &str, committed: bool, folder: &Path) -> [u8; 32] {
    let (open, closed): (&[[u8; 32]], &[[u8; 32]]) = match (scenario, committed) {
        ("rekey", true) | ("confirm_rekey", false) => (&[KEY, NEW_KEY], &[]),
        ("confirm_rekey", true) => (&[NEW_KEY], &[KEY]),
        _ => (&[KEY], &[NEW_KEY]),
    };
    for key in open {
        open_at(folder, *key).unwrap().storage_info().unwrap();
    }
    for key in closed {
        assert_eq!(
            open_at(folder, *key).err(),
            Some(mls_mobile::MlsError::WrongDatabaseKey)
        );
    }
    *open.last().unwrap()
}
