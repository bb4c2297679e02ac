//! Inputs to start from: real messages of every kind, and by hand what no honest client sends.

use std::collections::BTreeMap;

use mls_mobile::GroupConfig;

use super::{
    archives,
    arguments::CALLS,
    certificates, commits,
    invitations::{forged_welcome_input, group_info_input, welcome_input},
    mallory::{APPLICATION, COMMIT, PROPOSAL, Sender},
    messages::forged_input,
    wire::{HASH, Reader, vector},
    world::{IN_THE_GROUP, OTHER_GROUP, PSK, People},
};
use crate::common::raw::{FromOutside, RawPeer, external_psk, resumption_psk};

/// A signature and a MAC, with their lengths in front.
const SIGNATURE: usize = 66;
const TAG: usize = HASH + 1;

pub fn all(people: &mut People) -> BTreeMap<String, Vec<Vec<u8>>> {
    let (commits, proposals) = (public_commits(people), proposals(people));
    let messages = messages(people, &commits, &proposals);
    let outside = outside(people);
    let seeds = [
        ("decode", [&messages[..], &outside].concat()),
        ("process_message", in_every_state(&messages)),
        ("process_messages", batches(&messages)),
        ("forged_message", forged(people, &commits, &proposals)),
        ("commit", whole_commits(people)),
        ("welcome", welcomes(people)),
        ("forged_welcome", forged_welcomes(people)),
        ("group_info", group_infos(people)),
        ("key_package", key_packages(people, &outside)),
        ("arguments", arguments(people)),
        ("x509", certificates::seeds(&people.mallory)),
        ("recover", archives::seeds(&people.alice.archive(), patches())),
        ("database", patches()),
        ("transfer", patches()),
    ];
    seeds.map(|(name, seeds)| (name.to_owned(), seeds)).into()
}

/// Mallory's Commits as PublicMessages, none of them merged.
fn public_commits(people: &mut People) -> Vec<Vec<u8>> {
    let group = people.id.0.clone();
    let peer = &mut people.peer;
    vec![
        peer.commit(None, &[]),
        peer.commit(Some(&people.key_package), &[]),
        peer.commit(None, &[external_psk(PSK)]),
        peer.commit(Some(&people.key_package), &[external_psk(PSK)]),
        peer.commit(None, &[resumption_psk(&group, 3)]),
    ]
}

fn proposals(people: &mut People) -> Vec<Vec<u8>> {
    let bob = people.alice.leaf_of(&people.id, "bob");
    let peer = &mut people.peer;
    vec![
        peer.propose_psk(external_psk(PSK)),
        peer.propose_psk(external_psk(b"unknown")),
        peer.propose_add(&people.key_package),
        peer.propose_remove(bob),
        peer.propose_self_update(),
    ]
}

/// Messages for Alice's groups.
fn messages(people: &People, commits: &[Vec<u8>], proposals: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let (id, bob) = (&people.id, people.bob.fork());
    let epoch = bob.epoch(id);
    let newcomer = RawPeer::new("newcomer").key_package();
    let mut all = vec![
        bob.send(id, "hello"),
        bob.send(id, "again"),
        bob.send(&people.other, "elsewhere"),
        people.late.clone(),
        people.alice.fork().send(id, "own"),
        bob.fork().group(id).self_update(None).unwrap().commit,
        bob.fork().group(&people.other).self_update(None).unwrap().commit,
        RawPeer::new("asks").ask_to_join(&id.0, epoch),
        RawPeer::new("resyncs").join_by_external_commit(&bob.group(id).export_group_info(true).unwrap()),
    ];
    for proposal in [
        FromOutside::Add(&newcomer),
        FromOutside::Remove(bob.leaf_of(id, "bob")),
        FromOutside::NoExtensions,
    ] {
        all.push(people.peer.propose_from_outside(&id.0, epoch, proposal));
    }
    let private = GroupConfig::default();
    bob.group(id).configure(private).unwrap();
    all.push(bob.fork().group(id).self_update(None).unwrap().commit);
    all.push(bob.fork().group(id).add_members(vec![newcomer]).unwrap().commit);
    let proposal = bob.fork().group(id).propose_self_update(None);
    all.push(proposal.unwrap().proposal);
    all.extend_from_slice(commits);
    all.extend_from_slice(proposals);
    all
}

/// Key packages, Welcomes and GroupInfos.
fn outside(people: &People) -> Vec<Vec<u8>> {
    let [(whole, _), (bare, _)] = people.welcomes.clone();
    let group = people.alice.group(&people.id);
    vec![
        people.key_package.clone(),
        RawPeer::new("somebody").key_package(),
        whole,
        bare,
        group.export_group_info(true).unwrap(),
        group.export_group_info(false).unwrap(),
    ]
}

fn in_every_state(messages: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let states = 0..IN_THE_GROUP.len() as u8;
    states
        .flat_map(|state| {
            messages
                .iter()
                .map(move |message| [&[state], &message[..]].concat())
        })
        .collect()
}

fn batches(messages: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let batch = |messages: &[Vec<u8>]| {
        let vectors: Vec<_> = messages.iter().map(|message| vector(message)).collect();
        [&[0][..], &vectors.concat()].concat()
    };
    let mut all: Vec<_> = messages.chunks(3).map(batch).collect();
    all.push(batch(messages));
    all
}

/// What is between the head of a PublicMessage and its signature; behind that of a Commit its confirmation tag.
fn content(message: &[u8]) -> Vec<u8> {
    // Version and wire format, group id, epoch, sender.
    let mut reader = Reader(&message[4..]);
    reader.vector().unwrap();
    reader.take(8).unwrap();
    let is_member = reader.byte().unwrap() == 1;
    if is_member {
        reader.take(4).unwrap();
    }
    reader.vector().unwrap();
    let is_commit = reader.byte().unwrap() == COMMIT;
    let tags = TAG * (usize::from(is_commit) + usize::from(is_member));
    let (content, tail) = reader.0.split_at(reader.0.len() - SIGNATURE - tags);
    let tag = if is_commit {
        &tail[SIGNATURE + 1..SIGNATURE + TAG]
    } else {
        &[]
    };
    [content, tag].concat()
}

fn forged(people: &mut People, commits: &[Vec<u8>], proposals: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let mut by_value = by_hand(people);
    by_value.extend(proposals.iter().map(|proposal| content(proposal)));
    let no_tag = [0; HASH];
    let mut all = vec![
        forged_input(true, Sender::Member, APPLICATION, &vector(b"hello")),
        forged_input(false, Sender::Member, APPLICATION, &vector(b"hello")),
    ];
    for (private, sender) in [
        (false, Sender::Member),
        (true, Sender::Member),
        (false, Sender::External),
        (false, Sender::NewMemberProposal),
    ] {
        all.extend(
            by_value
                .iter()
                .map(|proposal| forged_input(private, sender, PROPOSAL, proposal)),
        );
    }
    let commit = |sender, proposals: &[u8], path: &[u8]| {
        forged_input(
            false,
            sender,
            COMMIT,
            &[&vector(proposals), path, &no_tag].concat(),
        )
    };
    for proposal in &by_value {
        all.push(commit(Sender::Member, &[&[1], &proposal[..]].concat(), &[0]));
        all.push(commit(
            Sender::NewMemberCommit,
            &[&[1], &proposal[..]].concat(),
            &[0],
        ));
    }
    let everything: Vec<_> = by_value
        .iter()
        .map(|proposal| [&[1], &proposal[..]].concat())
        .collect();
    all.push(commit(Sender::Member, &everything.concat(), &[0]));
    all.push(commit(
        Sender::Member,
        &[&[2][..], &vector(&[0; HASH])].concat(),
        &[0],
    ));
    let group_info = people.bob.group(&people.id).export_group_info(true).unwrap();
    let join = people.guest.join_by_external_commit(&group_info);
    all.push(forged_input(
        false,
        Sender::NewMemberCommit,
        COMMIT,
        &content(&join),
    ));
    for bytes in commits {
        all.push(forged_input(false, Sender::Member, COMMIT, &content(bytes)));
        all.push(forged_input(true, Sender::Member, COMMIT, &content(bytes)));
        all.push(forged_input(
            false,
            Sender::NewMemberCommit,
            COMMIT,
            &content(bytes),
        ));
    }
    all
}

fn whole_commits(people: &People) -> Vec<Vec<u8>> {
    let (guests, senders) = (people.guest.key_package(), people.peer.as_external_sender());
    commits::seeds(&people.key_package, &guests, &senders)
}

/// Proposals of every type (RFC 9420, section 12.1, and the drafts that OpenMLS knows), by their numbers.
fn by_hand(people: &People) -> Vec<Vec<u8>> {
    let proposal = |number: u16, content: &[u8]| [&number.to_be_bytes()[..], content].concat();
    let leaf = |index: u32| index.to_be_bytes();
    let id = vector(&people.id.0);
    let resumption = |usage: u8| {
        let nonce = vector(&[7; HASH]);
        [&[2, usage][..], &id, &3u64.to_be_bytes(), &nonce].concat()
    };
    let extension = |number: u16, data: &[u8]| [&number.to_be_bytes()[..], &vector(data)].concat();
    let senders = people.peer.as_external_sender();
    vec![
        proposal(1, &people.key_package[4..]),
        proposal(1, &people.guest.key_package()[4..]),
        proposal(3, &leaf(0)),
        proposal(3, &leaf(2)),
        proposal(3, &leaf(u32::MAX)),
        proposal(4, &resumption(1)),
        proposal(4, &resumption(2)),
        proposal(4, &resumption(3)),
        proposal(5, &[&id[..], &[0, 1, 0, 3, 0]].concat()),
        proposal(6, &vector(&[5; HASH])),
        proposal(7, &vector(&[])),
        proposal(7, &vector(&extension(5, &senders))),
        proposal(7, &vector(&extension(3, &[2, 0, 10, 2, 0, 10, 2, 0, 1]))),
        proposal(7, &vector(&extension(0xff00, b"custom"))),
        proposal(8, &[&[0, 1, 1][..], &vector(b"data")].concat()),
        proposal(9, &[&[0, 1][..], &vector(b"data")].concat()),
        proposal(10, &[]),
        proposal(0xf0ff, &vector(b"custom")),
    ]
}

fn welcomes(people: &People) -> Vec<Vec<u8>> {
    let [(whole, _), (bare, tree)] = &people.welcomes;
    let tree = tree.as_deref();
    vec![
        welcome_input(whole, None),
        welcome_input(whole, tree),
        welcome_input(bare, None),
        welcome_input(bare, tree),
    ]
}

fn forged_welcomes(people: &People) -> Vec<Vec<u8>> {
    let info = &people.group_info;
    let joiner = vector(&[0x4a; HASH]);
    let psk = vector(&[&[1][..], &vector(PSK), &vector(&[7; HASH])].concat());
    let path = [&[1][..], &vector(&[6; HASH])].concat();
    vec![
        forged_welcome_input(&[], &[], info),
        forged_welcome_input(&[], &[&joiner[..], &[0, 0]].concat(), &[]),
        forged_welcome_input(&[], &[&joiner[..], &path, &[0]].concat(), &[]),
        forged_welcome_input(&[], &[&joiner[..], &[0], &psk].concat(), &[]),
        forged_welcome_input(people.welcomes[1].1.as_ref().unwrap(), &[], info),
    ]
}

fn group_infos(people: &People) -> Vec<Vec<u8>> {
    let group = people.alice.group(&people.id);
    let (whole, bare) = (
        group.export_group_info(true).unwrap(),
        group.export_group_info(false).unwrap(),
    );
    let tree = group.export_ratchet_tree().unwrap();
    let signed = people.peer.group_info(None, |_| true);
    let content = &signed[4..signed.len() - SIGNATURE];
    vec![
        group_info_input(0, &[], &whole),
        group_info_input(2, &[], &whole),
        group_info_input(0, &[], &bare),
        group_info_input(0, &tree, &bare),
        group_info_input(1, &[], content),
        group_info_input(3, &[], content),
        group_info_input(1, &tree, content),
    ]
}

fn key_packages(people: &People, others: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let mut all: Vec<_> = others.iter().map(|other| [&[0], &other[..]].concat()).collect();
    for key_package in [&people.key_package, &others[1]] {
        all.push([&[1], &key_package[..]].concat());
    }
    all
}

fn arguments(people: &People) -> Vec<Vec<u8>> {
    let call = |number: u8, value: u16, first: &[u8], second: &[u8]| {
        [&[0, number][..], &value.to_be_bytes(), &vector(first), second].concat()
    };
    let reference = &people.alice.fork();
    let proposal = reference.group(&people.id).propose_remove(1).unwrap().reference;
    let mut all: Vec<_> = (0..CALLS)
        .map(|number| call(number, 1, b"first", b"second"))
        .collect();
    all.extend([
        call(2, 0xff00, b"credential", &[]),
        call(6, 0, OTHER_GROUP, &[]),
        call(7, 0, &[1; HASH], &[]),
        call(11, 3, &[2, 0, 10, 2, 0, 10, 2, 0, 1], &[]),
        call(11, 5, &people.peer.as_external_sender(), &[]),
        call(12, 5, &people.peer.as_external_sender(), &[]),
        call(11, 0xff00, b"custom", &[]),
        call(13, 0xf0ff, b"custom", &[]),
        call(14, 3, &people.alice.authenticator(&people.id), &[]),
        call(15, 0, PSK, &[]),
        call(16, 3, &people.id.0, &[]),
        call(17, 0, &proposal.0, &[]),
        call(18, 64, b"label", b"context"),
        call(22, 1, &people.key_package, &[]),
        call(24, 0xff00, b"leaf", &[0, 1, 0, 1, 0, 1, 0xff, 1]),
        call(28, 0, &people.id.0, &[]),
        call(28, 7, OTHER_GROUP, b"ab"),
        call(29, 0xff00, b"server", &[1; 32]),
        call(30, 0, &[0xff, 0, 0, 10, 0, 1], &[]),
        call(25, 0xff03, b"leaf", &[0xff, 1, 0xff, 1, 0xf0, 1, 0x0a, 0x0a]),
        call(26, 0xff01, b"leaf", &[0xff, 1, 0xff, 1, 0xf0, 1]),
        call(27, 0xff02, b"leaf", &[0xff, 1]),
    ]);
    all
}

/// Damage to a file, as `files::damage` reads it.
fn patches() -> Vec<Vec<u8>> {
    vec![
        vec![0],
        vec![0, 0, 0, 30, 0xff],
        vec![0, 0, 16, 0, 2, 0, 16, 5, 0],
        vec![0, 1, 0, 200, 1, 2, 3, 4, 0xff],
        vec![1, 3, 0],
        vec![1, 8, 17, 0, 0, 60, 9],
    ]
}
