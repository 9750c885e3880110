//! Sharp tools, for protocols that hash elsewhere and for building modes that are not here.

use toolkit::{
    keys::selftest::{self, Algorithm},
    sm2, sm4,
};

use crate::{
    export::export,
    fault::{Fault, gmkit_error},
    pointer::{In, InArray, InOut, Len, Out, Output, Ref},
    private_key::gmkit_private_key,
    public_key::gmkit_public_key,
    sm2_sign::SignatureForm,
};

export! {
    /// Signs e = SM3(Z, M), 32 big-endian bytes, computed elsewhere. HAZARDOUS: whoever may choose
    /// `e` gets signatures over messages of unknown content. `form`, `out` as in `gmkit_sm2_sign`.
    ///
    /// Errors: GMKIT_ERR_UNSUPPORTED for a key that has not this capability; else as
    /// `gmkit_sm2_sign`.
    fn gmkit_hazmat_sm2_sign_e(
        key: Ref<gmkit_private_key>,
        e: InArray<32>,
        form: u32,
        out: Out,
        out_len: Len,
    ) {
        let (key, e, form) = (key.get()?.key(), e.get()?, SignatureForm::of(form)?);
        let key = key.as_sign_e().ok_or_else(|| {
            Fault::new(gmkit_error::GMKIT_ERR_UNSUPPORTED, "this key cannot sign a bare e")
        })?;
        let Some(out) = Output::new(&mut out, &out_len, form.most())? else {
            return Ok(());
        };
        form.write(&key.sign_e(e)?, out)
    }

    /// Verifies a signature over e = SM3(Z, M), 32 big-endian bytes, computed elsewhere.
    ///
    /// Errors: as `gmkit_sm2_verify`.
    fn gmkit_hazmat_sm2_verify_e(
        key: Ref<gmkit_public_key>,
        e: InArray<32>,
        form: u32,
        signature: In,
        signature_len: usize,
    ) {
        selftest::require(Algorithm::Sm2Signature)?;
        let signature = SignatureForm::of(form)?.read(signature.bytes(signature_len)?)?;
        Ok(sm2::hazmat::verify_e(key.get()?, e.get()?, &signature)?)
    }

    /// Encrypts blocks of 16 bytes with SM4, each on its own (ECB). HAZARDOUS: equal blocks stay
    /// visibly equal. `len` is a multiple of 16; `output` may be `input`.
    ///
    /// Errors: GMKIT_ERR_ARGUMENT.
    fn gmkit_hazmat_sm4_encrypt_blocks(
        key: InArray<16>,
        input: In,
        output: Out,
        len: usize,
    ) {
        blocks(key, &input, &mut output, len, sm4::hazmat::ecb_encrypt)
    }

    /// Decrypts blocks of 16 bytes with SM4, each on its own (ECB). `len` is a multiple of 16;
    /// `output` may be `input`.
    ///
    /// Errors: GMKIT_ERR_ARGUMENT.
    fn gmkit_hazmat_sm4_decrypt_blocks(
        key: InArray<16>,
        input: In,
        output: Out,
        len: usize,
    ) {
        blocks(key, &input, &mut output, len, sm4::hazmat::ecb_decrypt)
    }
}

fn blocks(
    key: InArray<16>,
    input: &In,
    output: &mut Out,
    len: usize,
    work: fn(&sm4::Sm4, &mut [[u8; 16]]),
) -> Result<(), Fault> {
    selftest::require(Algorithm::Sm4)?;
    let cipher = sm4::Sm4::new(key.get()?);
    if !len.is_multiple_of(16) {
        return Err(Fault::argument("the length is not a multiple of 16"));
    }
    let (blocks, _) = InOut::new(input, output, len)?.copied().as_chunks_mut::<16>();
    work(&cipher, blocks);
    Ok(())
}
