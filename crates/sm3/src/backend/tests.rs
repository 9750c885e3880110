//! Each backend that this CPU has against the portable one.

use std::{println, vec::Vec};

use super::*;
use crate::consts::IV;

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

/// Bytes with a period of 251: blocks that change places show.
fn blocks(count: usize, seed: usize) -> Vec<Block> {
    (0..count).map(|n| core::array::from_fn(|i| ((n * 64 + i + seed * 31) % 251) as u8)).collect()
}

#[test]
fn one_message() {
    for (name, backend) in runnable() {
        for count in 0..6 {
            let (mut got, mut want) = (IV, IV);
            backend.compress(&mut got, &blocks(count, 0));
            portable::Portable.compress(&mut want, &blocks(count, 0));
            assert_eq!(got, want, "{name}, {count} blocks");
        }
    }
}

#[test]
fn a_message_per_lane() {
    for (name, backend) in runnable() {
        for count in 0..6 {
            let messages: Vec<Vec<Block>> = (0..MAX_LANES).map(|i| blocks(count, i)).collect();
            let mut states: Lanes =
                core::array::from_fn(|i| core::array::from_fn(|j| IV[i].rotate_left(j as u32)));
            let before = states;
            backend.compress_lanes(&mut states, &core::array::from_fn(|i| &messages[i][..]));
            for lane in 0..backend.lanes() {
                let mut want = before.map(|words| words[lane]);
                portable::Portable.compress(&mut want, &messages[lane]);
                assert_eq!(states.map(|words| words[lane]), want, "{name}, lane {lane}, {count}");
            }
        }
    }
}
