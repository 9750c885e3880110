//! Self-tests in the manner of GB/T 37092-2018: a known-answer test of each algorithm before its
//! first use through a key or a key file, and a pairwise test of each key that is generated. Any
//! failed test puts the process into an error state, in which no key works any more.
//!
//! Code that uses the cores directly, without a key of this crate, calls [`require`] itself.

use std::{
    hint::black_box,
    sync::{
        OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};

use gmkit_sm2::{self as sm2, Ciphertext, Id, PublicKey, Signature};
use gmkit_sm3::Sm3;
use gmkit_sm4::{Sm4, gcm::Gcm, hazmat};
use hmac::{Hmac, KeyInit, Mac};

use crate::{Error, SysRng};

/// What has a known-answer test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Algorithm {
    /// SM3 (GB/T 32905-2016, annex A).
    Sm3,
    /// HMAC with SM3.
    HmacSm3,
    /// SM4, both directions (GB/T 32907-2016, annex A).
    Sm4,
    /// SM4-GCM, sealing and opening (RFC 8998, A.1).
    Sm4Gcm,
    /// SM2 signing and verifying (GB/T 32918.5-2017, annex A).
    Sm2Signature,
    /// SM2 encryption and decryption (GB/T 32918.5-2017, annex C).
    Sm2Encryption,
}

impl Algorithm {
    /// All of them, in the order of [`run_all`].
    pub const ALL: [Self; 6] = [
        Self::Sm3,
        Self::HmacSm3,
        Self::Sm4,
        Self::Sm4Gcm,
        Self::Sm2Signature,
        Self::Sm2Encryption,
    ];

    /// The name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sm3 => "SM3",
            Self::HmacSm3 => "HMAC-SM3",
            Self::Sm4 => "SM4",
            Self::Sm4Gcm => "SM4-GCM",
            Self::Sm2Signature => "SM2 signature",
            Self::Sm2Encryption => "SM2 encryption",
        }
    }

    fn known_answer(self) -> fn() -> bool {
        match self {
            Self::Sm3 => sm3,
            Self::HmacSm3 => hmac_sm3,
            Self::Sm4 => sm4,
            Self::Sm4Gcm => sm4_gcm,
            Self::Sm2Signature => sm2_signature,
            Self::Sm2Encryption => sm2_encryption,
        }
    }
}

/// Runs the known-answer test of `algorithm` if it has not run in this process yet.
///
/// # Errors
/// [`Error::SelfTest`], now and at every later call.
pub fn require(algorithm: Algorithm) -> Result<(), Error> {
    check_state()?;
    static VERDICTS: [OnceLock<bool>; Algorithm::ALL.len()] =
        [const { OnceLock::new() }; Algorithm::ALL.len()];
    verdict(&VERDICTS[algorithm as usize], algorithm.name(), algorithm.known_answer())
}

/// Whether all self-tests of this process that have run so far have passed.
///
/// # Errors
/// [`Error::SelfTest`] in the error state.
pub fn check_state() -> Result<(), Error> {
    if FAILED.load(Ordering::Acquire) {
        return Err(Error::SelfTest { test: "an earlier self-test failed" });
    }
    Ok(())
}

/// Counts the outcome of a known-answer test that another crate has run: a failure leads to the
/// error state.
///
/// # Errors
/// [`Error::SelfTest`] when it failed.
pub fn record(test: &'static str, passed: bool) -> Result<(), Error> {
    conclude(test, passed, &FAILED)
}

/// The error state: set by any self-test that fails, and never left.
static FAILED: AtomicBool = AtomicBool::new(false);

/// Runs a test once and remembers what came of it.
fn verdict(cell: &OnceLock<bool>, test: &'static str, run: fn() -> bool) -> Result<(), Error> {
    conclude(test, *cell.get_or_init(run), &FAILED)
}

/// Turns a test's outcome into a result, and a failure into the error state.
fn conclude(test: &'static str, passed: bool, state: &AtomicBool) -> Result<(), Error> {
    if passed {
        return Ok(());
    }
    state.store(true, Ordering::Release);
    Err(Error::SelfTest { test })
}

/// Runs every known-answer test, whether it has run or not, and a pairwise test on a fresh key.
#[must_use]
pub fn run_all() -> Vec<(&'static str, bool)> {
    let mut results: Vec<_> = Algorithm::ALL
        .iter()
        .map(|algorithm| (algorithm.name(), algorithm.known_answer()()))
        .collect();
    let pairwise = sm2::SecretKey::generate(&mut SysRng).is_ok_and(|key| pairwise(&key).is_ok());
    results.push(("SM2 pairwise consistency", pairwise));
    for (test, passed) in &results {
        // A failure counts for the rest of the process too; the caller sees it in the list.
        let _ = conclude(test, *passed, &FAILED);
    }
    results
}

/// Signs and verifies, encrypts and decrypts with a new key pair.
///
/// # Errors
/// [`Error::SelfTest`]; [`Error::Rng`].
pub fn pairwise(key: &sm2::SecretKey) -> Result<(), Error> {
    const TEST: &str = "SM2 pairwise consistency";
    // The public key takes the way to a peer and back, so that its encoding is tested too.
    let public = PublicKey::from_sec1_bytes(&key.public_key().to_sec1_bytes());
    let public = public.map_err(|_| Error::SelfTest { test: TEST })?;
    let signature = key.sign(&mut SysRng, Id::DEFAULT, TEST.as_bytes())?;
    let ciphertext = public.encrypt(&mut SysRng, TEST.as_bytes())?;
    let verified = public.verify(Id::DEFAULT, TEST.as_bytes(), &signature).is_ok();
    let decrypted = key.decrypt(&ciphertext).is_ok_and(|plain| plain[..] == *TEST.as_bytes());
    conclude(TEST, verified && decrypted, &FAILED)
}

fn sm3() -> bool {
    const WANT: [u8; 32] = *b"\x66\xc7\xf0\xf4\x62\xee\xed\xd9\xd1\xf2\xd4\x6b\xdc\x10\xe4\xe2\
                              \x41\x67\xc4\x87\x5c\xf2\xf7\xa2\x29\x7d\xa0\x2b\x8f\x4b\xa8\xe0";
    // One message, and one in each lane of the widest backend.
    let mut many = [[0; 32]; 16];
    gmkit_sm3::hash_many(&black_box([b"abc".as_slice(); 16]), &mut many);
    gmkit_sm3::digest(&[black_box(b"abc")]) == WANT && many == [WANT; 16]
}

fn hmac_sm3() -> bool {
    let want = b"\xc0\xba\x18\xc6\x8b\x90\xc8\x8b\xc0\x7d\xe7\x94\xbf\xc7\xd2\xc8\
                 \xd1\x9e\xc3\x1e\xd8\x77\x3b\xc2\xb3\x90\xc9\x60\x4e\x0b\xe1\x1e";
    Hmac::<Sm3>::new_from_slice(&[0x0b; 32])
        .is_ok_and(|mac| mac.chain_update(black_box(b"Hi There")).verify(want.into()).is_ok())
}

const SM4_KEY: [u8; 16] = *b"\x01\x23\x45\x67\x89\xab\xcd\xef\xfe\xdc\xba\x98\x76\x54\x32\x10";

fn sm4() -> bool {
    let cipher = Sm4::new(&SM4_KEY);
    // 84 blocks and one: whatever a backend does for long, middling and single inputs.
    let mut blocks = black_box([SM4_KEY; 85]);
    let (many, one) = blocks.split_at_mut(84);
    hazmat::ecb_encrypt(&cipher, many);
    hazmat::ecb_encrypt(&cipher, one);
    let want = *b"\x68\x1e\xdf\x34\xd2\x06\x96\x5e\x86\xb3\xe9\x4f\x53\x6e\x42\x46";
    let encrypted = blocks == [want; 85];
    let (many, one) = blocks.split_at_mut(84);
    hazmat::ecb_decrypt(&cipher, many);
    hazmat::ecb_decrypt(&cipher, one);
    encrypted && blocks == [SM4_KEY; 85]
}

fn sm4_gcm() -> bool {
    let gcm = Gcm::new(&SM4_KEY);
    let nonce = *b"\x00\x00\x12\x34\x56\x78\x00\x00\x00\x00\xab\xcd";
    let aad = *b"\xfe\xed\xfa\xce\xde\xad\xbe\xef\xfe\xed\xfa\xce\xde\xad\xbe\xef\xab\xad\xda\xd2";
    let plain: [u8; 64] = std::array::from_fn(|i| b"\xaa\xbb\xcc\xdd\xee\xff\xee\xaa"[i / 8]);
    let mut data = black_box(plain);
    let want = *b"\x83\xde\x35\x41\xe4\xc2\xb5\x81\x77\xe0\x65\xa9\xbf\x7b\x62\xec";
    let sealed = gcm.seal(&nonce, &aad, &mut data) == Ok(want);
    let opened = gcm.open(&nonce, &aad, &mut data, &want).is_ok() && data == plain;
    let mut forged = want;
    forged[0] ^= 1;
    let refused = gcm.open(&nonce, &aad, &mut data, &forged).is_err();
    // Long enough for every kernel of counter mode and of the hash. The tag is OpenSSL 4's, and
    // covers the ciphertext.
    let mut long = black_box(std::array::from_fn::<u8, 1367, _>(|i| (i % 251) as u8));
    let want = *b"\x42\xbf\x57\x46\x0f\x4c\x7c\x67\x93\x88\xc6\x62\x28\xfa\x6e\xa5";
    let long_sealed = gcm.seal(&nonce, &aad, &mut long) == Ok(want);
    sealed && opened && refused && long_sealed
}

const D: &[u8; 32] = b"\x39\x45\x20\x8f\x7b\x21\x44\xb1\x3f\x36\xe3\x8a\xc6\xd3\x9f\x95\
                       \x88\x93\x93\x69\x28\x60\xb5\x1a\x42\xfb\x81\xef\x4d\xf7\xc5\xb8";
const K: &[u8; 32] = b"\x59\x27\x6e\x27\xd5\x06\x86\x1a\x16\x68\x0f\x3a\xd9\xc0\x2d\xcc\
                       \xef\x3c\xc1\xfa\x3c\xdb\xe4\xce\x6d\x54\xb8\x0d\xea\xc1\xbc\x21";

fn sm2_signature() -> bool {
    let e = b"\xf0\xb4\x3e\x94\xba\x45\xac\xca\xac\xe6\x92\xed\x53\x43\x82\xeb\
              \x17\xe6\xab\x5a\x19\xce\x7b\x31\xf4\x48\x6f\xdf\xc0\xd2\x86\x40";
    let want = b"\xf5\xa0\x3b\x06\x48\xd2\xc4\x63\x0e\xea\xc5\x13\xe1\xbb\x81\xa1\
                 \x59\x44\xda\x38\x27\xd5\xb7\x41\x43\xac\x7e\xac\xee\xe7\x20\xb3\
                 \xb1\xb6\xaa\x29\xdf\x21\x2f\xd8\x76\x31\x82\xbc\x0d\x42\x1c\xa1\
                 \xbb\x90\x38\xfd\x1f\x7f\x42\xd4\x84\x0b\x69\xc4\x85\xbb\xc1\xaa";
    let Ok(key) = sm2::SecretKey::from_bytes(black_box(D)) else {
        return false;
    };
    let signed = sm2::hazmat::sign_e_with_k(&key, e, K).is_ok_and(|s| s.to_raw() == *want);
    let verify = |message: &[u8]| {
        Signature::from_raw(want)
            .and_then(|signature| key.public_key().verify(Id::DEFAULT, message, &signature))
    };
    signed && verify(b"message digest").is_ok() && verify(b"message digesT").is_err()
}

fn sm2_encryption() -> bool {
    let plain = b"encryption standard";
    let want = b"\x04\x04\xeb\xfc\x71\x8e\x8d\x17\x98\x62\x04\x32\x26\x8e\x77\xfe\xb6\
                 \x41\x5e\x2e\xde\x0e\x07\x3c\x0f\x4f\x64\x0e\xcd\x2e\x14\x9a\x73\
                 \xe8\x58\xf9\xd8\x1e\x54\x30\xa5\x7b\x36\xda\xab\x8f\x95\x0a\x3c\
                 \x64\xe6\xee\x6a\x63\x09\x4d\x99\x28\x3a\xff\x76\x7e\x12\x4d\xf0\
                 \x59\x98\x3c\x18\xf8\x09\xe2\x62\x92\x3c\x53\xae\xc2\x95\xd3\x03\
                 \x83\xb5\x4e\x39\xd6\x09\xd1\x60\xaf\xcb\x19\x08\xd0\xbd\x87\x66\
                 \x21\x88\x6c\xa9\x89\xca\x9c\x7d\x58\x08\x73\x07\xca\x93\x09\x2d\
                 \x65\x1e\xfa";
    let Ok(key) = sm2::SecretKey::from_bytes(black_box(D)) else {
        return false;
    };
    let encrypted = sm2::hazmat::encrypt_with_k(key.public_key(), K, plain)
        .is_ok_and(|ciphertext| ciphertext.to_c1c3c2() == want);
    let decrypted = Ciphertext::from_c1c3c2(want)
        .and_then(|ciphertext| key.decrypt(&ciphertext))
        .is_ok_and(|got| got[..] == *plain);
    encrypted && decrypted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_pass() {
        for (test, passed) in run_all() {
            assert!(passed, "{test}");
        }
        for algorithm in Algorithm::ALL {
            require(algorithm).unwrap();
        }
    }

    #[test]
    fn a_failure_is_an_error_and_puts_out_of_service() {
        // A state of its own: the real one would stop the other tests of this process.
        let state = AtomicBool::new(false);
        assert!(conclude("fine", true, &state).is_ok());
        assert!(!state.load(Ordering::Acquire));
        let failed = conclude("broken", false, &state);
        assert!(matches!(failed, Err(Error::SelfTest { test: "broken" })));
        assert!(state.load(Ordering::Acquire));
    }
}
