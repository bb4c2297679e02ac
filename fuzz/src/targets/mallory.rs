//! Mallory: a member whose app was replaced. She has the epoch's keys, so that whatever she says is signed,
//! authenticated and encrypted as RFC 9420 wants it, and it is its content that must be refused.

use serde::{Deserialize, Serialize};

use super::wire::{Crypto, HASH, Reader, vector};
use crate::common::raw::RawPeer;

/// What she knows.
#[derive(Clone, Serialize, Deserialize)]
pub struct Mallory {
    signing_key: Vec<u8>,
    /// Of somebody whom she speaks for, and who is no member: private and public.
    guest: (Vec<u8>, Vec<u8>),
    leaf_index: u32,
    group_id: Vec<u8>,
    epoch: u64,
    group_context: Vec<u8>,
    membership_key: Vec<u8>,
    sender_data_secret: Vec<u8>,
    /// Of her own ratchets, first generation.
    handshake: (Vec<u8>, Vec<u8>),
    application: (Vec<u8>, Vec<u8>),
}

/// What she says, and as whom.
pub struct Forged<'b> {
    pub private: bool,
    pub sender: Sender,
    pub content_type: u8,
    pub authenticated_data: &'b [u8],
    pub content: &'b [u8],
    /// Commits only.
    pub confirmation_tag: &'b [u8],
}

#[derive(Clone, Copy)]
pub enum Sender {
    Member,
    External,
    NewMemberProposal,
    NewMemberCommit,
}

pub const APPLICATION: u8 = 1;
pub const PROPOSAL: u8 = 2;
pub const COMMIT: u8 = 3;

/// An MLSMessage begins with the version and one of these.
const PUBLIC_MESSAGE: u16 = 1;
const PRIVATE_MESSAGE: u16 = 2;
const WELCOME: u16 = 3;
const GROUP_INFO: u16 = 4;

fn message(wire_format: u16, parts: &[&[u8]]) -> Vec<u8> {
    let head = [&1u16.to_be_bytes()[..], &wire_format.to_be_bytes()].concat();
    [&head, &parts.concat()[..]].concat()
}

impl Mallory {
    /// Lets a peer join by a Welcome, and takes from it what the key schedule starts with.
    pub fn join(peer: &mut RawPeer, key_package: &[u8], welcome: &[u8], guest: &RawPeer) -> Self {
        let crypto = Crypto::new();
        let init_key = peer.init_private_key(key_package);
        let joiner_secret = joiner_secret(&crypto, key_package, &init_key, welcome);
        peer.join(welcome, true);
        let group_info = peer.group_info(None, |_| true);
        let group_context = group_context(&mut Reader(&group_info[4..]))
            .unwrap()
            .whole
            .to_vec();
        let epoch_secret = epoch_secret(&crypto, &joiner_secret, &group_context);
        let leaf_index = peer.leaf_index();
        let encryption_secret = crypto.derive(&epoch_secret, "encryption");
        let secret = leaf_secret(&crypto, encryption_secret, leaf_index, peer.leaf_count());
        let first = |label| crypto.key_and_nonce(&crypto.derive(&secret, label), &0u32.to_be_bytes());
        let mut context = Reader(&group_context[4..]);
        Self {
            signing_key: peer.signing_key().to_vec(),
            guest: (guest.signing_key().to_vec(), guest.signature_key()),
            leaf_index,
            group_id: context.vector().unwrap().to_vec(),
            epoch: u64::from_be_bytes(context.take(8).unwrap().try_into().unwrap()),
            membership_key: crypto.derive(&epoch_secret, "membership"),
            sender_data_secret: crypto.derive(&epoch_secret, "sender data"),
            handshake: first("handshake"),
            application: first("application"),
            group_context,
        }
    }

    fn sign(&self, crypto: &Crypto, label: &str, content: &[u8]) -> Vec<u8> {
        crypto.sign(label, content, &self.signing_key)
    }

    pub fn sign_as_guest(&self, crypto: &Crypto, label: &str, content: &[u8]) -> Vec<u8> {
        crypto.sign(label, content, &self.guest.0)
    }

    pub fn guest(&self) -> &[u8] {
        &self.guest.0
    }

    pub fn guests_key(&self) -> &[u8] {
        &self.guest.1
    }

    /// An MLSMessage for her group.
    pub fn message(&self, crypto: &Crypto, forged: &Forged<'_>) -> Vec<u8> {
        let wire_format = if forged.private {
            PRIVATE_MESSAGE
        } else {
            PUBLIC_MESSAGE
        };
        let sender = match forged.sender {
            Sender::Member => [&[1][..], &self.leaf_index.to_be_bytes()].concat(),
            Sender::External => vec![2, 0, 0, 0, 0],
            Sender::NewMemberProposal => vec![3],
            Sender::NewMemberCommit => vec![4],
        };
        let framed = [
            &self.place()[..],
            &sender,
            &vector(forged.authenticated_data),
            &[forged.content_type],
            forged.content,
        ]
        .concat();
        let mut signed = message(wire_format, &[&framed]);
        if matches!(forged.sender, Sender::Member | Sender::NewMemberCommit) {
            signed.extend_from_slice(&self.group_context);
        }
        let signature = match forged.sender {
            Sender::Member | Sender::External => self.sign(crypto, "FramedContentTBS", &signed),
            _ => self.sign_as_guest(crypto, "FramedContentTBS", &signed),
        };
        let mut auth = vector(&signature);
        if forged.content_type == COMMIT {
            auth.extend(vector(forged.confirmation_tag));
        }
        if forged.private {
            return self.encrypt(crypto, forged, &auth);
        }
        let tag = match forged.sender {
            Sender::Member => vector(&crypto.mac(&self.membership_key, &[&signed[..], &auth].concat())),
            _ => Vec::new(),
        };
        message(PUBLIC_MESSAGE, &[&framed, &auth, &tag])
    }

    fn place(&self) -> Vec<u8> {
        [vector(&self.group_id), self.epoch.to_be_bytes().to_vec()].concat()
    }

    fn encrypt(&self, crypto: &Crypto, forged: &Forged<'_>, auth: &[u8]) -> Vec<u8> {
        let place = [&self.place()[..], &[forged.content_type]].concat();
        let keys = match forged.content_type {
            APPLICATION => &self.application,
            _ => &self.handshake,
        };
        let authenticated_data = vector(forged.authenticated_data);
        let ciphertext = crypto.seal(
            keys,
            &[forged.content, auth].concat(),
            &[&place[..], &authenticated_data].concat(),
        );
        // Generation and reuse guard are 0.
        let sender_data = [&self.leaf_index.to_be_bytes()[..], &[0; 8]].concat();
        let sample = &ciphertext[..HASH.min(ciphertext.len())];
        let sender_keys = crypto.key_and_nonce(&self.sender_data_secret, sample);
        let sender_data = crypto.seal(&sender_keys, &sender_data, &place);
        let parts: [&[u8]; 4] = [
            &place,
            &authenticated_data,
            &vector(&sender_data),
            &vector(&ciphertext),
        ];
        message(PRIVATE_MESSAGE, &parts)
    }

    /// A GroupInfo whose content before the signature is this.
    pub fn group_info(&self, crypto: &Crypto, content: &[u8]) -> Vec<u8> {
        let signature = self.sign(crypto, "GroupInfoTBS", content);
        message(GROUP_INFO, &[content, &vector(&signature)])
    }

    /// A Welcome for one key package: its GroupSecrets, and a GroupInfo of which the confirmation tag and the
    /// signature are put in where they belong.
    pub fn welcome(
        &self,
        crypto: &Crypto,
        key_package: &[u8],
        secrets: Option<&[u8]>,
        info: &[u8],
    ) -> Vec<u8> {
        const JOINER_SECRET: [u8; HASH] = [0x4a; HASH];
        let (confirmed, info) = confirm(crypto, &JOINER_SECRET, info);
        let info = match confirmed {
            true => [&info[..], &vector(&self.sign(crypto, "GroupInfoTBS", &info))].concat(),
            false => info,
        };
        let member_secret = crypto.extract(&JOINER_SECRET, &[0; HASH]);
        let welcome_secret = crypto.derive(&member_secret, "welcome");
        let encrypted_info = crypto.seal(&crypto.key_and_nonce(&welcome_secret, &[]), &info, &[]);
        // Neither a path secret nor PSKs.
        let honest = [vector(&JOINER_SECRET), vec![0, 0]].concat();
        let secrets = secrets.unwrap_or(&honest);
        let for_one = [
            vector(&crypto.key_package_reference(&key_package[4..])),
            crypto.encrypt("Welcome", &encrypted_info, init_key(key_package), secrets),
        ]
        .concat();
        // The ciphersuite is the key package's.
        message(
            WELCOME,
            &[&key_package[6..8], &vector(&for_one), &vector(&encrypted_info)],
        )
    }
}

/// The init key in a message with a key package, behind version, wire format, version and ciphersuite.
fn init_key(key_package: &[u8]) -> &[u8] {
    Reader(&key_package[8..]).vector().unwrap()
}

/// Splits a GroupInfo, in which the confirmation tag is missing, into what comes before and after it.
fn confirm(crypto: &Crypto, joiner_secret: &[u8], info: &[u8]) -> (bool, Vec<u8>) {
    let split = || {
        let mut reader = Reader(info);
        let context = group_context(&mut reader)?;
        reader.vector()?;
        Some((context, reader.since(Reader(info)), reader.0))
    };
    let Some((context, before, after)) = split() else {
        return (false, info.to_vec());
    };
    let epoch_secret = epoch_secret(crypto, joiner_secret, context.whole);
    let confirmation_key = crypto.derive(&epoch_secret, "confirm");
    let tag = crypto.mac(&confirmation_key, context.confirmed_transcript_hash);
    (true, [before, &vector(&tag), after].concat())
}

struct GroupContext<'b> {
    whole: &'b [u8],
    confirmed_transcript_hash: &'b [u8],
}

/// Takes a GroupContext off the front.
fn group_context<'b>(reader: &mut Reader<'b>) -> Option<GroupContext<'b>> {
    let start = *reader;
    // Version and ciphersuite, group id, epoch, tree hash.
    reader.take(4)?;
    reader.vector()?;
    reader.take(8)?;
    reader.vector()?;
    let confirmed_transcript_hash = reader.vector()?;
    reader.vector()?;
    Some(GroupContext {
        whole: reader.since(start),
        confirmed_transcript_hash,
    })
}

fn joiner_secret(crypto: &Crypto, key_package: &[u8], init_key: &[u8], welcome: &[u8]) -> Vec<u8> {
    let reference = crypto.key_package_reference(&key_package[4..]);
    // Version, wire format, ciphersuite.
    let mut reader = Reader(&welcome[6..]);
    let mut secrets = Reader(reader.vector().unwrap());
    let encrypted_info = reader.vector().unwrap();
    loop {
        let found = secrets.vector().unwrap() == reference;
        let start = secrets;
        secrets.vector().unwrap();
        secrets.vector().unwrap();
        if found {
            let opened = crypto.decrypt("Welcome", encrypted_info, init_key, secrets.since(start));
            return Reader(&opened).vector().unwrap().to_vec();
        }
    }
}

/// Without PSKs.
fn epoch_secret(crypto: &Crypto, joiner_secret: &[u8], group_context: &[u8]) -> Vec<u8> {
    let member_secret = crypto.extract(joiner_secret, &[0; HASH]);
    crypto.expand(&member_secret, "epoch", group_context, HASH)
}

/// Down the secret tree from its root (RFC 9420, section 9).
fn leaf_secret(crypto: &Crypto, root: Vec<u8>, leaf_index: u32, leaves: usize) -> Vec<u8> {
    let mut secret = root;
    let mut width = leaves.next_power_of_two() as u32;
    let mut leaf = leaf_index;
    while width > 1 {
        width /= 2;
        let side: &[u8] = if leaf < width { b"left" } else { b"right" };
        leaf %= width;
        secret = crypto.expand(&secret, "tree", side, HASH);
    }
    secret
}

/// The content of a message with a GroupInfo, as [`Mallory::welcome`] takes it.
pub fn without_tag_and_signature(message: &[u8]) -> Vec<u8> {
    let content = &message[4..];
    let mut reader = Reader(content);
    group_context(&mut reader).unwrap();
    reader.vector().unwrap();
    let before = reader.since(Reader(content));
    reader.vector().unwrap();
    [before, reader.take(4).unwrap()].concat()
}
