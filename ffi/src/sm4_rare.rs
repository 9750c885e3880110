//! SM4 in BC and OFBNLF mode.

use toolkit::{
    keys::selftest::{self, Algorithm},
    sm4::{bc, ofbnlf},
};

use crate::{
    export::export,
    fault::Fault,
    pointer::{In, InArray, InOut, Out},
};

export! {
    /// BC mode of GB/T 17964-2021 over `len` bytes, a multiple of 16, with an unpredictable IV.
    /// `output` has room for `len` bytes; it may be `input`. BC does not authenticate.
    ///
    /// Errors: GMKIT_ERR_ARGUMENT.
    fn gmkit_sm4_bc_encrypt(
        key: InArray<16>,
        iv: InArray<16>,
        input: In,
        output: Out,
        len: usize,
    ) {
        blocks(&key, &iv, &input, &mut output, len, |key, iv, blocks| {
            bc::Encryptor::new(key, iv).encrypt(blocks);
        })
    }

    /// Decrypts, as `gmkit_sm4_bc_encrypt`.
    ///
    /// Errors: GMKIT_ERR_ARGUMENT.
    fn gmkit_sm4_bc_decrypt(
        key: InArray<16>,
        iv: InArray<16>,
        input: In,
        output: Out,
        len: usize,
    ) {
        blocks(&key, &iv, &input, &mut output, len, |key, iv, blocks| {
            bc::Decryptor::new(key, iv).decrypt(blocks);
        })
    }

    /// OFBNLF mode of GB/T 17964-2021 over `len` bytes, a multiple of 16, with an IV that must not
    /// repeat under one key. `output` has room for `len` bytes; it may be `input`. OFBNLF does not
    /// authenticate.
    ///
    /// Errors: GMKIT_ERR_ARGUMENT.
    fn gmkit_sm4_ofbnlf_encrypt(
        key: InArray<16>,
        iv: InArray<16>,
        input: In,
        output: Out,
        len: usize,
    ) {
        blocks(&key, &iv, &input, &mut output, len, |key, iv, blocks| {
            ofbnlf::Encryptor::new(key, iv).encrypt(blocks);
        })
    }

    /// Decrypts, as `gmkit_sm4_ofbnlf_encrypt`.
    ///
    /// Errors: GMKIT_ERR_ARGUMENT.
    fn gmkit_sm4_ofbnlf_decrypt(
        key: InArray<16>,
        iv: InArray<16>,
        input: In,
        output: Out,
        len: usize,
    ) {
        blocks(&key, &iv, &input, &mut output, len, |key, iv, blocks| {
            ofbnlf::Decryptor::new(key, iv).decrypt(blocks);
        })
    }
}

fn blocks(
    key: &InArray<16>,
    iv: &InArray<16>,
    input: &In,
    output: &mut Out,
    len: usize,
    work: impl FnOnce(&[u8; 16], &[u8; 16], &mut [[u8; 16]]),
) -> Result<(), Fault> {
    selftest::require(Algorithm::Sm4)?;
    let (key, iv) = (key.get()?, iv.get()?);
    output.apart_from(len, &[key, iv])?;
    if !len.is_multiple_of(16) {
        return Err(Fault::argument("the length is not a multiple of 16"));
    }
    work(key, iv, InOut::new(input, output, len)?.copied().as_chunks_mut().0);
    Ok(())
}
