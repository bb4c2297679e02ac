//! Joins by a Welcome, each side inviting, with the ratchet tree in the Welcome and beside it.

use super::{Way, in_all_ways, in_both_tree_places, party::Party, room::Room};

#[test]
fn a_device_invites_mls_rs() {
    in_both_tree_places(|way| {
        let mut room = Room::new(way, Party::ours("alice", way));
        room.add("alice", vec![Party::theirs("bob", way)]);
        // The one who was invited invites the next.
        room.add("bob", vec![Party::ours("anna", way)]);
    });
}

#[test]
fn mls_rs_invites_a_device() {
    in_both_tree_places(|way| {
        let mut room = Room::new(way, Party::theirs("bob", way));
        room.add("bob", vec![Party::ours("alice", way)]);
        room.add("alice", vec![Party::theirs("ben", way)]);
    });
}

#[test]
fn several_join_by_one_welcome() {
    in_both_tree_places(|way| {
        let mut room = Room::new(way, Party::ours("alice", way));
        let newcomers = ["bob", "ben"].map(|name| Party::theirs(name, way));
        room.add("alice", newcomers.into());
        let newcomers = vec![Party::ours("anna", way), Party::theirs("bill", way)];
        room.add("bob", newcomers);
    });
}

#[test]
fn without_the_tree_a_welcome_is_refused_and_can_be_used_with_it_later() {
    in_all_ways(|way| {
        let way = Way {
            tree_outside: true,
            ..way
        };
        let mut room = Room::new(way, Party::ours("alice", way));
        let (mut bob, anna) = (Party::theirs("bob", way), Party::ours("anna", way));
        let key_packages = vec![bob.key_package()];
        let made = room.commit("alice", |member, id| member.add(id, key_packages));
        assert!(bob.peer().join(made.welcome.as_ref().unwrap(), None).is_err());
        room.welcome("alice", &made, vec![bob]);
        room.settle();
        let key_packages = vec![anna.key_package()];
        let made = room.commit("bob", |member, id| member.add(id, key_packages));
        let welcome = made.welcome.clone().unwrap();
        assert!(anna.device().client().join_from_welcome(welcome, None).is_err());
        room.welcome("bob", &made, vec![anna]);
        room.settle();
    });
}

#[test]
fn a_key_package_of_last_resort_is_accepted_by_mls_rs_twice() {
    in_all_ways(|way| {
        let mut anna = Party::ours("anna", way);
        let options = mls_mobile::KeyPackageOptions {
            last_resort: true,
            ..Default::default()
        };
        let made =
            anna.device()
                .client()
                .create_key_packages(anna.device().identity.clone(), 1, Some(options));
        let key_package = made.unwrap().remove(0).bytes;
        for name in ["bob", "ben"] {
            let mut room = Room::new(way, Party::theirs(name, way));
            let made = room.commit(name, |member, id| member.add(id, vec![key_package.clone()]));
            room.welcome(name, &made, vec![anna]);
            room.settle();
            anna = room.take("anna");
        }
    });
}
