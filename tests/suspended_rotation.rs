//! A suspension ends a rotation of the data key, which takes long, at once; and then it has not happened.

#![allow(clippy::unwrap_used, clippy::panic, reason = "test code")]

mod common;

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::Duration,
};

use common::Device;
use mls_mobile::{
    KeyPackage, MlsError,
    fault::{self, Plan, Point},
};
use rusqlite::types::Value;

/// Every row of every table.
type Dump = Vec<(String, Vec<Vec<Value>>)>;

/// A database with some thousand sealed values.
fn large() -> Device {
    let alice = Device::new("alice");
    for _ in 0..15 {
        alice
            .client()
            .create_key_packages(alice.identity.clone(), 100, None)
            .unwrap();
    }
    alice
}

/// Whether the rotation was done; asserts that it is done or undone, as it said, and that the client works on.
fn settled(alice: &Device, before: &[KeyPackage], file: &Dump, answer: Result<(), MlsError>) -> bool {
    let done = match answer {
        Ok(()) => true,
        Err(MlsError::Suspended) => false,
        Err(other) => panic!("{other:?}"),
    };
    assert_eq!(*file == alice.dump(), !done, "done: {done}");
    alice.client().resume().unwrap();
    assert!(before == alice.client().key_packages().unwrap(), "done: {done}");
    done
}

#[test]
fn a_rotation_that_is_suspended_at_any_time_is_done_or_undone() {
    let alice = large();
    let before = alice.client().key_packages().unwrap();
    let mut undone = 0;
    for millis in [0, 1, 3, 10, 30, 60] {
        let (file, client) = (alice.dump(), alice.client().clone());
        let call = thread::spawn(move || client.rotate_data_key());
        thread::sleep(Duration::from_millis(millis));
        alice.client().suspend(0).unwrap();
        undone += usize::from(!settled(&alice, &before, &file, call.join().unwrap()));
    }
    assert!(undone > 0, "no suspension came in time");
    alice.client().rotate_data_key().unwrap();
    assert!(before == alice.client().key_packages().unwrap());
}

static PARKED: AtomicUsize = AtomicUsize::new(0);
static LET_GO: AtomicUsize = AtomicUsize::new(0);

fn park(_: Point) {
    let turn = PARKED.fetch_add(1, Ordering::SeqCst);
    while LET_GO.load(Ordering::SeqCst) <= turn {
        thread::yield_now();
    }
}

#[test]
fn a_rotation_that_a_suspension_meets_between_two_values_is_undone() {
    let alice = Device::new("alice");
    alice
        .client()
        .create_key_packages(alice.identity.clone(), 20, None)
        .unwrap();
    let before = alice.client().key_packages().unwrap();
    for (turn, point) in [12, 20, 30, 45].into_iter().enumerate() {
        let (file, client) = (alice.dump(), alice.client().clone());
        let call = thread::spawn(move || {
            fault::arm(Plan::ParkAt(point, park));
            (client.rotate_data_key(), fault::disarm())
        });
        while PARKED.load(Ordering::SeqCst) <= turn {
            assert!(!call.is_finished(), "point {point} was not reached");
            thread::yield_now();
        }
        let client = alice.client().clone();
        let suspension = thread::spawn(move || client.suspend(0));
        while alice.client().groups() != Err(MlsError::Suspended) {
            thread::yield_now();
        }
        // The deadline of 0 has passed too.
        thread::sleep(Duration::from_millis(50));
        LET_GO.fetch_add(1, Ordering::SeqCst);
        let (answer, passed) = call.join().unwrap();
        assert!(passed <= point + 2, "it went on for {} points", passed - point);
        suspension.join().unwrap().unwrap();
        assert!(!settled(&alice, &before, &file, answer), "point {point}");
    }
    alice.client().rotate_data_key().unwrap();
    assert!(before == alice.client().key_packages().unwrap());
}
