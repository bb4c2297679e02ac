//! A group with a filled tree, as it is after everybody has committed once, put together from outside (RFC 9420, sections
//! 7 and 12.4.3): thousands of members and their Commits would take hours. Nobody has the private keys of its nodes.

use openmls_libcrux_crypto::CryptoProvider;
use openmls_traits::{
    crypto::OpenMlsCrypto,
    random::OpenMlsRand,
    types::{HashType, SignatureScheme},
};

/// Suite 0x0003.
const SUITE: u16 = 3;
const DAY: u64 = 24 * 60 * 60;

/// What is needed to make one.
struct Maker<'a> {
    crypto: &'a CryptoProvider,
    group: &'a [u8],
    now: u64,
    members: u32,
    /// The nodes from left to right, as the extension `ratchet_tree` has them.
    nodes: Vec<Option<Vec<u8>>>,
    /// Of the first member, who signs the GroupInfo.
    first_key: Vec<u8>,
}

/// A vector with its length (RFC 9420, section 2.1.2).
fn vector(out: &mut Vec<u8>, bytes: &[u8]) {
    let length = u32::try_from(bytes.len()).unwrap();
    match length {
        0..=0x3f => out.push(u8::try_from(length).unwrap()),
        0x40..=0x3fff => out.extend((u16::try_from(length).unwrap() | 0x4000).to_be_bytes()),
        _ => out.extend((length | 0x8000_0000).to_be_bytes()),
    }
    out.extend(bytes);
}

fn optional(out: &mut Vec<u8>, value: Option<&[u8]>) {
    out.push(u8::from(value.is_some()));
    out.extend(value.unwrap_or_default());
}

impl Maker<'_> {
    fn random(&self) -> Vec<u8> {
        self.crypto.random_vec(32).unwrap()
    }

    fn hash(&self, bytes: &[u8]) -> Vec<u8> {
        self.crypto.hash(HashType::Sha2_256, bytes).unwrap()
    }

    /// `SignWithLabel`.
    fn sign(&self, key: &[u8], label: &str, content: &[u8]) -> Vec<u8> {
        let mut signed = Vec::new();
        vector(&mut signed, format!("MLS 1.0 {label}").as_bytes());
        vector(&mut signed, content);
        self.crypto.sign(SignatureScheme::ED25519, &signed, key).unwrap()
    }

    /// A leaf: of a Commit where a parent hash is to be vouched for, else of a key package.
    fn leaf(&mut self, index: u32, parent_hash: Option<&[u8]>) -> Vec<u8> {
        let (private, public) = self.crypto.signature_key_gen(SignatureScheme::ED25519).unwrap();
        let mut leaf = Vec::new();
        vector(&mut leaf, &self.random());
        vector(&mut leaf, &public);
        leaf.extend(1_u16.to_be_bytes());
        vector(&mut leaf, format!("member {index}").as_bytes());
        // Versions, suites, extensions, proposals, credentials.
        for types in [&[1_u16] as &[_], &[SUITE], &[], &[], &[1]] {
            let types: Vec<u8> = types.iter().flat_map(|it| it.to_be_bytes()).collect();
            vector(&mut leaf, &types);
        }
        match parent_hash {
            None => {
                leaf.push(1);
                leaf.extend((self.now - DAY).to_be_bytes());
                leaf.extend((self.now + 80 * DAY).to_be_bytes());
            }
            Some(parent_hash) => {
                leaf.push(3);
                vector(&mut leaf, parent_hash);
            }
        }
        vector(&mut leaf, &[]);
        let mut signed = leaf.clone();
        if parent_hash.is_some() {
            vector(&mut signed, self.group);
            signed.extend(index.to_be_bytes());
        }
        let signature = self.sign(&private, "LeafNodeTBS", &signed);
        vector(&mut leaf, &signature);
        if index == 0 {
            self.first_key = private;
        }
        leaf
    }

    /// Makes the subtree of `width` leaves from `first` on and returns its tree hash. `parent_hash` is what its topmost
    /// node has to carry, if it is the one of two siblings that vouches for the nodes above.
    fn subtree(&mut self, first: u32, width: u32, parent_hash: Option<&[u8]>) -> Vec<u8> {
        if width == 1 {
            let leaf = (first < self.members).then(|| self.leaf(first, parent_hash));
            let mut input = vec![1];
            input.extend(first.to_be_bytes());
            optional(&mut input, leaf.as_deref());
            let place = usize::try_from(first).unwrap() * 2;
            self.nodes[place] = leaf.map(|leaf| [vec![1], leaf].concat());
            return self.hash(&input);
        }
        let half = width / 2;
        let place = usize::try_from(first + half).unwrap() * 2 - 1;
        let right = self.subtree(first + half, half, None);
        // A node over an empty half stays blank (the filtered direct path, section 4.2).
        let filled = first + half < self.members;
        let mut parent = None;
        let mut vouched = parent_hash.map(<[u8]>::to_vec);
        if filled {
            let (key, above) = (self.random(), parent_hash.unwrap_or_default());
            let mut node = Vec::new();
            vector(&mut node, &key);
            vector(&mut node, above);
            let mut input = node.clone();
            vector(&mut input, &right);
            vouched = Some(self.hash(&input));
            // No unmerged leaves.
            vector(&mut node, &[]);
            self.nodes[place] = Some([vec![2], node.clone()].concat());
            parent = Some(node);
        }
        let left = self.subtree(first, half, vouched.as_deref());
        let mut input = vec![2];
        optional(&mut input, parent.as_deref());
        vector(&mut input, &left);
        vector(&mut input, &right);
        self.hash(&input)
    }

    fn ratchet_tree(&mut self) -> Vec<u8> {
        let end = usize::try_from(self.members).unwrap() * 2 - 1;
        let mut nodes = Vec::new();
        for node in &self.nodes[..end] {
            optional(&mut nodes, node.as_deref());
        }
        let mut tree = Vec::new();
        vector(&mut tree, &nodes);
        tree
    }
}

fn extension(out: &mut Vec<u8>, number: u16, content: &[u8]) {
    out.extend(number.to_be_bytes());
    vector(out, content);
}

/// The GroupInfo, with tree, of a group of so many members, as an MLSMessage. `now` is in seconds since 1970.
pub(crate) fn group_info(crypto: &CryptoProvider, group: &[u8], members: u32, now: u64) -> Vec<u8> {
    let width = members.next_power_of_two();
    let mut maker = Maker {
        crypto,
        group,
        now,
        members,
        nodes: vec![None; usize::try_from(width).unwrap() * 2 - 1],
        first_key: Vec::new(),
    };
    let tree_hash = maker.subtree(0, width, None);
    let tree = maker.ratchet_tree();

    // GroupContext: version, suite, id, epoch, tree hash, transcript hash, extensions.
    let mut info = Vec::from(1_u16.to_be_bytes());
    info.extend(SUITE.to_be_bytes());
    vector(&mut info, group);
    info.extend(u64::from(members).to_be_bytes());
    vector(&mut info, &tree_hash);
    vector(&mut info, &maker.random());
    vector(&mut info, &[]);
    let mut extensions = Vec::new();
    extension(&mut extensions, 2, &tree);
    let mut external_pub = Vec::new();
    vector(&mut external_pub, &maker.random());
    extension(&mut extensions, 4, &external_pub);
    vector(&mut info, &extensions);
    // The confirmation tag, which only members can check; then the signer.
    vector(&mut info, &maker.random());
    info.extend(0_u32.to_be_bytes());
    let signature = maker.sign(&maker.first_key, "GroupInfoTBS", &info);
    vector(&mut info, &signature);
    // An MLSMessage of version 1 that carries a GroupInfo.
    [&[0, 1, 0, 4], info.as_slice()].concat()
}
