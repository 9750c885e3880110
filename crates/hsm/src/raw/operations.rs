//! Signing, encrypting, decrypting, hashing, wrapping: begun, and done in one call or in pieces.

use std::num::NonZeroUsize;

use cryptoki_sys::{
    CK_BYTE_PTR, CK_MECHANISM_PTR, CK_OBJECT_HANDLE, CK_RV, CK_SESSION_HANDLE, CK_ULONG,
    CK_ULONG_PTR,
};
use zeroize::Zeroizing;

use super::{Call, Functions, check, missing};
use crate::Error;

/// Room for any signature: RSA's of 4096 bits.
const SIGNATURE: usize = 512;

/// Room that a ciphertext needs beyond its plaintext: C1 and C3 of SM2 in DER are the most.
const EXPANSION: usize = 256;

/// Input, and room for output: C_Sign, C_Digest, C_Encrypt, C_EncryptUpdate ...
type InOut = unsafe extern "C" fn(
    CK_SESSION_HANDLE,
    CK_BYTE_PTR,
    CK_ULONG,
    CK_BYTE_PTR,
    CK_ULONG_PTR,
) -> CK_RV;
type In = unsafe extern "C" fn(CK_SESSION_HANDLE, CK_BYTE_PTR, CK_ULONG) -> CK_RV;
type Out = unsafe extern "C" fn(CK_SESSION_HANDLE, CK_BYTE_PTR, CK_ULONG_PTR) -> CK_RV;
type WithKey = unsafe extern "C" fn(CK_SESSION_HANDLE, CK_MECHANISM_PTR, CK_OBJECT_HANDLE) -> CK_RV;

/// A function of the table by its name.
type Named<F> = (&'static str, Option<F>);

/// How an operation that was begun goes on.
struct Steps {
    whole: Named<InOut>,
    piece: Piece,
    end: Named<Out>,
}

/// What takes the next piece.
enum Piece {
    Takes(Named<In>),
    Gives(Named<InOut>),
}

/// What an operation works on.
#[derive(Clone, Copy)]
pub(crate) struct Work<'d> {
    pub(crate) session: CK_SESSION_HANDLE,
    pub(crate) data: &'d [u8],
    /// Most bytes that the device takes in one call.
    pub(crate) frame: Option<NonZeroUsize>,
}

impl Functions {
    /// C_SignInit and C_Sign, or pieces of at most a frame.
    pub(crate) fn sign(
        &self,
        work: Work<'_>,
        mechanism: Call<'_>,
        key: CK_OBJECT_HANDLE,
    ) -> Result<Zeroizing<Vec<u8>>, Error> {
        let table = self.table();
        let steps = Steps {
            whole: ("C_Sign", table.C_Sign),
            piece: Piece::Takes(("C_SignUpdate", table.C_SignUpdate)),
            end: ("C_SignFinal", table.C_SignFinal),
        };
        let init = ("C_SignInit", table.C_SignInit);
        mechanism.with(|mechanism| {
            begin(init, work, mechanism, key)?;
            steps.run(work, SIGNATURE)
        })
    }

    /// C_EncryptInit and C_Encrypt, or pieces of at most a frame.
    pub(crate) fn encrypt(
        &self,
        work: Work<'_>,
        mechanism: Call<'_>,
        key: CK_OBJECT_HANDLE,
    ) -> Result<Zeroizing<Vec<u8>>, Error> {
        let table = self.table();
        let steps = Steps {
            whole: ("C_Encrypt", table.C_Encrypt),
            piece: Piece::Gives(("C_EncryptUpdate", table.C_EncryptUpdate)),
            end: ("C_EncryptFinal", table.C_EncryptFinal),
        };
        let init = ("C_EncryptInit", table.C_EncryptInit);
        mechanism.with(|mechanism| {
            begin(init, work, mechanism, key)?;
            steps.run(work, work.data.len() + EXPANSION)
        })
    }

    /// C_DecryptInit and C_Decrypt, or pieces of at most a frame. A plaintext is no longer than its
    /// ciphertext.
    pub(crate) fn decrypt(
        &self,
        work: Work<'_>,
        mechanism: Call<'_>,
        key: CK_OBJECT_HANDLE,
    ) -> Result<Zeroizing<Vec<u8>>, Error> {
        let table = self.table();
        let steps = Steps {
            whole: ("C_Decrypt", table.C_Decrypt),
            piece: Piece::Gives(("C_DecryptUpdate", table.C_DecryptUpdate)),
            end: ("C_DecryptFinal", table.C_DecryptFinal),
        };
        let init = ("C_DecryptInit", table.C_DecryptInit);
        mechanism.with(|mechanism| {
            begin(init, work, mechanism, key)?;
            steps.run(work, work.data.len())
        })
    }

    /// C_DigestInit and C_Digest, or pieces of at most a frame.
    pub(crate) fn digest(
        &self,
        work: Work<'_>,
        mechanism: Call<'_>,
    ) -> Result<Zeroizing<Vec<u8>>, Error> {
        let table = self.table();
        let init = table.C_DigestInit.ok_or(missing("C_DigestInit"))?;
        let steps = Steps {
            whole: ("C_Digest", table.C_Digest),
            piece: Piece::Takes(("C_DigestUpdate", table.C_DigestUpdate)),
            end: ("C_DigestFinal", table.C_DigestFinal),
        };
        mechanism.with(|mechanism| {
            // SAFETY: the module's function, and a mechanism that lives until the operation ends.
            check("C_DigestInit", unsafe { init(work.session, mechanism) })?;
            steps.run(work, SIGNATURE)
        })
    }

    /// C_WrapKey: `key` under `wrapping`.
    pub(crate) fn wrap(
        &self,
        session: CK_SESSION_HANDLE,
        mechanism: Call<'_>,
        wrapping: CK_OBJECT_HANDLE,
        key: CK_OBJECT_HANDLE,
    ) -> Result<Vec<u8>, Error> {
        let wrap = self.table().C_WrapKey.ok_or(missing("C_WrapKey"))?;
        let mut wrapped = vec![0; SIGNATURE];
        let mut len = wrapped.len() as CK_ULONG;
        mechanism.with(|mechanism| {
            let out = wrapped.as_mut_ptr();
            // SAFETY: the module's function; the buffer is as long as said; handles may be bad.
            check("C_WrapKey", unsafe { wrap(session, mechanism, wrapping, key, out, &mut len) })
        })?;
        shorten(&mut wrapped, len)?;
        Ok(wrapped)
    }
}

fn begin(
    (name, init): Named<WithKey>,
    work: Work<'_>,
    mechanism: CK_MECHANISM_PTR,
    key: CK_OBJECT_HANDLE,
) -> Result<(), Error> {
    let init = init.ok_or(missing(name))?;
    // SAFETY: the module's function, a mechanism that lives until the operation ends, and handles,
    // which may be bad.
    check(name, unsafe { init(work.session, mechanism, key) })
}

impl Steps {
    /// All of the data, at once or in frames, and what comes out; there is room for so much.
    fn run(&self, work: Work<'_>, room: usize) -> Result<Zeroizing<Vec<u8>>, Error> {
        let Work { session, data, frame } = work;
        let mut out = Zeroizing::new(vec![0; room]);
        let Some(frame) = frame.filter(|frame| data.len() > frame.get()) else {
            let len = in_out(self.whole, session, data, &mut out)?;
            shorten(&mut out, len)?;
            return Ok(out);
        };
        let mut filled = 0;
        for piece in data.chunks(frame.get()) {
            match self.piece {
                Piece::Takes((name, take)) => {
                    let take = take.ok_or(missing(name))?;
                    let (data, len) = (piece.as_ptr().cast_mut(), piece.len() as CK_ULONG);
                    // SAFETY: the buffer is as long as said; the standard does not write to data.
                    check(name, unsafe { take(session, data, len) })?;
                }
                Piece::Gives(give) => {
                    filled +=
                        fits(in_out(give, session, piece, &mut out[filled..])?, room - filled)?;
                }
            }
        }
        let (name, end) = self.end;
        let end = end.ok_or(missing(name))?;
        let rest = &mut out[filled..];
        let mut len = rest.len() as CK_ULONG;
        // SAFETY: the buffer is as long as said.
        check(name, unsafe { end(session, rest.as_mut_ptr(), &mut len) })?;
        filled += fits(len, room - filled)?;
        out.truncate(filled);
        Ok(out)
    }
}

fn in_out(
    (name, call): Named<InOut>,
    session: CK_SESSION_HANDLE,
    data: &[u8],
    out: &mut [u8],
) -> Result<CK_ULONG, Error> {
    let call = call.ok_or(missing(name))?;
    let (data, data_len) = (data.as_ptr().cast_mut(), data.len() as CK_ULONG);
    let mut len = out.len() as CK_ULONG;
    // SAFETY: both buffers are as long as said; the standard does not write to data.
    check(name, unsafe { call(session, data, data_len, out.as_mut_ptr(), &mut len) })?;
    Ok(len)
}

/// A length that a module tells must not be beyond the room that it was given.
fn fits(len: CK_ULONG, room: usize) -> Result<usize, Error> {
    let len = usize::try_from(len).ok().filter(|len| *len <= room);
    len.ok_or_else(|| Error::answer("tells a length beyond its buffer"))
}

fn shorten(out: &mut Vec<u8>, len: CK_ULONG) -> Result<(), Error> {
    out.truncate(fits(len, out.len())?);
    Ok(())
}
