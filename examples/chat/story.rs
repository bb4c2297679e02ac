//! The conversation, call by call. The delivery service is a variable here: bytes go from one phone to the others.

use std::path::Path;

use mls_mobile::{CommitBundle, GroupId};

use crate::{
    Result,
    phone::{Closed, Phone},
    show::{self, heading, line},
};

pub fn play(folder: &Path) -> Result<()> {
    let pockets = [
        Closed::new(folder, "Alice")?,
        Closed::new(folder, "Bob")?,
        Closed::new(folder, "Carol")?,
    ];

    heading(1, "Three phones, each with an encrypted database file of its own");
    let [alice, bob, carol] = open_all(&pockets)?;
    let bobs_key_package = publish_key_package(&bob)?;
    let carols_key_package = publish_key_package(&carol)?;

    heading(2, "Alice creates a group and invites Bob");
    // Without a configuration the group gets a random id and the client's defaults.
    let id = alice.client.create_group(alice.identity.clone(), None)?.id()?;
    let commit = alice.group(&id)?.add_members(vec![bobs_key_package])?;
    describe(&alice, &commit);
    // The delivery service took the Commit. The Welcome goes out first, because the merge forgets it.
    join(&bob, &commit)?;
    accepted(&alice, &id, &commit, &[])?;
    all_agree(&id, &[&alice, &bob])?;

    heading(3, "They talk; the network delivers twice");
    let hello = alice.say(&id, "Hello Bob")?;
    bob.receive(&id, &hello)?;
    bob.receive(&id, &hello)?;

    heading(4, "Bob invites Carol: every member may commit");
    let commit = bob.group(&id)?.add_members(vec![carols_key_package])?;
    describe(&bob, &commit);
    join(&carol, &commit)?;
    accepted(&bob, &id, &commit, &[&alice])?;
    all_agree(&id, &[&alice, &bob, &carol])?;
    // Carol was not a member when this was sent, so she has no key for it.
    carol.receive(&id, &hello)?;

    heading(5, "All three apps are ended");
    for phone in [&alice, &bob, &carol] {
        let saved = phone.save_inbox()?;
        line(
            phone.name,
            format!("saves what the inbox holds ({saved}) and acknowledges it"),
        );
    }
    // Nothing needs to be saved or flushed: each call was on disk when it returned. Dropping closes the file.
    drop((alice, bob, carol));
    let [alices_pocket, ..] = &pockets;
    line(
        "Thief",
        format!(
            "tries a key on Alice's file: {}",
            alices_pocket.open_with_wrong_key()?
        ),
    );

    heading(6, "They start again from disk, and go on");
    let [alice, bob, carol] = open_all(&pockets)?;
    all_agree(&id, &[&alice, &bob, &carol])?;
    let back = carol.say(&id, "I am back")?;
    alice.receive(&id, &back)?;
    bob.receive(&id, &back)?;

    heading(
        7,
        "Alice renews her keys: who has stolen the old ones is locked out",
    );
    let commit = alice.group(&id)?.self_update(None)?;
    describe(&alice, &commit);
    accepted(&alice, &id, &commit, &[&bob, &carol])?;

    heading(8, "Bob removes Carol");
    let carols_leaf = leaf_of(&bob, &id, "Carol")?;
    let commit = bob.group(&id)?.remove_members(vec![carols_leaf])?;
    describe(&bob, &commit);
    accepted(&bob, &id, &commit, &[&alice, &carol])?;
    all_agree(&id, &[&alice, &bob])?;
    let secret = alice.say(&id, "Now it is the two of us")?;
    bob.receive(&id, &secret)?;
    carol.receive(&id, &secret)?;

    heading(9, "What is on disk");
    for phone in [&alice, &bob, &carol] {
        let info = phone.client.storage_info()?;
        line(
            phone.name,
            format!(
                "{} bytes and {} in the write-ahead log, after {} transactions that changed something",
                info.database_bytes, info.wal_bytes, info.generation
            ),
        );
    }
    Ok(())
}

fn open_all(pockets: &[Closed; 3]) -> Result<[Phone; 3]> {
    let [alice, bob, carol] = pockets;
    let phones = [alice.open()?, bob.open()?, carol.open()?];
    for phone in &phones {
        let groups = phone.client.groups()?.len();
        line(phone.name, format!("opens the database; groups in it: {groups}"));
    }
    Ok(phones)
}

/// A key package is what others need to add somebody who is offline. Each is good for one invitation.
fn publish_key_package(phone: &Phone) -> Result<Vec<u8>> {
    let key_package = phone
        .client
        .create_key_packages(phone.identity.clone(), 1, None)?
        .pop()
        .ok_or("no key package was made")?;
    line(
        phone.name,
        format!("publishes a key package of {} bytes", key_package.bytes.len()),
    );
    Ok(key_package.bytes)
}

fn describe(phone: &Phone, bundle: &CommitBundle) {
    let welcome = bundle.welcome.as_ref().map_or(String::new(), |welcome| {
        format!(", a Welcome of {} bytes", welcome.len())
    });
    line(
        phone.name,
        format!("makes a Commit of {} bytes{welcome}", bundle.commit.len()),
    );
}

/// The delivery service took the Commit: its author merges it, the others process it. Had the service taken another
/// one first, the author would call `clear_pending_commit` and begin again. If the app dies in between,
/// `pending_commit` gives the same bytes once more.
fn accepted(author: &Phone, id: &GroupId, bundle: &CommitBundle, others: &[&Phone]) -> Result<()> {
    let merged = author.group(id)?.merge_pending_commit()?;
    line(
        author.name,
        format!("merges it: epoch {}", merged.summary.to_epoch),
    );
    others
        .iter()
        .try_for_each(|phone| phone.receive(id, &bundle.commit))
}

/// Looks at the invitation before it takes it.
fn join(phone: &Phone, bundle: &CommitBundle) -> Result<()> {
    let welcome = bundle.welcome.clone().ok_or("the Commit adds nobody")?;
    let info = phone.client.inspect_welcome(welcome.clone(), None)?;
    let inviter = info
        .sender
        .map_or("nobody".to_owned(), |member| show::name(&member.credential));
    phone.client.join_from_welcome(welcome, None)?;
    line(
        phone.name,
        format!("joins at the invitation of {inviter}, in epoch {}", info.epoch),
    );
    Ok(())
}

fn leaf_of(phone: &Phone, id: &GroupId, name: &str) -> Result<u32> {
    phone
        .group(id)?
        .members()?
        .into_iter()
        .find(|member| show::name(&member.credential) == name)
        .map(|member| member.leaf_index)
        .ok_or_else(|| format!("{name} is no member").into())
}

fn all_agree(id: &GroupId, phones: &[&Phone]) -> Result<()> {
    let mut numbers = Vec::new();
    for phone in phones {
        numbers.push(phone.report(id)?);
    }
    // The group has forked if this ever fails.
    if numbers.windows(2).any(|pair| pair.first() != pair.last()) {
        return Err("the safety numbers differ".into());
    }
    Ok(())
}
