//! One message: the portable code, compiled with rotations that keep their input (RORX) and with
//! ANDN. Those are what a step waits for.

use super::{Block, portable};

#[target_feature(enable = "bmi1,bmi2")]
pub(super) fn compress(state: &mut [u32; 8], blocks: &[Block]) {
    portable::compress(state, blocks);
}
