//! A mechanism as it came in, with its parameter copied out of the caller's memory.

use cryptoki_sys::{
    CK_EC_KDF_TYPE, CK_MECHANISM_TYPE, CKD_NULL, CKR_MECHANISM_INVALID, CKR_MECHANISM_PARAM_INVALID,
};
use zeroize::Zeroizing;

use crate::{
    codes::{Algorithm, Mode, Offer},
    persona,
    rv::{Result, Rv, ensure, fail},
};

/// Longest parameter that is read, in bytes: an SM2 ID has at most 8,191.
pub(crate) const MAX_PARAMETER: usize = 8192;

#[derive(Clone, Debug)]
pub(crate) struct Mechanism {
    pub(crate) offer: &'static Offer,
    pub(crate) parameter: Parameter,
}

#[derive(Clone, Debug)]
pub(crate) enum Parameter {
    None,
    Bytes(Vec<u8>),
    Gcm { iv: Vec<u8>, aad: Vec<u8>, tag_bits: usize },
    Ecdh { kdf: CK_EC_KDF_TYPE, shared: usize, public: Vec<u8> },
}

/// How the parameter of a mechanism lies in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    Bytes,
    Gcm,
    Ecdh,
}

/// The offer with this number and the shape of its parameter.
pub(crate) fn look_up(code: CK_MECHANISM_TYPE) -> Result<(&'static Offer, Shape)> {
    let offer = persona::current().offer(code).ok_or(Rv(CKR_MECHANISM_INVALID))?;
    let shape = match offer.algorithm {
        Algorithm::Cipher(_, Mode::Gcm) => Shape::Gcm,
        Algorithm::Ecdh => Shape::Ecdh,
        _ => Shape::Bytes,
    };
    Ok((offer, shape))
}

impl Mechanism {
    pub(crate) fn algorithm(&self) -> Algorithm {
        self.offer.algorithm
    }

    /// For mechanisms that take no parameter.
    pub(crate) fn without_parameter(&self) -> Result {
        ensure(matches!(self.parameter, Parameter::None), CKR_MECHANISM_PARAM_INVALID)
    }

    pub(crate) fn bytes(&self) -> Option<&[u8]> {
        match &self.parameter {
            Parameter::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// The IV of CBC, or the first counter block of CTR behind its count of bits.
    pub(crate) fn iv(&self) -> Result<[u8; 16]> {
        let bytes = self.bytes().ok_or(Rv(CKR_MECHANISM_PARAM_INVALID))?;
        let Algorithm::Cipher(_, Mode::Ctr) = self.algorithm() else {
            return bytes.try_into().map_err(|_| Rv(CKR_MECHANISM_PARAM_INVALID));
        };
        // CK_AES_CTR_PARAMS: ulCounterBits, cb[16].
        let (block, bits) = bytes
            .split_last_chunk::<16>()
            .ok_or(Rv(CKR_MECHANISM_PARAM_INVALID))
            .map(|(b, c)| (*c, b))?;
        ensure(bits == (128 as cryptoki_sys::CK_ULONG).to_ne_bytes(), CKR_MECHANISM_PARAM_INVALID)?;
        Ok(block)
    }

    /// IV and additional data of GCM: 12-byte IVs and whole tags only.
    pub(crate) fn gcm(&self) -> Result<([u8; 12], &[u8])> {
        match &self.parameter {
            Parameter::Gcm { iv, aad, tag_bits: 128 } => {
                let iv = iv.as_slice().try_into().map_err(|_| Rv(CKR_MECHANISM_PARAM_INVALID))?;
                Ok((iv, aad))
            }
            _ => fail(CKR_MECHANISM_PARAM_INVALID),
        }
    }

    /// The peer's public key of ECDH, without a KDF: the caller has one.
    pub(crate) fn peer(&self) -> Result<Zeroizing<Vec<u8>>> {
        match &self.parameter {
            Parameter::Ecdh { kdf, shared: 0, public } if *kdf == CKD_NULL => {
                Ok(Zeroizing::new(public.clone()))
            }
            _ => fail(CKR_MECHANISM_PARAM_INVALID),
        }
    }
}
