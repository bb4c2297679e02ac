//! Ways into a group: Welcomes and GroupInfos, with the tree in them and beside them.

use mls_mobile::{IdentityId, MlsClient, MlsError};

use super::{
    Session,
    wire::{Reader, vector},
    world::{OUTSIDER, PSK},
};

/// Looks at a Welcome, which changes nothing, and then joins.
fn join(session: &mut Session, welcome: &[u8], tree: Option<&[u8]>) {
    let tree = || tree.map(<[u8]>::to_vec);
    let live = session.live(OUTSIDER);
    let seen = live.call(|client| client.inspect_welcome(welcome.to_vec(), tree()));
    assert!(!live.has_changed(), "looking has changed something");
    let joined = live.call(|client| client.join_from_welcome(welcome.to_vec(), tree()).map(drop));
    assert_eq!(
        seen.is_some(),
        joined.is_some(),
        "looking and joining disagree: {seen:?}"
    );
    live.end();
}

/// A Welcome, and a tree behind it: both vectors.
pub fn welcome(session: &mut Session, input: &[u8]) {
    let mut reader = Reader(input);
    let Some(welcome) = reader.vector() else { return };
    let tree = reader.vector();
    join(session, welcome, tree);
}

/// What Mallory encrypts: the tree beside it, empty for none, GroupSecrets, empty for honest ones, and a GroupInfo
/// without its confirmation tag and signature.
pub fn forged_welcome(session: &mut Session, input: &[u8]) {
    let mut reader = Reader(input);
    let (Some(tree), Some(secrets)) = (reader.vector(), reader.vector()) else {
        return;
    };
    let given = |part: &'_ [u8]| !part.is_empty();
    let world = &session.world;
    let info = if reader.0.is_empty() {
        &world.group_info
    } else {
        reader.0
    };
    let secrets = Some(secrets).filter(|part| given(part));
    let welcome = world
        .mallory
        .welcome(&session.crypto, &world.key_package, secrets, info);
    join(session, &welcome, Some(tree).filter(|part| given(part)));
}

/// A byte that says whether Mallory signs and whether a PSK goes in, the tree beside it, empty for none, and a GroupInfo.
pub fn group_info(session: &mut Session, input: &[u8]) {
    let mut reader = Reader(input);
    let (Some(form), Some(tree)) = (reader.byte(), reader.vector()) else {
        return;
    };
    let group_info = if form & 1 == 1 {
        session.world.mallory.group_info(&session.crypto, reader.0)
    } else {
        reader.0.to_vec()
    };
    let tree = Some(tree.to_vec()).filter(|tree| !tree.is_empty());
    let identity = IdentityId(session.world.identity.clone());
    let psks = match form & 2 {
        0 => Vec::new(),
        _ => vec![PSK.to_vec()],
    };
    let live = session.live(OUTSIDER);
    live.call(|client| join_externally(client, identity, group_info, tree, psks));
    live.end();
}

fn join_externally(
    client: &MlsClient,
    identity: IdentityId,
    group_info: Vec<u8>,
    tree: Option<Vec<u8>>,
    psks: Vec<Vec<u8>>,
) -> Result<(), MlsError> {
    let join = client.join_by_external_commit_with_psks(identity, group_info, tree, psks)?;
    // What is stored must be of use.
    client.confirm_external_join(join.group_id).unwrap();
    Ok(())
}

/// The inputs that say this.
pub fn welcome_input(welcome: &[u8], tree: Option<&[u8]>) -> Vec<u8> {
    [vector(welcome), tree.map_or_else(Vec::new, vector)].concat()
}

pub fn forged_welcome_input(tree: &[u8], secrets: &[u8], info: &[u8]) -> Vec<u8> {
    [&vector(tree), &vector(secrets), info].concat()
}

pub fn group_info_input(form: u8, tree: &[u8], group_info: &[u8]) -> Vec<u8> {
    [&[form][..], &vector(tree), group_info].concat()
}
