//! SM4-CCM and SM4-GCM-SIV, in one call.

use toolkit::{
    keys::selftest::{self, Algorithm},
    sm4::{ccm::Ccm, gcm_siv::GcmSiv},
};
use zeroize::Zeroizing;

use crate::{
    export::export,
    handle::handles,
    pointer::{In, InArray, Out, OutArray, Owned, Ref, Slot},
};

handles! {
    /// An SM4-CCM key with the length of its tags. Any number of threads may use it at the same
    /// time.
    struct gmkit_sm4_ccm(CcmKey);
    /// An SM4-GCM-SIV key. Any number of threads may use it at the same time.
    struct gmkit_sm4_gcm_siv(GcmSiv);
}

/// A key that knows the length of its tags.
pub struct CcmKey {
    ccm: Ccm,
    tag_len: usize,
}

export! {
    /// Takes an SM4 key of 16 bytes for CCM (NIST SP 800-38C) with tags of 12, 14 or 16 bytes. Free
    /// it with `gmkit_sm4_ccm_free`.
    ///
    /// Errors: GMKIT_ERR_ARGUMENT for another tag length.
    fn gmkit_sm4_ccm_new(key: InArray<16>, tag_len: usize, ccm: Slot<gmkit_sm4_ccm>) {
        selftest::require(Algorithm::Sm4)?;
        ccm.put(CcmKey { ccm: Ccm::with_tag_len(key.get()?, tag_len)?, tag_len })
    }

    /// Encrypts and authenticates a message. A nonce has 7 to 13 bytes AND MUST NEVER BE USED TWICE
    /// UNDER ONE KEY; with n bytes of it the message has less than 2^(8 (15 - n)) bytes.
    /// `ciphertext` has room for `len` bytes and may be `plaintext`; `tag` has room for the key's
    /// tag length.
    ///
    /// Errors: GMKIT_ERR_ARGUMENT, GMKIT_ERR_TOO_LONG.
    fn gmkit_sm4_ccm_seal(
        ccm: Ref<gmkit_sm4_ccm>,
        nonce: In,
        nonce_len: usize,
        aad: In,
        aad_len: usize,
        plaintext: In,
        ciphertext: Out,
        len: usize,
        tag: Out,
    ) {
        let (key, nonce, aad) = (ccm.get()?, nonce.bytes(nonce_len)?, aad.bytes(aad_len)?);
        tag.check()?;
        ciphertext.check_room(len)?;
        let mut data = Zeroizing::new(plaintext.bytes(len)?.to_vec());
        let sealed = key.ccm.seal(nonce, aad, &mut data)?;
        tag.apart_from_out(key.tag_len, &ciphertext, len)?;
        ciphertext.write(&data)?;
        tag.write(sealed.as_bytes())
    }

    /// Checks the tag, of the key's tag length, and only then writes the plaintext, `len` bytes.
    /// `plaintext` may be `ciphertext`.
    ///
    /// Errors: GMKIT_ERR_REJECTED when the message is not authentic; GMKIT_ERR_ARGUMENT,
    /// GMKIT_ERR_TOO_LONG.
    fn gmkit_sm4_ccm_open(
        ccm: Ref<gmkit_sm4_ccm>,
        nonce: In,
        nonce_len: usize,
        aad: In,
        aad_len: usize,
        ciphertext: In,
        plaintext: Out,
        len: usize,
        tag: In,
        tag_len: usize,
    ) {
        let (key, nonce, aad) = (ccm.get()?, nonce.bytes(nonce_len)?, aad.bytes(aad_len)?);
        plaintext.check_room(len)?;
        let mut data = Zeroizing::new(ciphertext.bytes(len)?.to_vec());
        key.ccm.open(nonce, aad, &mut data, tag.bytes(tag_len)?)?;
        plaintext.write(&data)
    }

    /// Wipes and frees. NULL is allowed.
    fn gmkit_sm4_ccm_free(ccm: Owned<gmkit_sm4_ccm>) = void {
        ccm.free();
    }

    /// Takes an SM4 key of 16 bytes for GCM-SIV: the construction of RFC 8452 with SM4, which
    /// forgives a repeated nonce (it then tells whether two messages are equal, and no more). No
    /// other software is known to have it. Free it with `gmkit_sm4_gcm_siv_free`.
    fn gmkit_sm4_gcm_siv_new(key: InArray<16>, siv: Slot<gmkit_sm4_gcm_siv>) {
        selftest::require(Algorithm::Sm4)?;
        siv.put(GcmSiv::new(key.get()?))
    }

    /// Encrypts and authenticates a message under a nonce of 12 bytes. `ciphertext` has room for
    /// `len` bytes and may be `plaintext`; `tag` has room for 16 bytes.
    ///
    /// Errors: GMKIT_ERR_ARGUMENT, GMKIT_ERR_TOO_LONG.
    fn gmkit_sm4_gcm_siv_seal(
        siv: Ref<gmkit_sm4_gcm_siv>,
        nonce: InArray<12>,
        aad: In,
        aad_len: usize,
        plaintext: In,
        ciphertext: Out,
        len: usize,
        tag: OutArray<16>,
    ) {
        let (key, nonce, aad) = (siv.get()?, nonce.get()?, aad.bytes(aad_len)?);
        tag.check()?;
        ciphertext.check_room(len)?;
        let mut data = Zeroizing::new(plaintext.bytes(len)?.to_vec());
        let sealed = key.seal(nonce, aad, &mut data)?;
        tag.apart_from(&ciphertext, len)?;
        ciphertext.write(&data)?;
        tag.write(&sealed)
    }

    /// Checks the tag of 16 bytes and only then writes the plaintext, `len` bytes. `plaintext` may
    /// be `ciphertext`.
    ///
    /// Errors: GMKIT_ERR_REJECTED when the message is not authentic; GMKIT_ERR_TOO_LONG.
    fn gmkit_sm4_gcm_siv_open(
        siv: Ref<gmkit_sm4_gcm_siv>,
        nonce: InArray<12>,
        aad: In,
        aad_len: usize,
        ciphertext: In,
        plaintext: Out,
        len: usize,
        tag: InArray<16>,
    ) {
        let (key, nonce, aad) = (siv.get()?, nonce.get()?, aad.bytes(aad_len)?);
        plaintext.check_room(len)?;
        let mut data = Zeroizing::new(ciphertext.bytes(len)?.to_vec());
        key.open(nonce, aad, &mut data, tag.get()?)?;
        plaintext.write(&data)
    }

    /// Wipes and frees. NULL is allowed.
    fn gmkit_sm4_gcm_siv_free(siv: Owned<gmkit_sm4_gcm_siv>) = void {
        siv.free();
    }
}
