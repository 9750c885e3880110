//! What is measured: the operations that users wait for, on their usual sizes.

use std::hint::black_box;

use gmkit::{
    keys::SysRng,
    sm2::{self, Id, PreparedKey, SecretKey, batch as sm2_batch},
    sm3,
    sm4::{
        self, Sm4,
        batch::{CbcMessage, cbc_encrypt},
        cbc,
        ctr::Ctr,
        gcm::Gcm,
        xts::Xts,
    },
};

use crate::failure::Failure;

/// An operation to be timed, with everything that it needs.
pub(super) type Prepared = Box<dyn FnMut()>;

/// How much a call does.
#[derive(Clone, Copy)]
pub(super) enum Amount {
    Bytes(usize),
    Operations(usize),
}

use Amount::{Bytes, Operations};

pub(super) struct Work {
    pub(super) what: &'static str,
    pub(super) amount: Amount,
    pub(super) prepare: fn() -> Result<Prepared, Failure>,
}

/// A core with its backends.
pub(super) struct Core {
    pub(super) name: &'static str,
    pub(super) chosen: fn() -> &'static str,
    pub(super) backends: fn() -> Vec<(&'static str, bool)>,
    prefer: fn(Option<&str>) -> bool,
    pub(super) works: &'static [Work],
    pub(super) sized: &'static [Sized],
}

/// Work on messages of any size.
pub(super) struct Sized {
    pub(super) what: &'static str,
    pub(super) prepare: fn(usize) -> Result<Prepared, Failure>,
}

impl Core {
    /// Computes with the named backend until what this returns is dropped.
    pub(super) fn through(&self, backend: &str) -> Preferred {
        (self.prefer)(Some(backend));
        Preferred(self.prefer)
    }
}

pub(super) struct Preferred(fn(Option<&str>) -> bool);

impl Drop for Preferred {
    fn drop(&mut self) {
        (self.0)(None);
    }
}

const LONG: usize = 16 * 1024;
const SHORT: usize = 64;
const KEY: [u8; 16] = [1; 16];

pub(super) const CORES: &[Core] = &[
    Core {
        name: "SM4",
        chosen: sm4::backend,
        backends: || sm4::backends().collect(),
        prefer: sm4::prefer_backend,
        works: SM4,
        sized: SM4_SIZED,
    },
    Core {
        name: "SM3",
        chosen: sm3::backend,
        backends: || sm3::backends().collect(),
        prefer: sm3::prefer_backend,
        works: SM3,
        sized: &[Sized { what: "one message", prepare: sm3_one }],
    },
    Core {
        name: "SM2",
        chosen: sm2::backend,
        backends: || sm2::backends().collect(),
        prefer: sm2::prefer_backend,
        works: SM2,
        sized: &[],
    },
];

const SM4: &[Work] = &[
    Work { what: "CTR, 16 KiB", amount: Bytes(LONG), prepare: || ctr(LONG) },
    Work { what: "GCM seal, 16 KiB", amount: Bytes(LONG), prepare: || gcm_seal(LONG) },
    Work { what: "GCM open, 16 KiB", amount: Bytes(LONG), prepare: gcm_open },
    Work { what: "GCM seal, 64 B", amount: Bytes(SHORT), prepare: || gcm_seal(SHORT) },
    Work { what: "XTS, 16 KiB", amount: Bytes(LONG), prepare: xts },
    Work { what: "CBC encrypt, 16 KiB", amount: Bytes(LONG), prepare: cbc_one },
    Work { what: "CBC encrypt, 16 x 1 KiB", amount: Bytes(LONG), prepare: cbc_many },
    Work { what: "CBC decrypt, 16 KiB", amount: Bytes(LONG), prepare: cbc_decrypt },
];

const SM4_SIZED: &[Sized] =
    &[Sized { what: "CTR", prepare: ctr }, Sized { what: "GCM seal", prepare: gcm_seal }];

fn ctr(len: usize) -> Result<Prepared, Failure> {
    let (mut ctr, mut data) = (Ctr::new(&KEY, &[2; 16]), vec![7; len]);
    Ok(Box::new(move || ctr.apply_keystream(black_box(&mut data))))
}

fn gcm_seal(len: usize) -> Result<Prepared, Failure> {
    let (gcm, mut data) = (Gcm::new(&KEY), vec![7; len]);
    // One nonce for all: nothing of this is sent anywhere.
    Ok(Box::new(move || keep(gcm.seal(&[0; 12], b"", black_box(&mut data)))))
}

fn gcm_open() -> Result<Prepared, Failure> {
    let (gcm, mut sealed, mut out) = (Gcm::new(&KEY), vec![7; LONG], vec![0; LONG]);
    let tag = gcm.seal(&[0; 12], b"", &mut sealed).map_err(failed)?;
    Ok(Box::new(move || keep(gcm.open_to(&[0; 12], b"", &sealed, &mut out, &tag))))
}

fn xts() -> Result<Prepared, Failure> {
    let key = core::array::from_fn(|i| i as u8);
    let (xts, mut data) = (Xts::gb(&key).map_err(failed)?, vec![7; LONG]);
    Ok(Box::new(move || keep(xts.encrypt(&[0; 16], black_box(&mut data)))))
}

fn cbc_one() -> Result<Prepared, Failure> {
    let data = vec![7; LONG];
    Ok(Box::new(move || keep(cbc::encrypt(&KEY, &[2; 16], black_box(&data)))))
}

fn cbc_many() -> Result<Prepared, Failure> {
    let (cipher, mut data) = (Sm4::new(&KEY), vec![[[7; 16]; 64]; 16]);
    Ok(Box::new(move || {
        let message = |blocks| CbcMessage { iv: [2; 16], blocks };
        let mut all: Vec<_> =
            data.iter_mut().map(|blocks| message(blocks.as_mut_slice())).collect();
        cbc_encrypt(&cipher, black_box(&mut all));
    }))
}

fn cbc_decrypt() -> Result<Prepared, Failure> {
    let data = cbc::encrypt(&KEY, &[2; 16], &vec![7; LONG]);
    Ok(Box::new(move || keep(cbc::decrypt(&KEY, &[2; 16], black_box(&data)))))
}

const SM3: &[Work] = &[
    Work { what: "one message, 16 KiB", amount: Bytes(LONG), prepare: || sm3_one(LONG) },
    Work { what: "one message, 64 B", amount: Bytes(SHORT), prepare: || sm3_one(SHORT) },
    Work { what: "16 messages of 1 KiB", amount: Bytes(LONG), prepare: sm3_many },
];

fn sm3_one(len: usize) -> Result<Prepared, Failure> {
    let data = vec![7; len];
    Ok(Box::new(move || keep(sm3::digest(&[black_box(&data)]))))
}

fn sm3_many() -> Result<Prepared, Failure> {
    let data = [7; LONG];
    Ok(Box::new(move || {
        let messages: Vec<&[u8]> = data.chunks(1024).collect();
        let mut digests = vec![[0; 32]; messages.len()];
        sm3::hash_many(black_box(&messages), &mut digests);
        black_box(digests);
    }))
}

const SM2: &[Work] = &[
    Work { what: "sign", amount: Operations(1), prepare: sign },
    Work { what: "verify", amount: Operations(1), prepare: verify },
    Work { what: "verify, prepared key", amount: Operations(1), prepare: verify_prepared },
    Work { what: "decrypt 16 bytes", amount: Operations(1), prepare: decrypt },
    Work { what: "sign 64 at once", amount: Operations(64), prepare: sign_many },
];

const MESSAGE: &[u8] = b"message";

fn sign() -> Result<Prepared, Failure> {
    let key = SecretKey::generate(&mut SysRng).map_err(failed)?;
    Ok(Box::new(move || keep(key.sign(&mut SysRng, Id::DEFAULT, MESSAGE))))
}

fn verify() -> Result<Prepared, Failure> {
    let key = SecretKey::generate(&mut SysRng).map_err(failed)?;
    let signature = key.sign(&mut SysRng, Id::DEFAULT, MESSAGE).map_err(failed)?;
    let key = *key.public_key();
    Ok(Box::new(move || keep(key.verify(Id::DEFAULT, MESSAGE, &signature))))
}

fn verify_prepared() -> Result<Prepared, Failure> {
    let key = SecretKey::generate(&mut SysRng).map_err(failed)?;
    let signature = key.sign(&mut SysRng, Id::DEFAULT, MESSAGE).map_err(failed)?;
    let key = PreparedKey::new(key.public_key(), Id::DEFAULT);
    Ok(Box::new(move || keep(key.verify(MESSAGE, &signature))))
}

fn decrypt() -> Result<Prepared, Failure> {
    let key = SecretKey::generate(&mut SysRng).map_err(failed)?;
    let sent = key.public_key().encrypt(&mut SysRng, &[7; 16]).map_err(failed)?;
    Ok(Box::new(move || keep(key.decrypt(&sent))))
}

fn sign_many() -> Result<Prepared, Failure> {
    let key = SecretKey::generate(&mut SysRng).map_err(failed)?;
    Ok(Box::new(move || {
        let messages = black_box([MESSAGE; 64]);
        keep(sm2_batch::sign(&mut SysRng, &key, Id::DEFAULT, &messages));
    }))
}

/// The compiler must take a result for needed.
fn keep<T>(result: T) {
    black_box(result);
}

fn failed(error: impl std::fmt::Display) -> Failure {
    Failure::device(error)
}
