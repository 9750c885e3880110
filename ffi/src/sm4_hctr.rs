//! SM4-HCTR.

use toolkit::{
    keys::selftest::{self, Algorithm},
    sm4::{self, hctr::Hctr},
};

use crate::{
    export::export,
    handle::handles,
    pointer::{In, InArray, Out, Owned, Ref, Slot},
    sm4_xts::unit,
};

handles! {
    /// An SM4-HCTR key. Any number of threads may use it at the same time.
    struct gmkit_sm4_hctr(Hctr);
}

export! {
    /// Takes the two keys of HCTR (GB/T 17964-2021), 16 bytes each and independent: `k1` for the
    /// cipher, `k2` for the hash. Free it with `gmkit_sm4_hctr_free`.
    fn gmkit_sm4_hctr_new(k1: InArray<16>, k2: InArray<16>, hctr: Slot<gmkit_sm4_hctr>) {
        // GCM's test covers the hash, which is the same.
        selftest::require(Algorithm::Sm4)?;
        selftest::require(Algorithm::Sm4Gcm)?;
        hctr.put(Hctr::new(k1.get()?, k2.get()?))
    }

    /// Encrypts `len` bytes, at least 16, as one wide block under a tweak of 16 bytes. `output` has
    /// room for `len` bytes; it may be `input`. HCTR does not authenticate.
    ///
    /// Errors: GMKIT_ERR_ARGUMENT.
    fn gmkit_sm4_hctr_encrypt(
        hctr: Ref<gmkit_sm4_hctr>,
        tweak: InArray<16>,
        input: In,
        output: Out,
        len: usize,
    ) {
        let allowed = check_len(len);
        unit(hctr.get()?, &tweak, &input, &mut output, len, allowed, Hctr::encrypt)
    }

    /// Decrypts, as `gmkit_sm4_hctr_encrypt`.
    ///
    /// Errors: GMKIT_ERR_ARGUMENT.
    fn gmkit_sm4_hctr_decrypt(
        hctr: Ref<gmkit_sm4_hctr>,
        tweak: InArray<16>,
        input: In,
        output: Out,
        len: usize,
    ) {
        let allowed = check_len(len);
        unit(hctr.get()?, &tweak, &input, &mut output, len, allowed, Hctr::decrypt)
    }

    /// Wipes and frees. NULL is allowed.
    fn gmkit_sm4_hctr_free(hctr: Owned<gmkit_sm4_hctr>) = void {
        hctr.free();
    }
}

/// HCTR needs a whole block.
fn check_len(len: usize) -> Result<(), sm4::Error> {
    if len < sm4::BLOCK_SIZE { Err(sm4::Error::TooShort) } else { Ok(()) }
}
