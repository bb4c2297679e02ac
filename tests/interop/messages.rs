//! Application messages: out of order, and late.

use mls_rs::error::MlsError;

use super::{in_all_ways, party::Party, room::Room};

#[test]
fn messages_out_of_order_are_read_by_each_side() {
    in_all_ways(|way| {
        let mut room = Room::of_four(way);
        let id = room.id.clone();
        for (sender, readers) in [("alice", ["bob", "anna"]), ("bob", ["alice", "ben"])] {
            let sent: Vec<_> = (0..20)
                .map(|number| room.member(sender).send(&id, &number.to_string()))
                .collect();
            for reader in readers {
                // The last first, then the even ones backwards, then the rest: 19, 18, 16 … 0, 1, 3 … 17.
                let order = [19].into_iter();
                let order = order.chain((0..19).rev().filter(|it| it % 2 == 0));
                for number in order.chain((0..19).filter(|it| it % 2 == 1)) {
                    assert_eq!(room.member(reader).read(&id, &sent[number]), number.to_string());
                    if number % 5 == 0 {
                        room.member(reader).reload();
                    }
                }
            }
        }
        room.settle();
    });
}

#[test]
fn late_messages_of_three_past_epochs_are_read_by_each_side() {
    in_all_ways(|way| {
        let mut room = Room::of_four(way);
        let id = room.id.clone();
        let mut late = Vec::new();
        for (epoch, committer) in ["bob", "alice", "ben"].into_iter().enumerate() {
            for sender in ["alice", "bob"] {
                let text = format!("{sender} in {epoch}");
                late.push((sender, room.member(sender).send(&id, &text), text));
            }
            room.update(committer);
        }
        for (sender, message, text) in late.iter().rev() {
            for reader in ["alice", "bob", "anna", "ben"] {
                if reader != *sender {
                    assert_eq!(room.member(reader).read(&id, message), *text, "{reader}");
                    room.member(reader).reload();
                }
            }
        }
        room.settle();
    });
}

/// RFC 9420 leaves it open. mls-rs reads a late message only while its sender's leaf has the same signature key
/// (`validate_sender_signature_key_from_prior_epoch`); this library reads it as the epoch that it was sent in.
#[test]
fn a_late_message_of_a_removed_member_is_read_by_devices_and_refused_by_mls_rs() {
    in_all_ways(|way| {
        for (gone, by) in [("anna", "bob"), ("ben", "alice")] {
            let mut room = Room::of_four(way);
            let id = room.id.clone();
            let message = room.member(gone).send(&id, "farewell");
            room.remove(by, &[gone]);
            assert_eq!(room.member("alice").read(&id, &message), "farewell");
            let refused = room.peer("bob").process(&message);
            assert!(matches!(refused, Err(MlsError::MemberNotFound)), "{refused:?}");
            room.update("bob");
        }
    });
}

#[test]
fn a_message_of_the_next_epoch_waits_on_a_device_for_the_commit_of_mls_rs() {
    in_all_ways(|way| {
        let mut room = Room::of_four(way);
        let id = room.id.clone();
        let mut anna = room.take("anna");
        let made = room.commit("bob", Party::update);
        let message = room.member("bob").send(&id, "early");
        let outcome = anna.device().receive(&id, &message);
        assert!(
            matches!(outcome, mls_mobile::ProcessedMessage::Early { .. }),
            "{outcome:?}"
        );
        anna.reload();
        match anna.device().receive(&id, &made.commit) {
            mls_mobile::ProcessedMessage::Commit { released, .. } => {
                assert_eq!(super::common::texts(&released), ["early"]);
            }
            other => panic!("{other:?}"),
        }
        room.put(anna);
        room.settle();
    });
}

#[test]
fn messages_of_every_length_around_the_padding_are_read_by_each_side() {
    in_all_ways(|way| {
        let mut room = Room::of_four(way);
        let id = room.id.clone();
        for length in [0, 1, 63, 64, 172, 173, 1000, 5000, 70_000] {
            let text = "x".repeat(length);
            for (sender, reader) in [("alice", "bob"), ("bob", "alice"), ("ben", "anna")] {
                let message = room.member(sender).send(&id, &text);
                assert!(room.member(reader).read(&id, &message) == text, "{length}");
            }
        }
    });
}

#[test]
fn authenticated_data_arrives_on_each_side() {
    in_all_ways(|way| {
        let mut room = Room::of_four(way);
        let group = room.device("alice").group(&room.id);
        let message = group.create_message(b"text".to_vec(), b"clear".to_vec()).unwrap();
        match room.peer("bob").process(&message).unwrap() {
            mls_rs::group::ReceivedMessage::ApplicationMessage(message) => {
                assert_eq!(
                    (message.data(), &message.authenticated_data[..]),
                    (&b"text"[..], &b"clear"[..])
                );
            }
            other => panic!("{other:?}"),
        }
        let bob = room.peer("bob").group();
        let message = bob
            .encrypt_application_message(b"text", b"clear".to_vec())
            .unwrap();
        match room
            .device("alice")
            .receive(&room.id, &super::peer::bytes(&message))
        {
            mls_mobile::ProcessedMessage::Application {
                plaintext,
                authenticated_data,
                ..
            } => assert_eq!(
                (&plaintext[..], &authenticated_data[..]),
                (&b"text"[..], &b"clear"[..])
            ),
            other => panic!("{other:?}"),
        }
    });
}
