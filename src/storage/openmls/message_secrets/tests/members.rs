//! Lists of members: those of successive epochs share what is the same, and lists of the old form are read.

use serde::Serialize;

use super::{CHUNK, MessageSecretsStore, Rows, Touched, store};
use crate::storage::{
    codec,
    secret_parts::{HEAD, Head, SHARED},
};

/// The parts of lists among these.
fn shared(parts: impl IntoIterator<Item = u64>) -> Vec<u64> {
    parts.into_iter().filter(|part| SHARED.contains(part)).collect()
}

/// As after a Commit, after which the members of the epoch that passed were these.
fn advance(store: &mut MessageSecretsStore, epoch: u8, members: &[(u32, String)]) {
    store.advance(epoch, 200);
    store.past_epoch_trees.last_mut().unwrap().leaves = members.to_vec();
}

fn members() -> Vec<(u32, String)> {
    (0..200).map(|n| (n, format!("member {n}"))).collect()
}

#[test]
fn a_commit_writes_the_chunks_that_changed_and_no_others() {
    let mut members = members();
    let mut store = store(200);
    let mut rows = Rows::default();
    advance(&mut store, 1, &members);
    rows.write(&store, None);
    assert_eq!(shared(rows.rows.keys().copied()).len(), 200_usize.div_ceil(CHUNK));
    // From memory and from disk: one has other keys, one goes, one comes in its place, some at the end.
    for (epoch, reloads) in (2..).zip([false, true, false, true, false, true, false, true]) {
        let expected = match epoch {
            2 | 3 => {
                members[70].1 = format!("other keys in {epoch}");
                1
            }
            4 | 5 => {
                members.retain(|(n, _)| *n != u32::from(epoch) * 10);
                1
            }
            6 | 7 => {
                let index = members.partition_point(|(n, _)| *n < (u32::from(epoch) - 2) * 10);
                members.insert(index, ((u32::from(epoch) - 2) * 10, "new".to_owned()));
                1
            }
            8 => {
                // The last chunk had eight leaves.
                members.extend((200..220).map(|n| (n, "new".to_owned())));
                2
            }
            _ => 0,
        };
        if reloads {
            rows.reload();
        }
        advance(&mut store, epoch, &members);
        let written = rows.write(&store, None);
        let new = shared(written.clone())
            .into_iter()
            .filter(|part| rows.rows.contains_key(part));
        assert_eq!(new.count(), expected, "{epoch}: {written:?}");
        rows.assert_hold(&store);
        assert_eq!(rows.write(&store, None), [0; 0]);
    }
}

#[test]
fn a_chunk_goes_with_the_last_epoch_that_has_it() {
    let mut members = members();
    let mut store = store(200);
    let mut rows = Rows::default();
    for epoch in 1..=3 {
        advance(&mut store, epoch, &members);
        rows.write(&store, None);
        members[0].1 = format!("other keys in {epoch}");
    }
    let chunks = 200_usize.div_ceil(CHUNK);
    let counts = [chunks + 2, chunks + 1, chunks, 0];
    for count in counts {
        assert_eq!(shared(rows.rows.keys().copied()).len(), count);
        if count > 0 {
            store.past_epoch_trees.remove(0);
            rows.reload();
            let written = rows.write(&store, None);
            assert!(shared(written).iter().all(|part| !rows.rows.contains_key(part)));
            rows.assert_hold(&store);
        }
    }
    // What is free is used again.
    advance(&mut store, 9, &members);
    rows.write(&store, None);
    assert_eq!(
        shared(rows.rows.keys().copied()),
        (1..=chunks as u64).collect::<Vec<_>>()
    );
}

#[test]
fn a_change_of_one_byte_is_seen_wherever_it_is() {
    let mut members = members();
    let mut store = store(200);
    let mut rows = Rows::default();
    for epoch in 1..=60 {
        let at = usize::from(epoch) * 37 % members.len();
        members[at]
            .1
            .replace_range(..1, if epoch % 2 == 0 { "x" } else { "y" });
        advance(&mut store, epoch, &members);
        rows.write(&store, None);
        rows.assert_hold(&store);
    }
}

/// As schema 4 was written first: each list of members one part, no count of an epoch's rows, no place of past epochs.
fn in_the_old_form(rows: &Rows) -> Rows {
    #[derive(Serialize)]
    struct OldHead<'h> {
        #[serde(with = "serde_bytes")]
        skeleton: &'h [u8],
        epochs: Vec<(u32, usize, usize)>,
        holes: Vec<(usize, u64, Option<usize>)>,
        rows: usize,
    }
    let head: Head = codec::decode(&rows.rows[&HEAD]).unwrap();
    let mut old = Rows::default();
    let (mut skeleton, mut holes, mut from) = (Vec::new(), Vec::new(), 0);
    let mut removed = Vec::new();
    for hole in &head.holes {
        let header = match hole.entries.filter(|_| hole.shared.is_some()) {
            None => 0,
            Some(0..16) => 1,
            Some(_) => 3,
        };
        skeleton.extend_from_slice(&head.skeleton.0[from..hole.at - header]);
        from = hole.at;
        removed.push((hole.at, header));
        let entries = hole.entries.filter(|_| hole.shared.is_none());
        holes.push((skeleton.len(), hole.first_part, entries));
        if let Some(shared) = &hole.shared {
            let mut list = head.skeleton.0[hole.at - header..hole.at].to_vec();
            shared
                .iter()
                .for_each(|part| list.extend_from_slice(&rows.rows[part]));
            old.rows.insert(hole.first_part, list);
        }
    }
    skeleton.extend_from_slice(&head.skeleton.0[from..]);
    let moved = |at: usize| {
        at - removed
            .iter()
            .filter(|(to, _)| *to <= at)
            .map(|(_, n)| n)
            .sum::<usize>()
    };
    let others = rows
        .rows
        .iter()
        .filter(|(part, _)| **part != HEAD && !SHARED.contains(part));
    old.rows
        .extend(others.map(|(part, bytes)| (*part, bytes.clone())));
    let head = OldHead {
        skeleton: &skeleton,
        epochs: head
            .epochs
            .iter()
            .map(|it| (it.slot, moved(it.from), moved(it.to)))
            .collect(),
        holes,
        rows: old.rows.len(),
    };
    old.rows.insert(HEAD, codec::encode(&head).unwrap().to_vec());
    old
}

#[test]
fn what_the_old_form_holds_is_read_and_goes_on() {
    let mut store = store(200);
    let mut rows = Rows::default();
    let members = members();
    for epoch in 1..=4 {
        store.message_secrets.step(7);
        advance(&mut store, epoch, &members);
        rows.write(&store, None);
    }
    let mut old = in_the_old_form(&rows);
    old.assert_hold(&store);
    assert!(old.read_current().is_none(), "all epochs are read");
    old.reload();
    store.message_secrets.step(9);
    old.write(&store, Some(Touched::Current));
    old.assert_hold(&store);
    assert_eq!(
        shared(old.rows.keys().copied()),
        [0; 0],
        "the lists stay as they are"
    );
    assert!(old.reload_current(), "but from now on they are left on disk");
    store.message_secrets.step(9);
    old.write_current(&store);
    old.assert_hold(&store);
    for epoch in 5..=9 {
        old.reload();
        advance(&mut store, epoch, &members);
        old.write(&store, None);
        old.assert_hold(&store);
    }
    assert_eq!(shared(old.rows.keys().copied()).len(), 200_usize.div_ceil(CHUNK));
}
