//! Cuts an encoded value at the elements of its long lists, so that what changes in one element changes one piece.
//!
//! Works on the MessagePack that the codec writes and knows nothing of what is in it. Lists are cut by position, so a
//! piece stays what it is when others grow.

use std::ops::Range;

/// Elements of a long list in a piece. Part of the file format only as far as a value is written again when it changes.
pub(super) const CHUNK: usize = 16;
/// How deep lists are looked for; those of a ratchet tree are in the second level.
const DEPTH: usize = 3;

/// A long list, and where its pieces stand in the value, one after the other.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct LongList {
    pub(super) pieces: Vec<Range<usize>>,
}

/// The long lists of a value, in its order; `None` for what the codec does not write.
pub(super) fn long_lists(value: &[u8]) -> Option<Vec<LongList>> {
    let mut found = Vec::new();
    let end = look(value, 0, DEPTH, &mut found)?;
    (end == value.len()).then_some(found)
}

/// Looks for long lists in the item at `at`, and tells where it ends.
fn look(value: &[u8], at: usize, depth: usize, found: &mut Vec<LongList>) -> Option<usize> {
    let Item {
        header,
        content: Content::List(elements),
    } = item(value.get(at..)?)?
    else {
        return skip(value, at, 1);
    };
    let mut end = at + header;
    if elements <= CHUNK {
        for _ in 0..elements {
            end = match depth {
                0 => skip(value, end, 1),
                _ => look(value, end, depth - 1, found),
            }?;
        }
        return Some(end);
    }
    let mut pieces = Vec::with_capacity(elements.div_ceil(CHUNK));
    for first in (0..elements).step_by(CHUNK) {
        let begin = end;
        end = skip(value, begin, CHUNK.min(elements - first))?;
        pieces.push(begin..end);
    }
    found.push(LongList { pieces });
    Some(end)
}

/// Where the `items` items from `at` on end.
fn skip(value: &[u8], mut at: usize, mut items: usize) -> Option<usize> {
    while items > 0 {
        let Item { header, content } = item(value.get(at..)?)?;
        items -= 1;
        at += header;
        match content {
            Content::Bytes(length) => at = at.checked_add(length)?,
            Content::List(elements) => items = items.checked_add(elements)?,
            Content::Map(pairs) => items = items.checked_add(pairs.checked_mul(2)?)?,
        }
    }
    (at <= value.len()).then_some(at)
}

struct Item {
    header: usize,
    content: Content,
}

/// What follows an item's header.
enum Content {
    Bytes(usize),
    List(usize),
    Map(usize),
}

/// The item that `bytes` begin with.
fn item(bytes: &[u8]) -> Option<Item> {
    let (marker, rest) = bytes.split_first()?;
    let sized = |length: usize, content: fn(usize) -> Content| {
        let size = rest.get(..length)?;
        Some(Item {
            header: 1 + length,
            content: content(size.iter().fold(0, |size, byte| size << 8 | usize::from(*byte))),
        })
    };
    let fixed = |content| Some(Item { header: 1, content });
    match *marker {
        0x00..=0x7f | 0xe0..=0xff | 0xc0 | 0xc2 | 0xc3 => fixed(Content::Bytes(0)),
        0x80..=0x8f => fixed(Content::Map(usize::from(marker & 0x0f))),
        0x90..=0x9f => fixed(Content::List(usize::from(marker & 0x0f))),
        0xa0..=0xbf => fixed(Content::Bytes(usize::from(marker & 0x1f))),
        0xcc | 0xd0 => fixed(Content::Bytes(1)),
        0xcd | 0xd1 => fixed(Content::Bytes(2)),
        0xca | 0xce | 0xd2 => fixed(Content::Bytes(4)),
        0xcb | 0xcf | 0xd3 => fixed(Content::Bytes(8)),
        0xc4 | 0xd9 => sized(1, Content::Bytes),
        0xc5 | 0xda => sized(2, Content::Bytes),
        0xc6 | 0xdb => sized(4, Content::Bytes),
        0xdc => sized(2, Content::List),
        0xdd => sized(4, Content::List),
        0xde => sized(2, Content::Map),
        0xdf => sized(4, Content::Map),
        // Extension types, which serde has no word for.
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use serde::Serialize;

    use super::{CHUNK, long_lists};
    use crate::storage::codec;

    #[derive(Serialize)]
    struct Tree {
        nodes: Nodes,
        hash: Vec<u8>,
    }

    #[derive(Serialize)]
    struct Nodes {
        leaves: Vec<Option<Vec<u8>>>,
        parents: Vec<Vec<u16>>,
        default: Option<u8>,
    }

    fn tree(leaves: usize, parents: usize) -> Tree {
        Tree {
            nodes: Nodes {
                leaves: (0..leaves)
                    .map(|n| (n % 3 > 0).then(|| vec![n as u8; n % 70]))
                    .collect(),
                parents: (0..parents).map(|n| vec![n as u16; n % 5]).collect(),
                default: None,
            },
            hash: vec![7; 32],
        }
    }

    #[test]
    fn long_lists_are_cut_every_sixteen_elements_and_short_ones_are_not() {
        for (leaves, parents, expected) in [
            (0, 0, vec![]),
            (CHUNK, CHUNK - 1, vec![]),
            (CHUNK + 1, CHUNK, vec![2]),
            (5 * CHUNK, 5 * CHUNK - 1, vec![5, 5]),
            (70_000, 3, vec![4375]),
        ] {
            let encoded = codec::encode(&tree(leaves, parents)).unwrap();
            let lists = long_lists(&encoded).unwrap();
            let pieces: Vec<usize> = lists.iter().map(|list| list.pieces.len()).collect();
            assert_eq!(pieces, expected, "{leaves} leaves, {parents} parents");
        }
    }

    #[test]
    fn a_changed_element_changes_its_piece_and_a_longer_list_no_other() {
        let cut = |tree: &Tree| {
            let encoded = codec::encode(tree).unwrap();
            let lists = long_lists(&encoded).unwrap();
            let pieces = lists.iter().enumerate().flat_map(|(list, it)| {
                let bytes = it.pieces.iter().map(|range| encoded[range.clone()].to_vec());
                bytes.enumerate().map(move |(n, bytes)| ((list, n), bytes))
            });
            pieces.collect::<BTreeMap<_, _>>()
        };
        let before = cut(&tree(100, 99));
        let mut changed = tree(100, 99);
        changed.nodes.leaves[40] = Some(vec![1; 500]);
        changed.nodes.leaves.push(None);
        let after = cut(&changed);
        let differ: Vec<_> = after
            .keys()
            .filter(|key| after.get(key) != before.get(key))
            .collect();
        assert_eq!(differ, [&(0, 40 / CHUNK), &(0, 100 / CHUNK)]);
    }

    #[test]
    fn what_is_cut_off_or_follows_is_refused() {
        let encoded = codec::encode(&tree(40, 39)).unwrap();
        for end in 0..encoded.len() {
            assert_eq!(long_lists(&encoded[..end]), None, "{end} bytes");
        }
        assert_eq!(long_lists(&[&encoded[..], &[0xc0]].concat()), None);
    }

    /// Everything that serde can say.
    #[derive(Clone, Debug, Serialize)]
    enum Any {
        Unit,
        Bool(bool),
        Signed(i64),
        Unsigned(u64),
        Float(f64),
        Single(f32),
        Text(String),
        Bytes(Vec<u8>),
        List(Vec<Any>),
        Map(BTreeMap<u32, Any>),
        Pair { left: Box<Any>, right: Option<Box<Any>> },
    }

    fn any_value() -> impl Strategy<Value = Any> {
        let leaf = prop_oneof![
            Just(Any::Unit),
            any::<bool>().prop_map(Any::Bool),
            any::<i64>().prop_map(Any::Signed),
            any::<u64>().prop_map(Any::Unsigned),
            any::<f64>().prop_map(Any::Float),
            any::<f32>().prop_map(Any::Single),
            ".{0,300}".prop_map(Any::Text),
            proptest::collection::vec(any::<u8>(), 0..300).prop_map(Any::Bytes),
        ];
        leaf.prop_recursive(4, 64, 40, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..40).prop_map(Any::List),
                proptest::collection::btree_map(any::<u32>(), inner.clone(), 0..20).prop_map(Any::Map),
                (inner.clone(), proptest::option::of(inner)).prop_map(|(left, right)| Any::Pair {
                    left: Box::new(left),
                    right: right.map(Box::new)
                }),
            ]
        })
    }

    proptest! {
        #[test]
        fn whatever_the_codec_writes_is_followed_to_its_end(value in any_value()) {
            let encoded = codec::encode(&value).unwrap();
            let lists = long_lists(&encoded).unwrap();
            let mut end = 0;
            for piece in lists.iter().flat_map(|list| &list.pieces) {
                prop_assert!(end <= piece.start && piece.start < piece.end && piece.end <= encoded.len());
                end = piece.end;
            }
        }
    }
}
