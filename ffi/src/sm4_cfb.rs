//! SM4-CFB and SM4-OFB, with feedback of 128 bits.

use toolkit::{
    keys::selftest::{self, Algorithm},
    sm4::{cfb, ofb::Ofb},
};

use crate::{
    export::export,
    handle::handles,
    pointer::{In, InArray, InOut, Out, Owned, RefMut, Slot},
};

handles! {
    /// SM4-CFB encryption of a stream of pieces. Not for two threads at the same time.
    struct gmkit_sm4_cfb_encryptor(cfb::Encryptor);
    /// SM4-CFB decryption of a stream of pieces. Not for two threads at the same time.
    struct gmkit_sm4_cfb_decryptor(cfb::Decryptor);
    /// SM4-OFB over a stream of pieces. Not for two threads at the same time.
    struct gmkit_sm4_ofb(Ofb);
}

export! {
    /// Starts SM4-CFB encryption (GB/T 17964-2021, feedback of 128 bits) with a key and an IV of
    /// 16 bytes each. One IV must not be used twice under one key, and CFB does not authenticate:
    /// unless a peer dictates it, use GCM. Free it with `gmkit_sm4_cfb_encryptor_free`.
    fn gmkit_sm4_cfb_encryptor_new(
        key: InArray<16>,
        iv: InArray<16>,
        encryptor: Slot<gmkit_sm4_cfb_encryptor>,
    ) {
        selftest::require(Algorithm::Sm4)?;
        encryptor.put(cfb::Encryptor::new(key.get()?, iv.get()?))
    }

    /// Encrypts the next piece of any length. `output` has room for `len` bytes; it may be `input`.
    fn gmkit_sm4_cfb_encryptor_update(
        encryptor: RefMut<gmkit_sm4_cfb_encryptor>,
        input: In,
        output: Out,
        len: usize,
    ) {
        encryptor.with(|encryptor| {
            encryptor.encrypt(InOut::new(&input, &mut output, len)?.copied());
            Ok(())
        })
    }

    /// Wipes and frees. NULL is allowed.
    fn gmkit_sm4_cfb_encryptor_free(encryptor: Owned<gmkit_sm4_cfb_encryptor>) = void {
        encryptor.free();
    }

    /// Starts SM4-CFB decryption with a key and an IV of 16 bytes each. Free it with
    /// `gmkit_sm4_cfb_decryptor_free`.
    fn gmkit_sm4_cfb_decryptor_new(
        key: InArray<16>,
        iv: InArray<16>,
        decryptor: Slot<gmkit_sm4_cfb_decryptor>,
    ) {
        selftest::require(Algorithm::Sm4)?;
        decryptor.put(cfb::Decryptor::new(key.get()?, iv.get()?))
    }

    /// Decrypts the next piece of any length. `output` has room for `len` bytes; it may be `input`.
    fn gmkit_sm4_cfb_decryptor_update(
        decryptor: RefMut<gmkit_sm4_cfb_decryptor>,
        input: In,
        output: Out,
        len: usize,
    ) {
        decryptor.with(|decryptor| {
            decryptor.decrypt(InOut::new(&input, &mut output, len)?.copied());
            Ok(())
        })
    }

    /// Wipes and frees. NULL is allowed.
    fn gmkit_sm4_cfb_decryptor_free(decryptor: Owned<gmkit_sm4_cfb_decryptor>) = void {
        decryptor.free();
    }

    /// Starts SM4-OFB (GB/T 17964-2021, feedback of 128 bits) with a key and an IV of 16 bytes
    /// each. What `gmkit_sm4_cfb_encryptor_new` says about the IV holds here. Free it with
    /// `gmkit_sm4_ofb_free`.
    fn gmkit_sm4_ofb_new(key: InArray<16>, iv: InArray<16>, ofb: Slot<gmkit_sm4_ofb>) {
        selftest::require(Algorithm::Sm4)?;
        ofb.put(Ofb::new(key.get()?, iv.get()?))
    }

    /// Encrypts or decrypts, which is the same, the next piece of any length. `output` has room
    /// for `len` bytes; it may be `input`.
    fn gmkit_sm4_ofb_update(ofb: RefMut<gmkit_sm4_ofb>, input: In, output: Out, len: usize) {
        ofb.with(|ofb| {
            ofb.apply_keystream(InOut::new(&input, &mut output, len)?.copied());
            Ok(())
        })
    }

    /// Wipes and frees. NULL is allowed.
    fn gmkit_sm4_ofb_free(ofb: Owned<gmkit_sm4_ofb>) = void {
        ofb.free();
    }
}
