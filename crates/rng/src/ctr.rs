//! The DRNG on SM4 of GM/T 0105-2021: CTR_DRBG of NIST SP 800-90A, 10.2.1 with the derivation
//! function of 10.3.2.

use gmkit_sm4::{Sm4, ctr::Ctr, hazmat::ecb_encrypt};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// seedlen: a key and a block.
const SEED: usize = 32;

type Seed = Zeroizing<[u8; SEED]>;

const UNUSED: usize = size_of::<crate::hash::HashState>() - 32;

/// The working state.
#[derive(Zeroize, ZeroizeOnDrop)]
pub(crate) struct CtrState {
    key: [u8; 16],
    v: [u8; 16],
    /// As large as the other mechanism's state. What a smaller variant of an enumeration leaves free
    /// is moved along with it, and nothing would wipe what was on the stack there.
    unused: [u8; UNUSED],
}

impl CtrState {
    /// Most bytes per request.
    pub(crate) const MAX_REQUEST: usize = 16;

    pub(crate) fn instantiate(entropy: &[u8], nonce: &[u8], personalization: &[u8]) -> Self {
        let mut state = Self { key: [0; 16], v: [0; 16], unused: [0; UNUSED] };
        state.update(&df(&[entropy, nonce, personalization]));
        state
    }

    pub(crate) fn reseed(&mut self, entropy: &[u8], additional: &[u8]) {
        self.update(&df(&[entropy, additional]));
    }

    /// Fills `out`, which has at most [`Self::MAX_REQUEST`] bytes.
    pub(crate) fn generate(&mut self, additional: &[u8], out: &mut [u8]) {
        let mut provided = Seed::default();
        if !additional.is_empty() {
            provided = df(&[additional]);
            self.update(&provided);
        }
        self.increment();
        let mut block = Zeroizing::new([self.v]);
        ecb_encrypt(&Sm4::new(&self.key), &mut *block);
        out.copy_from_slice(&block[0][..out.len()]);
        self.update(&provided);
    }

    /// CTR_DRBG_Update: key and V become E(V + 1) ‖ E(V + 2), plus what is provided.
    fn update(&mut self, provided: &Seed) {
        self.increment();
        let mut temp = provided.clone();
        Ctr::new(&self.key, &self.v).apply_keystream(&mut *temp);
        let (key, v) = temp.split_at(16);
        self.key.copy_from_slice(key);
        self.v.copy_from_slice(v);
    }

    fn increment(&mut self) {
        self.v = u128::from_be_bytes(self.v).wrapping_add(1).to_be_bytes();
    }
}

/// Block_Cipher_df of SP 800-90A, 10.3.2, to 32 bytes.
fn df(material: &[&[u8]]) -> Seed {
    let len: usize = material.iter().map(|part| part.len()).sum();
    let mut s = Zeroizing::new(Vec::with_capacity((len + 9).next_multiple_of(16)));
    s.extend_from_slice(&(len as u32).to_be_bytes());
    s.extend_from_slice(&(SEED as u32).to_be_bytes());
    material.iter().for_each(|part| s.extend_from_slice(part));
    s.push(0x80);
    let padded = s.len().next_multiple_of(16);
    s.resize(padded, 0);

    let bcc = Sm4::new(&core::array::from_fn(|i| i as u8));
    let mut temp = Seed::default();
    for (out, i) in temp.as_chunks_mut::<16>().0.iter_mut().zip(0_u32..) {
        out[..4].copy_from_slice(&i.to_be_bytes());
        ecb_encrypt(&bcc, core::slice::from_mut(out));
        for block in s.as_chunks::<16>().0 {
            out.iter_mut().zip(block).for_each(|(o, b)| *o ^= b);
            ecb_encrypt(&bcc, core::slice::from_mut(out));
        }
    }
    // The first half is the key of a chain that starts at the second.
    let (key, x) = temp.split_at_mut(16);
    let (key, x) = (key.as_chunks_mut::<16>().0, x.as_chunks_mut::<16>().0);
    let cipher = Sm4::new(&key[0]);
    ecb_encrypt(&cipher, x);
    key.copy_from_slice(x);
    ecb_encrypt(&cipher, x);
    temp
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_answer() {
        let h = |s| hex::decode(s).unwrap();
        let mut state = CtrState::instantiate(
            &h("2d4c9f46b981c6a0b2b5d8c69391e569ff13851437ebc0fc00d616340252fed5"),
            &h("0bf814b411f65ec4866be1abb59d3c32"),
            b"",
        );
        state.reseed(&h("93500fae4fa32b86033b7a7bac9d37e710dcc67ca266bc8607d665937766d207"), b"");
        let mut out = [0; 16];
        state.generate(b"", &mut out);
        state.generate(b"", &mut out);
        assert_eq!(hex::encode(out), "e732a524de8ad239aa293ac8ae588f9d");
    }
}
