//! SM4-XTS.

use toolkit::{
    keys::selftest::{self, Algorithm},
    sm4::{self, xts::Xts},
};

use crate::{
    export::export,
    fault::Fault,
    handle::handles,
    pointer::{In, InArray, InOut, Out, Owned, Ref, Slot},
};

/// XTS of GB/T 17964-2021: what OpenSSL, Tongsuo and GmSSL do for SM4 unless told otherwise.
pub const GMKIT_XTS_GB: u32 = 0;
/// XTS of IEEE 1619 and NIST SP 800-38E. It agrees with the other one on the first block only.
pub const GMKIT_XTS_IEEE: u32 = 1;

handles! {
    /// An SM4-XTS key. Any number of threads may use it at the same time.
    struct gmkit_sm4_xts(Xts);
}

export! {
    /// Takes an XTS key K1, K2 of 32 bytes. `standard` is GMKIT_XTS_GB or GMKIT_XTS_IEEE. Free it
    /// with `gmkit_sm4_xts_free`.
    ///
    /// Errors: GMKIT_ERR_ARGUMENT for an unknown standard, or when K1 = K2.
    fn gmkit_sm4_xts_new(key: InArray<32>, standard: u32, xts: Slot<gmkit_sm4_xts>) {
        selftest::require(Algorithm::Sm4)?;
        xts.put(match standard {
            GMKIT_XTS_GB => Xts::gb(key.get()?)?,
            GMKIT_XTS_IEEE => Xts::ieee(key.get()?)?,
            _ => return Err(Fault::argument("unknown XTS standard")),
        })
    }

    /// Encrypts a data unit of 16 to 2^24 bytes under a tweak of 16 bytes (for disks the number of
    /// the sector, little-endian). `output` has room for `len` bytes; it may be `input`. XTS does
    /// not authenticate.
    ///
    /// Errors: GMKIT_ERR_ARGUMENT.
    fn gmkit_sm4_xts_encrypt(
        xts: Ref<gmkit_sm4_xts>,
        tweak: InArray<16>,
        input: In,
        output: Out,
        len: usize,
    ) {
        let allowed = Xts::check_len(len);
        unit(xts.get()?, &tweak, &input, &mut output, len, allowed, Xts::encrypt)
    }

    /// Decrypts a data unit, as `gmkit_sm4_xts_encrypt`.
    ///
    /// Errors: GMKIT_ERR_ARGUMENT.
    fn gmkit_sm4_xts_decrypt(
        xts: Ref<gmkit_sm4_xts>,
        tweak: InArray<16>,
        input: In,
        output: Out,
        len: usize,
    ) {
        let allowed = Xts::check_len(len);
        unit(xts.get()?, &tweak, &input, &mut output, len, allowed, Xts::decrypt)
    }

    /// Wipes and frees. NULL is allowed.
    fn gmkit_sm4_xts_free(xts: Owned<gmkit_sm4_xts>) = void {
        xts.free();
    }
}

/// Works on all of the data at once, under a tweak. `allowed` says whether the length is: before
/// the input is copied, so that a refusal leaves the output as it is.
pub(crate) fn unit<K>(
    key: &K,
    tweak: &InArray<16>,
    input: &In,
    output: &mut Out,
    len: usize,
    allowed: Result<(), sm4::Error>,
    work: impl FnOnce(&K, &[u8; 16], &mut [u8]) -> Result<(), sm4::Error>,
) -> Result<(), Fault> {
    let tweak = tweak.get()?;
    output.apart_from(len, &[tweak])?;
    allowed?;
    Ok(work(key, tweak, InOut::new(input, output, len)?.copied())?)
}
