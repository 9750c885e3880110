//! SM4-CBC with PKCS#7 padding.

use toolkit::{
    keys::selftest::{self, Algorithm},
    sm4::cbc::{Decryptor, Encryptor},
};
use zeroize::Zeroizing;

use crate::{
    export::export,
    fault::Fault,
    handle::handles,
    pointer::{In, InArray, Len, Out, Output, Owned, RefMut, Slot},
};

handles! {
    /// SM4-CBC encryption of a message in pieces. Not for two threads at the same time.
    struct gmkit_sm4_cbc_encryptor(Option<Encryptor>);
    /// SM4-CBC decryption of a message in pieces. Not for two threads at the same time.
    struct gmkit_sm4_cbc_decryptor(Option<Decryptor>);
}

/// A block more than what came in: the most that an update can give out.
fn most(piece_len: usize) -> usize {
    piece_len.saturating_add(15)
}

export! {
    /// Starts SM4-CBC encryption with PKCS#7 padding (GB/T 17964-2021) with a key of 16 bytes and
    /// an IV of 16 bytes that nobody could predict. CBC does not authenticate: unless a peer
    /// dictates it, use GCM. Free it with `gmkit_sm4_cbc_encryptor_free`.
    fn gmkit_sm4_cbc_encryptor_new(
        key: InArray<16>,
        iv: InArray<16>,
        encryptor: Slot<gmkit_sm4_cbc_encryptor>,
    ) {
        selftest::require(Algorithm::Sm4)?;
        encryptor.put(Some(Encryptor::new(key.get()?, iv.get()?)))
    }

    /// Encrypts the next piece, of any length. `out` needs room for `piece_len` + 15 bytes, of
    /// which the whole blocks so far are written. It may overlap with `piece`.
    ///
    /// Errors: GMKIT_ERR_BUFFER_TOO_SMALL, GMKIT_ERR_FINISHED; nothing was taken in then.
    fn gmkit_sm4_cbc_encryptor_update(
        encryptor: RefMut<gmkit_sm4_cbc_encryptor>,
        piece: In,
        piece_len: usize,
        out: Out,
        out_len: Len,
    ) {
        encryptor.with(|encryptor| {
            let encryptor = encryptor.as_mut().ok_or_else(Fault::finished)?;
            let Some(mut out) = Output::new(&mut out, &out_len, most(piece_len))? else {
                return Ok(());
            };
            let piece = piece.bytes_apart_from(piece_len, &out)?;
            let written = encryptor.update(&piece, out.buffer()?)?;
            out.finish(written);
            Ok(())
        })
    }

    /// Writes the padded last block, 16 bytes, and ends the message. `out` is not NULL.
    ///
    /// Errors: GMKIT_ERR_BUFFER_TOO_SMALL, GMKIT_ERR_FINISHED.
    fn gmkit_sm4_cbc_encryptor_finish(
        encryptor: RefMut<gmkit_sm4_cbc_encryptor>,
        out: Out,
        out_len: Len,
    ) {
        encryptor.with(|slot| {
            if slot.is_none() {
                return Err(Fault::finished());
            }
            let mut out = Output::given(&mut out, &out_len, 16)?;
            let encryptor = slot.take().ok_or_else(Fault::finished)?;
            let written = encryptor.finish(out.buffer()?)?;
            out.finish(written);
            Ok(())
        })
    }

    /// Wipes and frees, also in the middle of a message. NULL is allowed.
    fn gmkit_sm4_cbc_encryptor_free(encryptor: Owned<gmkit_sm4_cbc_encryptor>) = void {
        encryptor.free();
    }

    /// Starts SM4-CBC decryption with PKCS#7 padding, with a key and an IV of 16 bytes each. Free
    /// it with `gmkit_sm4_cbc_decryptor_free`.
    fn gmkit_sm4_cbc_decryptor_new(
        key: InArray<16>,
        iv: InArray<16>,
        decryptor: Slot<gmkit_sm4_cbc_decryptor>,
    ) {
        selftest::require(Algorithm::Sm4)?;
        decryptor.put(Some(Decryptor::new(key.get()?, iv.get()?)))
    }

    /// Decrypts the next piece, of any length. `out` needs room for `piece_len` + 15 bytes, of
    /// which the whole blocks but the last are written. It may overlap with `piece`. Nothing here
    /// is authenticated.
    ///
    /// Errors: GMKIT_ERR_BUFFER_TOO_SMALL, GMKIT_ERR_FINISHED; nothing was taken in then.
    fn gmkit_sm4_cbc_decryptor_update(
        decryptor: RefMut<gmkit_sm4_cbc_decryptor>,
        piece: In,
        piece_len: usize,
        out: Out,
        out_len: Len,
    ) {
        decryptor.with(|decryptor| {
            let decryptor = decryptor.as_mut().ok_or_else(Fault::finished)?;
            let Some(mut out) = Output::new(&mut out, &out_len, most(piece_len))? else {
                return Ok(());
            };
            let piece = piece.bytes_apart_from(piece_len, &out)?;
            let written = decryptor.update(&piece, out.buffer()?)?;
            out.finish(written);
            Ok(())
        })
    }

    /// Checks the padding, writes what remains of the plaintext (0 to 15 bytes; `out` is not
    /// NULL and has room for 15) and ends the message, whatever the result.
    ///
    /// Errors: GMKIT_ERR_REJECTED when the padding is wrong or the message was no whole number of
    /// blocks. TELL NO PEER WHICH MESSAGES ARE REJECTED HERE unless they were authenticated
    /// before: it would give the plaintext away. GMKIT_ERR_BUFFER_TOO_SMALL, GMKIT_ERR_FINISHED.
    fn gmkit_sm4_cbc_decryptor_finish(
        decryptor: RefMut<gmkit_sm4_cbc_decryptor>,
        out: Out,
        out_len: Len,
    ) {
        decryptor.with(|slot| {
            if slot.is_none() {
                return Err(Fault::finished());
            }
            let out = Output::given(&mut out, &out_len, 15)?;
            let decryptor = slot.take().ok_or_else(Fault::finished)?;
            let mut last = Zeroizing::new([0; 15]);
            let written = decryptor.finish(&mut *last)?;
            out.write(&last[..written])
        })
    }

    /// Wipes and frees, also in the middle of a message. NULL is allowed.
    fn gmkit_sm4_cbc_decryptor_free(decryptor: Owned<gmkit_sm4_cbc_decryptor>) = void {
        decryptor.free();
    }
}
