//! SM2 public-key encryption.

use toolkit::{
    keys::{
        SysRng,
        selftest::{self, Algorithm},
    },
    sm2::Ciphertext,
};

use crate::{
    export::export,
    fault::{Fault, gmkit_error},
    pointer::{In, Len, Out, Output, Ref},
    private_key::gmkit_private_key,
    public_key::gmkit_public_key,
};

/// Ciphertext in DER (GB/T 35276-2017): what OpenSSL, Tongsuo and GmSSL use.
pub const GMKIT_CIPHERTEXT_DER: u32 = 0;
/// Ciphertext as C1, C3, C2, the raw form of GB/T 32918.4-2016.
pub const GMKIT_CIPHERTEXT_C1C3C2: u32 = 1;
/// Ciphertext as C1, C2, C3, the raw form of the 2010 draft.
pub const GMKIT_CIPHERTEXT_C1C2C3: u32 = 2;

/// How many bytes a ciphertext of any form is longer than its plaintext, at most.
pub const GMKIT_CIPHERTEXT_OVERHEAD: usize = 128;

/// The three encodings of a ciphertext.
#[derive(Clone, Copy)]
enum CiphertextForm {
    Der,
    C1C3C2,
    C1C2C3,
}

impl CiphertextForm {
    fn of(number: u32) -> Result<Self, Fault> {
        match number {
            GMKIT_CIPHERTEXT_DER => Ok(Self::Der),
            GMKIT_CIPHERTEXT_C1C3C2 => Ok(Self::C1C3C2),
            GMKIT_CIPHERTEXT_C1C2C3 => Ok(Self::C1C2C3),
            _ => Err(Fault::argument("unknown form of a ciphertext")),
        }
    }

    fn read(self, bytes: &[u8]) -> Result<Ciphertext, Fault> {
        Ok(match self {
            Self::Der => Ciphertext::from_der(bytes)?,
            Self::C1C3C2 => Ciphertext::from_c1c3c2(bytes)?,
            Self::C1C2C3 => Ciphertext::from_c1c2c3(bytes)?,
        })
    }

    fn write(self, ciphertext: &Ciphertext) -> Result<Vec<u8>, Fault> {
        Ok(match self {
            Self::Der => ciphertext.to_der()?,
            Self::C1C3C2 => ciphertext.to_c1c3c2(),
            Self::C1C2C3 => ciphertext.to_c1c2c3(),
        })
    }
}

export! {
    /// Encrypts a short message to a public key (GB/T 32918.4-2016). `form` is
    /// GMKIT_CIPHERTEXT_DER, _C1C3C2 or _C1C2C3; `out` needs room for `len` +
    /// GMKIT_CIPHERTEXT_OVERHEAD bytes. For anything but keys, encrypt a fresh SM4 key this way
    /// and the message under that key.
    ///
    /// Errors: GMKIT_ERR_ARGUMENT for an empty message, GMKIT_ERR_TOO_LONG,
    /// GMKIT_ERR_BUFFER_TOO_SMALL, GMKIT_ERR_RANDOM.
    fn gmkit_sm2_encrypt(
        key: Ref<gmkit_public_key>,
        plaintext: In,
        len: usize,
        form: u32,
        out: Out,
        out_len: Len,
    ) {
        selftest::require(Algorithm::Sm2Encryption)?;
        let (key, plaintext) = (key.get()?, plaintext.bytes(len)?);
        let form = CiphertextForm::of(form)?;
        let most = len.checked_add(GMKIT_CIPHERTEXT_OVERHEAD).ok_or_else(|| {
            Fault::new(gmkit_error::GMKIT_ERR_TOO_LONG, "the message is too long")
        })?;
        let Some(out) = Output::new(&mut out, &out_len, most)? else {
            return Ok(());
        };
        out.write(&form.write(&key.encrypt(&mut SysRng, plaintext)?)?)
    }

    /// Decrypts what `gmkit_sm2_encrypt` or another implementation made. `out` needs room for as
    /// many bytes as the plaintext has: give `len` bytes, or ask with a NULL `out`, which
    /// decrypts too.
    ///
    /// Errors: GMKIT_ERR_REJECTED when it does not decrypt; GMKIT_ERR_ENCODING when it is
    /// malformed; GMKIT_ERR_BUFFER_TOO_SMALL, GMKIT_ERR_UNSUPPORTED.
    fn gmkit_sm2_decrypt(
        key: Ref<gmkit_private_key>,
        ciphertext: In,
        len: usize,
        form: u32,
        out: Out,
        out_len: Len,
    ) {
        let key = key.get()?.key();
        let ciphertext = CiphertextForm::of(form)?.read(ciphertext.bytes(len)?)?;
        out_len.check()?;
        // First the verdict, as in `gmkit_secret_key_open`.
        let plaintext = key.decrypt(&ciphertext)?;
        match Output::new(&mut out, &out_len, plaintext.len())? {
            Some(out) => out.write(&plaintext),
            None => Ok(()),
        }
    }
}
