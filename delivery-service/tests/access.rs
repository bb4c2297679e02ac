//! Who gets in: registration, tokens, TLS.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code"
)]

mod common;

use std::{io::Read as _, net::TcpStream, process::Command, time::Duration};

use common::{Service, device::Device, execute, postgres::Postgres, sqlite};
use mls_delivery_client::{
    DeliveryClient, DeliveryError,
    wire::{Bytes, CreateGroup},
};

fn code<T: std::fmt::Debug>(result: Result<T, DeliveryError>) -> String {
    match result {
        Err(DeliveryError::Refused { code }) => code,
        other => panic!("{other:?}"),
    }
}

fn is_locked_out(client: &DeliveryClient) -> bool {
    let group = Bytes(vec![1]);
    let new = CreateGroup {
        group: group.clone(),
        ..CreateGroup::default()
    };
    let answers = [
        client.read_queue(0, 1, 0).map(drop),
        client.acknowledge(0, 0),
        client.key_package_stock().map(drop),
        client.publish_key_packages(Vec::new()).map(drop),
        client.withdraw_key_packages(),
        client.claim_key_package(&group, 3).map(drop),
        client.create_group(&new),
        client.group(&group).map(drop),
        client.send_message(&group, b"message").map(drop),
        client.group_info(&group, None).map(drop),
        client.leave(&group),
        client.delete_device(),
    ];
    answers
        .iter()
        .all(|answer| matches!(answer, Err(DeliveryError::Unauthorized)))
}

#[test]
fn without_a_token_or_with_a_wrong_one_nothing_is_done() {
    let service = Service::start();
    let mut device = Device::new(&service.address);
    let token = device.register();
    let with = |token: String| DeliveryClient::new(&service.address).with_token(token);
    assert!(!is_locked_out(&with(token.clone())), "the right one works");
    assert!(is_locked_out(&DeliveryClient::new(&service.address)));
    let mut wrong = Bytes::from_text(&token).map(|token| token.0).unwrap_or_default();
    assert!(
        is_locked_out(&with(Bytes(wrong.clone()).to_string())),
        "that one has deleted its device"
    );
    let token = device.register();
    wrong = Bytes::from_text(&token).unwrap().0;
    wrong[0] ^= 1;
    for wrong in [
        Bytes(wrong).to_string(),
        String::new(),
        "x".repeat(5000),
        format!("{token}A"),
        token.to_uppercase(),
    ] {
        assert!(is_locked_out(&with(wrong.clone())), "{wrong}");
    }
    assert!(with(token).key_package_stock().is_ok());
}

#[test]
fn a_token_expires_and_a_new_one_ends_the_old_one() {
    let service = Service::start();
    let mut device = Device::new(&service.address);
    let old = device.register();
    let new = device.register();
    assert!(is_locked_out(
        &DeliveryClient::new(&service.address).with_token(old)
    ));
    device.client = DeliveryClient::new(&service.address).with_token(new.clone());
    device.client.key_package_stock().unwrap();
    execute(&sqlite(service.folder()), "UPDATE device SET token_expires = 1");
    assert!(is_locked_out(
        &DeliveryClient::new(&service.address).with_token(new)
    ));
}

#[test]
fn a_challenge_proves_a_key_once_and_only_the_one_that_signs_it() {
    let service = Service::start();
    let [mut one, mut other] = [0, 1].map(|_| Device::unregistered(DeliveryClient::new(&service.address)));
    let challenge = one.client.challenge().unwrap();
    let proof = one.proof(challenge.clone());
    assert_eq!(
        other.client.register(proof.clone()).unwrap().device,
        one.id,
        "it registers its signer, whoever sends it"
    );
    assert_eq!(code(one.client.register(proof)), "wrong_challenge");
    assert_eq!(
        code(other.client.register(other.proof(challenge))),
        "wrong_challenge"
    );
    let mut made_up = one.client.challenge().unwrap();
    made_up[3] ^= 1;
    assert_eq!(code(one.client.register(one.proof(made_up))), "wrong_challenge");
    assert_eq!(code(one.client.register(one.key_package())), "wrong_challenge");
    let mut damaged = one.proof(one.client.challenge().unwrap());
    *damaged.last_mut().unwrap() ^= 1;
    assert_eq!(code(one.client.register(damaged)), "invalid_key_package");
}

#[test]
fn a_key_package_of_another_or_a_damaged_one_is_not_published_and_neither_are_those_beside_it() {
    let service = Service::start();
    let [one, other] = [0, 1].map(|_| Device::new(&service.address));
    let good = one.key_package();
    assert_eq!(
        code(
            one.client
                .publish_key_packages(vec![good.clone(), other.key_package()])
        ),
        "anothers_key_package"
    );
    for place in [0, 3, 40, good.len() / 2, good.len() - 1] {
        let mut damaged = good.clone();
        damaged[place] ^= 1;
        let refused = code(one.client.publish_key_packages(vec![good.clone(), damaged]));
        assert!(
            refused == "invalid_key_package" || refused == "anothers_key_package",
            "{place}: {refused}"
        );
    }
    assert!(one.client.key_package_stock().unwrap().is_empty());
    assert_eq!(
        code(one.client.publish_key_packages(vec![vec![0; 10]; 201])),
        "too_many_key_packages"
    );
    one.client
        .publish_key_packages(vec![good.clone(), good, one.last_resort()])
        .unwrap();
    let stock = one.client.publish_key_packages(vec![one.last_resort()]).unwrap();
    assert!(stock[0].single_use == 1 && stock[0].last_resort, "{stock:?}");
    execute(&sqlite(service.folder()), "UPDATE key_package SET expires = 1");
    assert_eq!(code(other.client.claim_key_package(&one.id, 3)), "no_key_package");
}

#[test]
fn claims_at_once_on_two_instances_never_get_the_same_key_package() {
    let Some(postgres) = Postgres::start() else { return };
    let instances = [
        Service::on(&postgres.url(), &[]),
        Service::on(&postgres.url(), &[]),
    ];
    let owner = Device::new(&instances[0].address);
    let claimers: Vec<_> = (0..8)
        .map(|number: usize| Device::new(&instances[number % 2].address))
        .collect();
    owner
        .client
        .publish_key_packages((0..100).map(|_| owner.key_package()).collect())
        .unwrap();
    let mut claimed: Vec<Vec<u8>> = std::thread::scope(|scope| {
        let claims = |claimer: &Device| -> Vec<_> {
            std::iter::from_fn(|| claimer.client.claim_key_package(&owner.id, 3).ok()).collect()
        };
        let runs: Vec<_> = claimers
            .iter()
            .map(|claimer| scope.spawn(move || claims(claimer)))
            .collect();
        runs.into_iter().flat_map(|run| run.join().unwrap()).collect()
    });
    assert_eq!(claimed.len(), 100, "each was given out once");
    claimed.sort();
    claimed.dedup();
    assert_eq!(claimed.len(), 100);
}

#[test]
fn the_files_of_the_database_hold_no_token() {
    let mut service = Service::start();
    let mut devices = [0, 1].map(|_| Device::new(&service.address));
    let token = devices[0].register();
    let group = devices[0].create_group(b"traces");
    devices[0].add(&group, 0, &[&devices[1]]);
    devices[0].say(&group, 1, b"a content that is easily found again");
    service.restart();
    assert!(holds(&service, b"easily found"), "the search finds what is there");
    let bytes = Bytes::from_text(&token).unwrap().0;
    assert!(!holds(&service, &bytes) && !holds(&service, token.as_bytes()));
}

fn holds(service: &Service, bytes: &[u8]) -> bool {
    let files = std::fs::read_dir(service.folder()).unwrap();
    files.into_iter().any(|file| {
        let content = std::fs::read(file.unwrap().path()).unwrap();
        content.windows(bytes.len()).any(|window| window == bytes)
    })
}

#[test]
fn a_database_that_the_environment_names_stands_in_no_list_of_processes_and_no_log() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("password.db");
    let service = Service::on_variable(&format!("sqlite:{}", file.display()));
    Device::new(&service.address);
    assert!(file.exists());
    let pid = service.pid().to_string();
    let listed = Command::new("ps")
        .args(["-o", "args=", "-p", &pid])
        .output()
        .unwrap()
        .stdout;
    let listed = String::from_utf8(listed).unwrap();
    assert!(
        listed.contains("--listen") && !listed.contains("password"),
        "{listed}"
    );
    for out_of_reach in [
        "postgres://user:password@127.0.0.1:1/name",
        "postgres:// password",
        "password",
    ] {
        let ended = common::program(&[], Some(out_of_reach)).output().unwrap();
        let log = String::from_utf8(ended.stderr).unwrap();
        assert!(
            !ended.status.success() && !log.is_empty() && !log.contains("password"),
            "{log}"
        );
    }
}

#[test]
fn with_a_certificate_it_answers_https_to_who_trusts_it_and_to_nobody_else() {
    let folder = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let [certificate, key] =
        ["certificate.pem", "key.pem"].map(|name| folder.path().join(name).display().to_string());
    std::fs::write(&certificate, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let service = Service::start_with(&["--tls-certificate", &certificate, "--tls-key", &key]);
    assert!(service.address.starts_with("https://"));
    let mut silent = TcpStream::connect(service.socket()).unwrap();
    let trusting = DeliveryClient::with_authorities(&service.address, &[made.cert.der().to_vec()]);
    let mut device = Device::unregistered(trusting);
    device.register();
    assert!(device.client.key_package_stock().unwrap().is_empty());
    let stranger = DeliveryClient::new(&service.address);
    assert!(matches!(stranger.challenge(), Err(DeliveryError::NoAnswer)));
    let plain = DeliveryClient::new(&service.address.replace("https", "http"));
    assert!(matches!(plain.challenge(), Err(DeliveryError::NoAnswer)));
    // Who connects and never begins is hung up on.
    silent.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    assert_eq!(silent.read(&mut [0; 1]).unwrap(), 0);
}
