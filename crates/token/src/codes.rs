//! The numbers of mechanisms and key types.
//!
//! PKCS#11 has no numbers for SM2, SM3 and SM4; each vendor takes its own above `0x80000000`. This
//! module's are in a block of its own, `0x80474D00` ("GM"), so that they are mistaken for nobody's.
//!
//! | mechanism | parameter | meaning |
//! |---|---|---|
//! | [`CKM_SM2_KEY_PAIR_GEN`] | none | EC_PARAMS may be absent, or sm2p256v1 |
//! | [`CKM_SM2`] | none | signs `e`, 32 bytes, with Z already in it; r ‖ s of 64 bytes |
//! | [`CKM_SM2_SM3`] | none, or the signer's ID | signs a message: e = SM3(Z ‖ M) |
//! | [`CKM_SM2_ENCRYPT`], [`CKM_SM2_ENCRYPT_DER`] | none | 04 ‖ C1 ‖ C3 ‖ C2, or DER (GM/T 0009) |
//! | [`CKM_SM3`], [`CKM_SM3_HMAC`] | none | |
//! | [`CKM_SM4_KEY_GEN`], [`CKM_SM4_ECB`], [`CKM_SM4_CMAC`] | none | |
//! | [`CKM_SM4_CBC`], [`CKM_SM4_CBC_PAD`] | IV, 16 bytes | |
//! | [`CKM_SM4_CTR`], [`CKM_SM4_GCM`] | as AES's | 128-bit counter; 12-byte IV, 128-bit tag |
//! | [`CKM_SM4_KEY_WRAP`], [`CKM_SM4_KEY_WRAP_PAD`] | none | RFC 3394, RFC 5649 |

use cryptoki_sys::{
    CK_FLAGS, CK_KEY_TYPE, CK_MECHANISM_TYPE, CKF_DECRYPT, CKF_DERIVE, CKF_DIGEST, CKF_EC_F_P,
    CKF_EC_NAMEDCURVE, CKF_EC_UNCOMPRESS, CKF_ENCRYPT, CKF_GENERATE, CKF_GENERATE_KEY_PAIR,
    CKF_SIGN, CKF_UNWRAP, CKF_VERIFY, CKF_WRAP, CKM_AES_CBC, CKM_AES_CBC_PAD, CKM_AES_CMAC,
    CKM_AES_CTR, CKM_AES_ECB, CKM_AES_GCM, CKM_AES_KEY_GEN, CKM_AES_KEY_WRAP, CKM_AES_KEY_WRAP_KWP,
    CKM_EC_KEY_PAIR_GEN, CKM_ECDH1_DERIVE, CKM_ECDSA, CKM_ECDSA_SHA256, CKM_ECDSA_SHA384,
    CKM_ECDSA_SHA512, CKM_GENERIC_SECRET_KEY_GEN, CKM_SHA256, CKM_SHA256_HMAC, CKM_SHA384,
    CKM_SHA384_HMAC, CKM_SHA512, CKM_SHA512_HMAC,
};

/// Key type of SM2 keys.
pub const CKK_SM2: CK_KEY_TYPE = 0x8047_4D01;
/// Key type of SM4 keys.
pub const CKK_SM4: CK_KEY_TYPE = 0x8047_4D02;
/// Makes an SM2 key pair.
pub const CKM_SM2_KEY_PAIR_GEN: CK_MECHANISM_TYPE = 0x8047_4D01;
/// Signs `e`.
pub const CKM_SM2: CK_MECHANISM_TYPE = 0x8047_4D10;
/// Signs a message under an ID (GB/T 32918.2).
pub const CKM_SM2_SM3: CK_MECHANISM_TYPE = 0x8047_4D11;
/// Public-key encryption (GB/T 32918.4), 04 ‖ C1 ‖ C3 ‖ C2.
pub const CKM_SM2_ENCRYPT: CK_MECHANISM_TYPE = 0x8047_4D20;
/// Public-key encryption, DER of GM/T 0009.
pub const CKM_SM2_ENCRYPT_DER: CK_MECHANISM_TYPE = 0x8047_4D21;
/// SM3 (GB/T 32905).
pub const CKM_SM3: CK_MECHANISM_TYPE = 0x8047_4D30;
/// HMAC-SM3.
pub const CKM_SM3_HMAC: CK_MECHANISM_TYPE = 0x8047_4D31;
/// Makes an SM4 key.
pub const CKM_SM4_KEY_GEN: CK_MECHANISM_TYPE = 0x8047_4D40;
/// SM4-ECB.
pub const CKM_SM4_ECB: CK_MECHANISM_TYPE = 0x8047_4D41;
/// SM4-CBC.
pub const CKM_SM4_CBC: CK_MECHANISM_TYPE = 0x8047_4D42;
/// SM4-CBC with PKCS#7 padding.
pub const CKM_SM4_CBC_PAD: CK_MECHANISM_TYPE = 0x8047_4D43;
/// SM4-CTR.
pub const CKM_SM4_CTR: CK_MECHANISM_TYPE = 0x8047_4D44;
/// SM4-GCM.
pub const CKM_SM4_GCM: CK_MECHANISM_TYPE = 0x8047_4D45;
/// CMAC with SM4.
pub const CKM_SM4_CMAC: CK_MECHANISM_TYPE = 0x8047_4D46;
/// Key wrap of RFC 3394 with SM4.
pub const CKM_SM4_KEY_WRAP: CK_MECHANISM_TYPE = 0x8047_4D47;
/// Key wrap of RFC 5649 with SM4.
pub const CKM_SM4_KEY_WRAP_PAD: CK_MECHANISM_TYPE = 0x8047_4D48;

/// What a mechanism does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Algorithm {
    GeneratePair(Curve),
    Generate(SecretKind),
    /// A bare e or digest.
    Raw(Curve),
    Sm2Message,
    /// As some devices do: the caller must put Z in front.
    #[cfg(feature = "lab")]
    Sm2MessageWithoutZ,
    EcdsaMessage(Hash),
    Sm2Encryption(Layout),
    Digest(Hash),
    Hmac(Hash),
    Cipher(Block, Mode),
    Cmac(Block),
    KeyWrap(Block),
    KeyWrapPadded(Block),
    Ecdh,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Curve {
    Sm2,
    P256,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SecretKind {
    Sm4,
    Aes,
    Generic,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    C1C3C2,
    Der,
    /// Without 04.
    #[cfg(feature = "lab")]
    C1C3C2Bare,
    #[cfg(feature = "lab")]
    C1C2C3,
}

/// How a signature is given out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// r ‖ s.
    Raw,
    #[cfg(feature = "lab")]
    Der,
    /// DER without the zero bytes that make integers positive.
    #[cfg(feature = "lab")]
    BrokenDer,
    /// Over something else.
    #[cfg(feature = "lab")]
    Wrong,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hash {
    Sm3,
    Sha256,
    Sha384,
    Sha512,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Block {
    Sm4,
    Aes,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Ecb,
    Cbc,
    CbcPad,
    Ctr,
    Gcm,
}

/// A mechanism that is offered: its number, what it does, the key sizes it takes, its flags.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Offer {
    pub(crate) code: CK_MECHANISM_TYPE,
    pub(crate) algorithm: Algorithm,
    pub(crate) form: Form,
    pub(crate) sizes: (usize, usize),
    pub(crate) flags: CK_FLAGS,
}

const CURVE: CK_FLAGS = CKF_EC_F_P | CKF_EC_NAMEDCURVE | CKF_EC_UNCOMPRESS;
const SIGNATURE: CK_FLAGS = CKF_SIGN | CKF_VERIFY;
const PAIR: CK_FLAGS = CURVE | CKF_GENERATE_KEY_PAIR;
const EC_SIGNATURE: CK_FLAGS = CURVE | SIGNATURE;
const CIPHER: CK_FLAGS = CKF_ENCRYPT | CKF_DECRYPT;
const WRAP: CK_FLAGS = CKF_WRAP | CKF_UNWRAP;
/// Bits for curves, bytes for secrets, as the standard has them.
const EC: (usize, usize) = (256, 256);
const SM4: (usize, usize) = (16, 16);
const AES: (usize, usize) = (16, 32);
const SECRET: (usize, usize) = (1, 512);
const NONE: (usize, usize) = (0, 0);

const fn offer(
    code: CK_MECHANISM_TYPE,
    algorithm: Algorithm,
    sizes: (usize, usize),
    flags: CK_FLAGS,
) -> Offer {
    Offer { code, algorithm, form: Form::Raw, sizes, flags }
}

/// All mechanisms, in the order in which they are listed.
pub(crate) static OFFERS: &[Offer] = {
    use self::{Algorithm as A, Block as B, Curve as C, Hash as H, Mode as M, SecretKind as S};
    &[
        offer(CKM_SM2_KEY_PAIR_GEN, A::GeneratePair(C::Sm2), EC, PAIR),
        offer(CKM_SM2, A::Raw(C::Sm2), EC, EC_SIGNATURE),
        offer(CKM_SM2_SM3, A::Sm2Message, EC, EC_SIGNATURE),
        offer(CKM_SM2_ENCRYPT, A::Sm2Encryption(Layout::C1C3C2), EC, CURVE | CIPHER | WRAP),
        offer(CKM_SM2_ENCRYPT_DER, A::Sm2Encryption(Layout::Der), EC, CURVE | CIPHER | WRAP),
        offer(CKM_SM3, A::Digest(H::Sm3), NONE, CKF_DIGEST),
        offer(CKM_SM3_HMAC, A::Hmac(H::Sm3), SECRET, SIGNATURE),
        offer(CKM_SM4_KEY_GEN, A::Generate(S::Sm4), SM4, CKF_GENERATE),
        offer(CKM_SM4_ECB, A::Cipher(B::Sm4, M::Ecb), SM4, CIPHER),
        offer(CKM_SM4_CBC, A::Cipher(B::Sm4, M::Cbc), SM4, CIPHER),
        offer(CKM_SM4_CBC_PAD, A::Cipher(B::Sm4, M::CbcPad), SM4, CIPHER | WRAP),
        offer(CKM_SM4_CTR, A::Cipher(B::Sm4, M::Ctr), SM4, CIPHER),
        offer(CKM_SM4_GCM, A::Cipher(B::Sm4, M::Gcm), SM4, CIPHER),
        offer(CKM_SM4_CMAC, A::Cmac(B::Sm4), SM4, SIGNATURE),
        offer(CKM_SM4_KEY_WRAP, A::KeyWrap(B::Sm4), SM4, WRAP),
        offer(CKM_SM4_KEY_WRAP_PAD, A::KeyWrapPadded(B::Sm4), SM4, WRAP),
        offer(CKM_EC_KEY_PAIR_GEN, A::GeneratePair(C::P256), EC, PAIR),
        offer(CKM_ECDSA, A::Raw(C::P256), EC, EC_SIGNATURE),
        offer(CKM_ECDSA_SHA256, A::EcdsaMessage(H::Sha256), EC, EC_SIGNATURE),
        offer(CKM_ECDSA_SHA384, A::EcdsaMessage(H::Sha384), EC, EC_SIGNATURE),
        offer(CKM_ECDSA_SHA512, A::EcdsaMessage(H::Sha512), EC, EC_SIGNATURE),
        offer(CKM_ECDH1_DERIVE, A::Ecdh, EC, CURVE | CKF_DERIVE),
        offer(CKM_SHA256, A::Digest(H::Sha256), NONE, CKF_DIGEST),
        offer(CKM_SHA384, A::Digest(H::Sha384), NONE, CKF_DIGEST),
        offer(CKM_SHA512, A::Digest(H::Sha512), NONE, CKF_DIGEST),
        offer(CKM_SHA256_HMAC, A::Hmac(H::Sha256), SECRET, SIGNATURE),
        offer(CKM_SHA384_HMAC, A::Hmac(H::Sha384), SECRET, SIGNATURE),
        offer(CKM_SHA512_HMAC, A::Hmac(H::Sha512), SECRET, SIGNATURE),
        offer(CKM_GENERIC_SECRET_KEY_GEN, A::Generate(S::Generic), SECRET, CKF_GENERATE),
        offer(CKM_AES_KEY_GEN, A::Generate(S::Aes), AES, CKF_GENERATE),
        offer(CKM_AES_ECB, A::Cipher(B::Aes, M::Ecb), AES, CIPHER),
        offer(CKM_AES_CBC, A::Cipher(B::Aes, M::Cbc), AES, CIPHER),
        offer(CKM_AES_CBC_PAD, A::Cipher(B::Aes, M::CbcPad), AES, CIPHER | WRAP),
        offer(CKM_AES_CTR, A::Cipher(B::Aes, M::Ctr), AES, CIPHER),
        offer(CKM_AES_GCM, A::Cipher(B::Aes, M::Gcm), AES, CIPHER),
        offer(CKM_AES_CMAC, A::Cmac(B::Aes), AES, SIGNATURE),
        offer(CKM_AES_KEY_WRAP, A::KeyWrap(B::Aes), AES, WRAP),
        offer(CKM_AES_KEY_WRAP_KWP, A::KeyWrapPadded(B::Aes), AES, WRAP),
    ]
};
