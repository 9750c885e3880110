//! SM4-FF1, format-preserving encryption.

use toolkit::{
    keys::selftest::{self, Algorithm},
    sm4::{
        self,
        ff1::{Alphabet, Ff1},
    },
};
use zeroize::Zeroizing;

use crate::{
    export::export,
    fault::Fault,
    handle::handles,
    pointer::{In, InArray, Len, Out, Output, Owned, Ref, Slot, Text},
};

/// A key and the characters that it works on.
pub struct Keyed {
    ff1: Ff1,
    alphabet: Alphabet,
}

handles! {
    /// An SM4-FF1 key with its alphabet. Any number of threads may use it at the same time.
    struct gmkit_sm4_ff1(Keyed);
}

export! {
    /// Takes a key of 16 bytes for FF1 (NIST SP 800-38G revision 1) on texts of the given alphabet:
    /// 2 to 65,536 different characters in UTF-8, as "0123456789". Free it with
    /// `gmkit_sm4_ff1_free`.
    ///
    /// Errors: GMKIT_ERR_ARGUMENT.
    fn gmkit_sm4_ff1_new(key: InArray<16>, alphabet: Text, ff1: Slot<gmkit_sm4_ff1>) {
        selftest::require(Algorithm::Sm4)?;
        let (key, alphabet) = (key.get()?, Alphabet::new(alphabet.get()?)?);
        ff1.put(Keyed { ff1: Ff1::new(key, alphabet.radix())?, alphabet })
    }

    /// Encrypts a text (UTF-8, without a NUL byte at its end) to another one of as many characters
    /// of the alphabet. The tweak has any length and is not secret: put in it what is known about
    /// the record. The text must have a million possible values, and at most 4096 characters. `out`
    /// needs room for four bytes per byte of `text`, and gets no NUL byte.
    ///
    /// Errors: GMKIT_ERR_ARGUMENT, GMKIT_ERR_BUFFER_TOO_SMALL; GMKIT_ERR_TOO_LONG for a tweak of
    /// 4 GiB.
    fn gmkit_sm4_ff1_encrypt(
        ff1: Ref<gmkit_sm4_ff1>,
        tweak: In,
        tweak_len: usize,
        text: In,
        text_len: usize,
        out: Out,
        out_len: Len,
    ) {
        let (key, tweak) = (ff1.get()?, tweak.bytes(tweak_len)?);
        into_text(&text, text_len, &mut out, &out_len, |text| {
            key.ff1.encrypt_text(&key.alphabet, tweak, text)
        })
    }

    /// Decrypts, as `gmkit_sm4_ff1_encrypt`. Nothing is authenticated: a wrong key or tweak gives
    /// another text.
    ///
    /// Errors: GMKIT_ERR_ARGUMENT, GMKIT_ERR_BUFFER_TOO_SMALL.
    fn gmkit_sm4_ff1_decrypt(
        ff1: Ref<gmkit_sm4_ff1>,
        tweak: In,
        tweak_len: usize,
        text: In,
        text_len: usize,
        out: Out,
        out_len: Len,
    ) {
        let (key, tweak) = (ff1.get()?, tweak.bytes(tweak_len)?);
        into_text(&text, text_len, &mut out, &out_len, |text| {
            key.ff1.decrypt_text(&key.alphabet, tweak, text)
        })
    }

    /// Wipes and frees. NULL is allowed.
    fn gmkit_sm4_ff1_free(ff1: Owned<gmkit_sm4_ff1>) = void {
        ff1.free();
    }
}

/// Makes one text of another that has at most four times as many bytes.
fn into_text(
    text: &In,
    text_len: usize,
    out: &mut Out,
    out_len: &Len,
    work: impl FnOnce(&str) -> Result<Zeroizing<String>, sm4::Error>,
) -> Result<(), Fault> {
    let text = std::str::from_utf8(text.bytes(text_len)?)
        .map_err(|_| Fault::argument("the text is not UTF-8"))?;
    let Some(out) = Output::new(out, out_len, text.len().saturating_mul(4))? else {
        return Ok(());
    };
    out.write(work(text)?.as_bytes())
}
