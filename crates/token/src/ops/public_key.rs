//! SM2 public-key encryption (GB/T 32918.4).

use std::sync::Arc;

use cryptoki_sys::{
    CKR_DATA_LEN_RANGE, CKR_ENCRYPTED_DATA_INVALID, CKR_FUNCTION_FAILED, CKR_KEY_TYPE_INCONSISTENT,
};
use gmkit_keys::SysRng;
use gmkit_sm2::Ciphertext;
use zeroize::Zeroizing;

use super::{Direction, Key, Stream, append};
use crate::{
    codes::Layout,
    rv::{Result, Rv, ensure, fail},
};

/// Longest message, in bytes: this is for keys, not for files.
const MAX_MESSAGE: usize = 64 * 1024;

/// 04 ‖ C1 ‖ C3, in bytes.
const RAW_OVERHEAD: usize = 1 + 64 + 32;

/// Most bytes that DER adds: two INTEGERs, C3, and heads.
const DER_OVERHEAD: usize = 4 + 2 * 35 + 34 + 4;

pub(super) fn start(
    layout: Layout,
    key: &Arc<Key>,
    direction: Direction,
) -> Result<Box<dyn Stream>> {
    let fits = match &**key {
        Key::Sm2Public(_) => direction == Direction::Encrypt,
        Key::Sm2Private(_) => direction == Direction::Decrypt,
        _ => false,
    };
    ensure(fits, CKR_KEY_TYPE_INCONSISTENT)?;
    Ok(Box::new(Whole { layout, key: Arc::clone(key), input: Zeroizing::default() }))
}

struct Whole {
    layout: Layout,
    key: Arc<Key>,
    input: Zeroizing<Vec<u8>>,
}

impl Stream for Whole {
    fn update_bound(&self, _: usize) -> usize {
        0
    }

    fn update(&mut self, input: &[u8], _: &mut Vec<u8>) -> Result {
        ensure(self.input.len() + input.len() <= MAX_MESSAGE + DER_OVERHEAD, CKR_DATA_LEN_RANGE)?;
        append(&mut self.input, input);
        Ok(())
    }

    fn finish_bound(&self, input: usize) -> usize {
        let total = self.input.len() + input;
        match (&*self.key, self.layout) {
            (Key::Sm2Public(_), Layout::C1C3C2) => total + RAW_OVERHEAD,
            (Key::Sm2Public(_), Layout::Der) => total + DER_OVERHEAD,
            (_, Layout::C1C3C2) => total.saturating_sub(RAW_OVERHEAD),
            (_, Layout::Der) => total,
            #[cfg(feature = "lab")]
            (Key::Sm2Public(_), _) => total + RAW_OVERHEAD,
            #[cfg(feature = "lab")]
            (_, _) => total,
        }
    }

    fn finish(self: Box<Self>, output: &mut Vec<u8>) -> Result {
        match &*self.key {
            Key::Sm2Public(key) => {
                ensure((1..=MAX_MESSAGE).contains(&self.input.len()), CKR_DATA_LEN_RANGE)?;
                let ciphertext = key.encrypt(&mut SysRng, &self.input)?;
                match self.layout {
                    Layout::C1C3C2 => output.extend_from_slice(&ciphertext.to_c1c3c2()),
                    Layout::Der => output.extend_from_slice(&ciphertext.to_der()?),
                    #[cfg(feature = "lab")]
                    Layout::C1C3C2Bare => output.extend_from_slice(&ciphertext.to_c1c3c2()[1..]),
                    #[cfg(feature = "lab")]
                    Layout::C1C2C3 => output.extend_from_slice(&ciphertext.to_c1c2c3()),
                }
            }
            Key::Sm2Private(key) => {
                let ciphertext = match self.layout {
                    Layout::C1C3C2 => Ciphertext::from_c1c3c2(&self.input),
                    Layout::Der => Ciphertext::from_der(&self.input),
                    #[cfg(feature = "lab")]
                    Layout::C1C3C2Bare => {
                        Ciphertext::from_c1c3c2(&[&[4], &self.input[..]].concat())
                    }
                    #[cfg(feature = "lab")]
                    Layout::C1C2C3 => Ciphertext::from_c1c2c3(&self.input),
                };
                let opened = ciphertext.and_then(|ciphertext| key.decrypt(&ciphertext));
                output.extend_from_slice(&opened.map_err(|_| Rv(CKR_ENCRYPTED_DATA_INVALID))?);
            }
            _ => return fail(CKR_FUNCTION_FAILED),
        }
        Ok(())
    }

    fn takes_pieces(&self) -> bool {
        false
    }
}
