//! Proofs that a record is in a tree, and that a tree has grown from another one (RFC 6962, 2.1.1 and
//! 2.1.2; verified as RFC 9162, 2.1.3.2 and 2.1.4.2).

use super::{Hash, node_hash};
use crate::Error;

/// Where the hashes of a tree come from.
pub(crate) trait Hashes {
    /// The root over the 2^`level` leaves from `index`·2^`level` on.
    ///
    /// # Errors
    /// What reading them says.
    fn node(&mut self, level: u32, index: u64) -> Result<Hash, Error>;
}

/// The root over the leaves from `start` to before `end`, which are one at least. The start is that of a
/// perfect tree as wide as the range, as in any tree of RFC 6962.
pub(crate) fn range(hashes: &mut impl Hashes, start: u64, end: u64) -> Result<Hash, Error> {
    let width = end - start;
    if width.is_power_of_two() {
        let level = width.trailing_zeros();
        return hashes.node(level, start >> level);
    }
    let middle = start + split(width);
    let (left, right) = (range(hashes, start, middle)?, range(hashes, middle, end)?);
    Ok(node_hash(&left, &right))
}

/// The largest power of two below `width`, which is two at least.
fn split(width: u64) -> u64 {
    1 << (width - 1).ilog2()
}

/// The path from a leaf to the root of the tree with `size` leaves, sibling of the leaf first.
pub(crate) fn inclusion(
    hashes: &mut impl Hashes,
    index: u64,
    size: u64,
) -> Result<Vec<Hash>, Error> {
    let (mut start, mut end) = (0, size);
    let mut path = Vec::new();
    while end - start > 1 {
        let middle = start + split(end - start);
        if index < middle {
            path.push(range(hashes, middle, end)?);
            end = middle;
        } else {
            path.push(range(hashes, start, middle)?);
            start = middle;
        }
    }
    path.reverse();
    Ok(path)
}

/// The proof that the tree with `size` leaves begins with that of `old` leaves; empty for `old` = 0 and for
/// the same size.
pub(crate) fn consistency(
    hashes: &mut impl Hashes,
    old: u64,
    size: u64,
) -> Result<Vec<Hash>, Error> {
    let mut proof = Vec::new();
    if old == 0 || old >= size {
        return Ok(proof);
    }
    let (mut start, mut end) = (0, size);
    // Whether what is left of the old tree is all of it: its root is known to who asks.
    let mut whole = true;
    while old != end {
        let middle = start + split(end - start);
        if old <= middle {
            proof.push(range(hashes, middle, end)?);
            end = middle;
        } else {
            proof.push(range(hashes, start, middle)?);
            start = middle;
            whole = false;
        }
    }
    if !whole {
        proof.push(range(hashes, start, end)?);
    }
    proof.reverse();
    Ok(proof)
}

/// Checks that a leaf is at `index` of the tree with `size` leaves and this root.
///
/// # Errors
/// [`Error::Rejected`].
pub fn verify_inclusion(
    leaf: &Hash,
    index: u64,
    size: u64,
    root: &Hash,
    path: &[Hash],
) -> Result<(), Error> {
    if index >= size {
        return Err(Error::Rejected);
    }
    let (mut node, mut last, mut hash) = (index, size - 1, *leaf);
    for other in path {
        if last == 0 {
            return Err(Error::Rejected);
        }
        if node & 1 == 1 || node == last {
            hash = node_hash(other, &hash);
            while node & 1 == 0 && node != 0 {
                (node, last) = (node >> 1, last >> 1);
            }
        } else {
            hash = node_hash(&hash, other);
        }
        (node, last) = (node >> 1, last >> 1);
    }
    match last == 0 && hash == *root {
        true => Ok(()),
        false => Err(Error::Rejected),
    }
}

/// Checks that the tree with `size` leaves and `root` begins with the one with `old` leaves and `old_root`.
///
/// # Errors
/// [`Error::Rejected`].
pub fn verify_consistency(
    old: u64,
    old_root: &Hash,
    size: u64,
    root: &Hash,
    proof: &[Hash],
) -> Result<(), Error> {
    let holds = match (old, proof) {
        _ if old > size => false,
        (0, []) => *old_root == super::empty_root(),
        (_, []) => old == size && old_root == root,
        (0, _) => false,
        _ if old == size => false,
        _ => grows(old, old_root, size, root, proof),
    };
    if holds { Ok(()) } else { Err(Error::Rejected) }
}

fn grows(old: u64, old_root: &Hash, size: u64, root: &Hash, proof: &[Hash]) -> bool {
    let (mut node, mut last) = (old - 1, size - 1);
    while node & 1 == 1 {
        (node, last) = (node >> 1, last >> 1);
    }
    let (first, rest) = match (old.is_power_of_two(), proof) {
        (true, rest) => (old_root, rest),
        (false, [first, rest @ ..]) => (first, rest),
        (false, []) => return false,
    };
    let (mut old_hash, mut hash) = (*first, *first);
    for other in rest {
        if last == 0 {
            return false;
        }
        if node & 1 == 1 || node == last {
            old_hash = node_hash(other, &old_hash);
            hash = node_hash(other, &hash);
            while node & 1 == 0 && node != 0 {
                (node, last) = (node >> 1, last >> 1);
            }
        } else {
            hash = node_hash(&hash, other);
        }
        (node, last) = (node >> 1, last >> 1);
    }
    last == 0 && old_hash == *old_root && hash == *root
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merkle::tests::{leaves, mth};

    impl Hashes for &[Hash] {
        fn node(&mut self, level: u32, index: u64) -> Result<Hash, Error> {
            let (start, width) = ((index << level) as usize, 1 << level);
            Ok(mth(&self[start..start + width]))
        }
    }

    #[test]
    fn every_proof_of_small_trees() {
        let leaves = leaves(40);
        for size in 1..=leaves.len() as u64 {
            let tree = &leaves[..size as usize];
            let root = mth(tree);
            for index in 0..size {
                let leaf = &tree[index as usize];
                let path = inclusion(&mut &*tree, index, size).unwrap();
                verify_inclusion(leaf, index, size, &root, &path).unwrap();
                for (i, s) in
                    [(index + 1, size), (index, size + 1), (index, size - 1), (index ^ 1, size)]
                {
                    // A path of the same shape proves the same of another size; the root is not the same.
                    let other =
                        if s as usize <= leaves.len() { mth(&leaves[..s as usize]) } else { root };
                    if (i, s) != (index, size) && (i != index || other != root) {
                        assert!(verify_inclusion(leaf, i, s, &other, &path).is_err(), "{i} {s}");
                    }
                }
                for k in 0..path.len() {
                    let mut wrong = path.clone();
                    wrong[k][7] ^= 1;
                    assert!(verify_inclusion(leaf, index, size, &root, &wrong).is_err());
                    wrong = path.clone();
                    wrong.remove(k);
                    assert!(verify_inclusion(leaf, index, size, &root, &wrong).is_err());
                }
                let longer = [&path[..], &[root]].concat();
                assert!(verify_inclusion(leaf, index, size, &root, &longer).is_err());
            }
            for old in 0..=size {
                let old_root = mth(&leaves[..old as usize]);
                let proof = consistency(&mut &*tree, old, size).unwrap();
                verify_consistency(old, &old_root, size, &root, &proof).unwrap();
                for k in 0..proof.len() {
                    let mut wrong = proof.clone();
                    wrong[k][9] ^= 1;
                    assert!(verify_consistency(old, &old_root, size, &root, &wrong).is_err());
                    wrong.remove(k);
                    assert!(verify_consistency(old, &old_root, size, &root, &wrong).is_err());
                }
                let longer = [&proof[..], &[root]].concat();
                assert!(verify_consistency(old, &old_root, size, &root, &longer).is_err());
                let mut other = old_root;
                other[0] ^= 1;
                assert!(verify_consistency(old, &other, size, &root, &proof).is_err());
                if old < size {
                    assert!(verify_consistency(size, &root, old, &old_root, &proof).is_err());
                }
            }
        }
    }
}
