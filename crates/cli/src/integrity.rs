//! Whether this binary is as it was when it was sealed.
//!
//! The binary holds a marker with room for 32 bytes. Sealing writes HMAC-SM3 over the file, taken
//! with those bytes zero, into that room; checking computes it again. The HMAC's key is a
//! constant: this finds damage (a bad disk, an incomplete copy), as GB/T 37092-2018 asks of a
//! software integrity test. It does not stop somebody who changes the binary on purpose: for that
//! sign the file (`gmkit sign`) and verify it with another gmkit.

use std::{fs, path::Path};

use gmkit::keys::{SecretKey, SoftwareSecret};

use crate::{
    failure::{Context, Failure},
    output::{Access, Content, Output},
};

const MARK: usize = 32;
const KEY: &[u8] = b"gmkit binary integrity, version 1";

/// The marker and the room for the seal. Read from the file, never from memory.
static SEAL: [u8; 2 * MARK] =
    *b"gmkit-seal\x91\x3f\xe0\x0a\x77\xc2\x5d\x18\xb4\x6c\xf3\x29\x8e\x51\xda\x06\
    \xbb\x94\x40\xef\x12\x7d\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";

/// What a check found.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Integrity {
    /// Sealed, and unchanged since.
    Intact,
    /// Sealed, and changed since.
    Damaged,
    /// Never sealed: a build for development.
    NotSealed,
}

impl Integrity {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Intact => "intact",
            Self::Damaged => "DAMAGED",
            Self::NotSealed => "not sealed (development build)",
        }
    }
}

/// Checks the file that this process was started from.
pub(crate) fn check() -> Result<Integrity, Failure> {
    let mut file = own_file()?;
    let at = find_seal(&file)?;
    let seal: [u8; 32] = file[at..at + 32].try_into().expect("32 bytes");
    if seal == [0; 32] {
        return Ok(Integrity::NotSealed);
    }
    file[at..at + 32].fill(0);
    Ok(if mac(&file)? == seal { Integrity::Intact } else { Integrity::Damaged })
}

/// Writes a copy of this binary with its seal. A binary that is sealed and damaged is not sealed
/// again.
pub(crate) fn write_sealed_copy(path: &Path) -> Result<(), Failure> {
    if check()? == Integrity::Damaged {
        return Err(Failure::check("this binary is damaged"));
    }
    let mut file = own_file()?;
    let at = find_seal(&file)?;
    file[at..at + 32].fill(0);
    let seal = mac(&file)?;
    file[at..at + 32].copy_from_slice(&seal);
    let mut output = Output::create(Some(path), Content::Binary, Access::Executable)?;
    output.write(&file)?;
    output.commit()
}

fn own_file() -> Result<Vec<u8>, Failure> {
    let path = std::env::current_exe()?;
    fs::read(&path).about(&path)
}

/// Where the 32 bytes of the seal stand in the file: behind the only occurrence of the marker.
fn find_seal(file: &[u8]) -> Result<usize, Failure> {
    let marker = &std::hint::black_box(&SEAL)[..MARK];
    let mut found = file.windows(MARK).enumerate().filter(|(_, window)| *window == marker);
    match (found.next(), found.next()) {
        (Some((at, _)), None) if file.len() >= at + 2 * MARK => Ok(at + MARK),
        _ => Err(Failure::check("this binary does not have exactly one place for a seal")),
    }
}

fn mac(file: &[u8]) -> Result<[u8; 32], Failure> {
    let key = SoftwareSecret::hmac_sm3(KEY)?;
    let mut context = key.start_mac()?;
    context.update(file)?;
    Ok(context.finish()?)
}
