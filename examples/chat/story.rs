//! The conversation, step by step. `phone.rs` has the calls behind each.

use std::path::Path;

use mls_mobile::GroupId;

use crate::{
    Result,
    network::{Change, Network},
    phone::{Closed, Phone},
    show::{heading, line},
};

pub fn play(folder: &Path, network: &Network) -> Result<()> {
    let mut pockets = [
        Closed::new(folder, "Alice")?,
        Closed::new(folder, "Bob")?,
        Closed::new(folder, "Carol")?,
    ];

    heading(1, "Three phones, each with an encrypted database file of its own");
    let [alice, bob, carol] = open_all(&mut pockets, network)?;
    bob.publish_key_package()?;
    carol.publish_key_package()?;

    heading(2, "Alice creates a group and invites Bob");
    let id = alice.create_group()?;
    alice.invite(&id, &bob)?;
    bob.fetch()?;
    all_agree(&id, &[&alice, &bob])?;

    heading(3, "They talk; the network delivers twice");
    let hello = alice.say(&id, "Hello Bob")?;
    // Bob is cut off before the delivery service hears that he has it, so it comes again.
    bob.read()?;
    bob.fetch()?;

    heading(4, "Bob invites Carol: every member may commit");
    bob.invite(&id, &carol)?;
    alice.fetch()?;
    carol.fetch()?;
    all_agree(&id, &[&alice, &bob, &carol])?;
    // Carol was not a member when this was sent. Whoever gives it to her: she has no key for it.
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
    let [alice, bob, carol] = open_all(&mut pockets, network)?;
    all_agree(&id, &[&alice, &bob, &carol])?;
    carol.say(&id, "I am back")?;
    alice.fetch()?;
    bob.fetch()?;

    heading(
        7,
        "Alice and Bob renew their keys at once: one Commit an epoch, and old keys are worthless",
    );
    let alices = alice.group(&id)?.self_update(None)?;
    let bobs = bob.group(&id)?.self_update(None)?;
    alice.submit(&id, &alices, &Change::default())?;
    bob.submit(&id, &bobs, &Change::default())?;
    bob.fetch()?;
    let again = bob.group(&id)?.self_update(None)?;
    bob.submit(&id, &again, &Change::default())?;
    alice.fetch()?;
    carol.fetch()?;
    all_agree(&id, &[&alice, &bob, &carol])?;

    heading(8, "Bob removes Carol");
    bob.remove(&id, &carol)?;
    alice.fetch()?;
    carol.fetch()?;
    all_agree(&id, &[&alice, &bob])?;
    let secret = alice.say(&id, "Now it is the two of us")?;
    bob.fetch()?;
    // The service sends her no more. Whoever gives it to her all the same:
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
        phone.sign_off()?;
    }
    Ok(())
}

fn open_all(pockets: &mut [Closed; 3], network: &Network) -> Result<[Phone; 3]> {
    let [alice, bob, carol] = pockets;
    let phones = [alice.open(network)?, bob.open(network)?, carol.open(network)?];
    for phone in &phones {
        let groups = phone.client.groups()?.len();
        line(phone.name, format!("opens the database; groups in it: {groups}"));
    }
    Ok(phones)
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
