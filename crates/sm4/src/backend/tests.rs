//! Each backend that this CPU has against the standard's definition and against the portable one.

use std::{println, vec::Vec};

use super::schedule::{CK, FK};
use cipher::InOutBuf;

use super::*;

/// The cipher as the standard writes it, with its own S-box circuit replaced by field
/// arithmetic: the readable reference.
fn reference(key: &Block, block: &Block, decrypt: bool) -> Block {
    fn multiply(mut a: u16, mut b: u16) -> u16 {
        let mut r = 0;
        while b != 0 {
            r ^= if b & 1 == 1 { a } else { 0 };
            a = (a << 1) ^ if a & 0x80 == 0 { 0 } else { 0x1f5 };
            b >>= 1;
        }
        r
    }
    fn affine(x: u8) -> u8 {
        (0..8).fold(0xd3, |y, i| y ^ (((x & 0xa7u8.rotate_left(i)).count_ones() as u8 & 1) << i))
    }
    fn s(x: u8) -> u8 {
        let x = u16::from(affine(x));
        affine((0..254).fold(1, |r, _| multiply(r, x)) as u8)
    }
    fn tau(x: u32) -> u32 {
        u32::from_be_bytes(x.to_be_bytes().map(s))
    }
    let words = |b: &Block| -> [u32; 4] {
        core::array::from_fn(|i| u32::from_be_bytes(b.as_chunks::<4>().0[i]))
    };

    let mut k = words(key);
    k.iter_mut().zip(FK).for_each(|(k, fk)| *k ^= fk);
    let mut rk = [0; 32];
    for (i, rk) in rk.iter_mut().enumerate() {
        k[0] ^= l_prime(tau(k[1] ^ k[2] ^ k[3] ^ CK[i]));
        *rk = k[0];
        k.rotate_left(1);
    }
    if decrypt {
        rk.reverse();
    }
    let mut x = words(block);
    for rk in rk {
        x[0] ^= l(tau(x[1] ^ x[2] ^ x[3] ^ rk));
        x.rotate_left(1);
    }
    let mut out = [0; 16];
    for (bytes, word) in out.as_chunks_mut::<4>().0.iter_mut().zip(x.iter().rev()) {
        *bytes = word.to_be_bytes();
    }
    out
}

const fn l(b: u32) -> u32 {
    b ^ b.rotate_left(2) ^ b.rotate_left(10) ^ b.rotate_left(18) ^ b.rotate_left(24)
}

const fn l_prime(b: u32) -> u32 {
    b ^ b.rotate_left(13) ^ b.rotate_left(23)
}

/// All that can run here; the others are named, for nobody must think that they were tested.
fn runnable() -> Vec<(&'static str, &'static dyn Backend)> {
    candidates()
        .filter_map(|(name, detect)| {
            let backend = detect();
            if backend.is_none() {
                println!("NOT RUN: {name}, this CPU has not got what it needs");
            }
            Some((*name, backend?))
        })
        .collect()
}

fn blocks(count: usize) -> Vec<Block> {
    (0..count).map(|n| core::array::from_fn(|i| ((n * 16 + i) % 251) as u8)).collect()
}

#[test]
fn every_count_of_blocks_equals_the_reference() {
    let key: Block = core::array::from_fn(|i| (i * 37 + 11) as u8);
    let all = blocks(3 * PARALLEL_BLOCKS + 9);
    let want: Vec<Block> = all.iter().map(|block| reference(&key, block, false)).collect();
    for (name, backend) in runnable() {
        let cipher = Key::with(backend, &key);
        for count in 0..=all.len() {
            let mut got = all[..count].to_vec();
            cipher.encrypt_blocks(&mut got);
            assert_eq!(got, want[..count], "{name}, {count} blocks");
            cipher.decrypt_blocks(&mut got);
            assert_eq!(got, all[..count], "{name}, {count} blocks");
        }
    }
}

#[test]
fn decryption_and_other_keys_equal_the_reference() {
    for (name, backend) in runnable() {
        for seed in 0..200_u8 {
            let key: Block = core::array::from_fn(|i| seed.wrapping_mul(167) ^ (i as u8) << 3);
            let mut got = [[seed; 16]];
            Key::with(backend, &key).decrypt_blocks(&mut got);
            assert_eq!(got[0], reference(&key, &[seed; 16], true), "{name}, seed {seed}");
        }
    }
}

#[test]
fn every_byte_value_goes_through_every_s_box() {
    let key = [0xa5; 16];
    let all: Vec<Block> = (0..=255).map(|byte| [byte; 16]).collect();
    for (name, backend) in runnable() {
        let mut got = all.clone();
        Key::with(backend, &key).encrypt_blocks(&mut got);
        for (got, plain) in got.iter().zip(&all) {
            assert_eq!(*got, reference(&key, plain, false), "{name}");
        }
    }
}

#[test]
fn every_ghash_equals_the_portable_one() {
    for h in [[0; 16], [0xff; 16], core::array::from_fn(|i| (i * 91 + 7) as u8)] {
        let portable = &portable::Portable;
        for (name, backend) in runnable() {
            let (key, portable_key) = (backend.hash_key(&h), portable.hash_key(&h));
            for count in 0..70 {
                let (mut got, mut want) = ([0x5a; 16], [0x5a; 16]);
                backend.hash(&key, &mut got, &blocks(count));
                portable.hash(&portable_key, &mut want, &blocks(count));
                assert_eq!(got, want, "{name}, {count} blocks");
            }
        }
    }
}

/// Each count of blocks either side of each kernel's group, in place and from buffer to buffer.
#[test]
fn counter_mode_is_the_encryption_of_the_counters() {
    let key = [0x3c; 16];
    let mut counter = [0xee; 16];
    // The last ones wrap on the way: in the middle of a wide group, and of a narrow one.
    for first in [0, 1, 0x00ff_fff7, u32::MAX - 149, u32::MAX - 37, u32::MAX - 2] {
        counter.as_chunks_mut().0[3] = u32::to_be_bytes(first);
        let mut stream = [[0; 16]; 150];
        fill_counters(&mut stream, &counter, first);
        stream.iter_mut().for_each(|block| *block = reference(&key, block, false));
        for (name, backend) in runnable() {
            let cipher = Key::with(backend, &key);
            for count in 0..=stream.len() {
                let plain = blocks(count);
                let want: Vec<u8> = plain
                    .as_flattened()
                    .iter()
                    .zip(stream.as_flattened())
                    .map(|(p, s)| p ^ s)
                    .collect();
                let (mut apart, mut in_place) = (std::vec![[0; 16]; count], plain.clone());
                let chunks = |data| InOutBuf::into_chunks(data).0;
                let from = plain.as_flattened();
                let data = InOutBuf::new(from, apart.as_flattened_mut()).unwrap();
                cipher.ctr(&counter, chunks(data));
                cipher.ctr(&counter, chunks(in_place.as_flattened_mut().into()));
                assert!(apart.as_flattened() == want, "{name}, {count} blocks, apart");
                assert!(in_place.as_flattened() == want, "{name}, {count} blocks, in place");
            }
        }
    }
}

/// Data need not be aligned.
#[test]
fn unaligned_data() {
    let key = [0x3c; 16];
    for (name, backend) in runnable() {
        let cipher = Key::with(backend, &key);
        let mut bytes = std::vec![0; 16 * 65 + 16];
        for offset in 1..16 {
            let data = &mut bytes[offset..][..16 * 65];
            data.fill(7);
            cipher.encrypt_blocks(data.as_chunks_mut().0);
            let want = reference(&key, &[7; 16], false);
            assert!(data.as_chunks().0.iter().all(|block| *block == want), "{name}, {offset}");
        }
    }
}

/// Each count of blocks either side of each kernel's group.
#[test]
fn masked_blocks() {
    let key = [0x3c; 16];
    let masks: Vec<Block> = blocks(150).iter().map(|block| block.map(|byte| !byte)).collect();
    let portable = Key::with(&portable::Portable, &key);
    for (name, backend) in runnable() {
        let cipher = Key::with(backend, &key);
        for count in 0..=masks.len() {
            for decrypt in [false, true] {
                let (mut got, mut want) = (blocks(count), blocks(count));
                cipher.masked(&mut got, &masks[..count], decrypt);
                portable.masked(&mut want, &masks[..count], decrypt);
                assert!(got == want, "{name}, {count} blocks, decrypt {decrypt}");
            }
        }
    }
}
