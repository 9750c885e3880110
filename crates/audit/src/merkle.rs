//! The Merkle tree of RFC 6962 (section 2.1) over SM3, and its proofs.

mod edge;
mod proof;

use gmkit_sm3::{digest, hash_many};

pub(crate) use edge::{Edge, Tile};
pub(crate) use proof::{Hashes, consistency, inclusion, range};
pub use proof::{verify_consistency, verify_inclusion};

/// SM3 of a leaf or of a node.
pub type Hash = [u8; 32];

/// Of how many hashes a full tile is made (C2SP tlog-tiles).
pub(crate) const WIDTH: usize = 256;

/// The hash of a record: SM3(0x00 || record).
#[must_use]
pub fn leaf_hash(record: &[u8]) -> Hash {
    digest(&[&[0], record])
}

/// The hash of two neighbours: SM3(0x01 || left || right).
#[must_use]
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    digest(&[&[1], left, right])
}

/// The root of the tree without leaves: SM3 of nothing.
#[must_use]
pub fn empty_root() -> Hash {
    digest(&[])
}

/// The hashes of many records at once, in vectors.
pub(crate) fn leaf_hashes(records: &[impl AsRef<[u8]>]) -> Vec<Hash> {
    let messages: Vec<Vec<u8>> =
        records.iter().map(|record| [&[0], record.as_ref()].concat()).collect();
    let messages: Vec<&[u8]> = messages.iter().map(Vec::as_slice).collect();
    let mut hashes = vec![[0; 32]; messages.len()];
    hash_many(&messages, &mut hashes);
    hashes
}

/// The hashes of pairs, in vectors; of an odd number the last is left out.
pub(crate) fn parents(hashes: &[Hash]) -> Vec<Hash> {
    let (pairs, _) = hashes.as_chunks::<2>();
    let messages: Vec<[u8; 65]> = pairs
        .iter()
        .map(|[left, right]| {
            let mut message = [1; 65];
            message[1..33].copy_from_slice(left);
            message[33..].copy_from_slice(right);
            message
        })
        .collect();
    let messages: Vec<&[u8]> = messages.iter().map(<[u8; 65]>::as_slice).collect();
    let mut parents = vec![[0; 32]; messages.len()];
    hash_many(&messages, &mut parents);
    parents
}

/// The root over hashes that are a power of two in number.
pub(crate) fn perfect_root(hashes: &[Hash]) -> Hash {
    debug_assert!(hashes.len().is_power_of_two());
    if let [hash] = hashes {
        return *hash;
    }
    let mut row = parents(hashes);
    while row.len() > 1 {
        row = parents(&row);
    }
    row[0]
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// MTH of RFC 6962, word for word.
    pub(crate) fn mth(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => empty_root(),
            [leaf] => *leaf,
            _ => {
                let k = leaves.len().next_power_of_two() / 2;
                node_hash(&mth(&leaves[..k]), &mth(&leaves[k..]))
            }
        }
    }

    pub(crate) fn leaves(n: usize) -> Vec<Hash> {
        leaf_hashes(&(0..n).map(|i| i.to_string()).collect::<Vec<_>>())
    }

    #[test]
    fn many_hashes_are_the_same_as_one() {
        let hashes = leaves(70);
        assert_eq!(hashes[69], leaf_hash(b"69"));
        assert_eq!(parents(&hashes)[34], node_hash(&hashes[68], &hashes[69]));
        assert_eq!(perfect_root(&hashes[..64]), mth(&hashes[..64]));
    }
}
