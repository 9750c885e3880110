//! SM4-CTR.

use toolkit::{
    keys::selftest::{self, Algorithm},
    sm4::ctr::Ctr,
};

use crate::{
    export::export,
    handle::handles,
    pointer::{In, InArray, InOut, Out, Owned, RefMut, Slot},
};

handles! {
    /// SM4-CTR over a stream of pieces. Not for two threads at the same time.
    struct gmkit_sm4_ctr(Ctr);
}

export! {
    /// Starts SM4-CTR (GB/T 17964-2021) with a key of 16 bytes and an IV of 16 bytes, the first
    /// counter block, big-endian. One IV must never be used twice under one key, and CTR does not
    /// authenticate: unless a peer dictates it, use GCM. Free it with `gmkit_sm4_ctr_free`.
    fn gmkit_sm4_ctr_new(key: InArray<16>, iv: InArray<16>, ctr: Slot<gmkit_sm4_ctr>) {
        selftest::require(Algorithm::Sm4)?;
        ctr.put(Ctr::new(key.get()?, iv.get()?))
    }

    /// Encrypts or decrypts, which is the same, the next piece of any length. `output` has room
    /// for `len` bytes; it may be `input`.
    fn gmkit_sm4_ctr_update(
        ctr: RefMut<gmkit_sm4_ctr>,
        input: In,
        output: Out,
        len: usize,
    ) {
        ctr.with(|ctr| {
            match InOut::new(&input, &mut output, len)? {
                InOut::InPlace(buffer) => ctr.apply_keystream(buffer),
                InOut::Apart(input, output) => ctr.apply_keystream_to(input, output)?,
            }
            Ok(())
        })
    }

    /// Wipes and frees. NULL is allowed.
    fn gmkit_sm4_ctr_free(ctr: Owned<gmkit_sm4_ctr>) = void {
        ctr.free();
    }
}
