//! The file of an object: sealed with SM4-GCM if it is private or holds a key that is secret, else
//! signed with SM2.

use cryptoki_sys::CKR_DEVICE_ERROR;
use der::{Decode, Encode, Sequence, asn1::OctetStringRef};
use gmkit_keys::SysRng;
use gmkit_sm2::{Id, Signature};
use gmkit_sm4::gcm::Gcm;
use zeroize::Zeroizing;

use super::{Name, StoreKeys, TokenFile, random};
use crate::{
    attributes::Attributes,
    rules::is_sealed,
    rv::{Result, Rv, ensure},
};

const VERSION: u8 = 1;

#[derive(Sequence)]
struct ObjectFile<'a> {
    version: u8,
    sealed: bool,
    /// The attributes, encrypted where the object is sealed.
    body: &'a OctetStringRef,
    /// Sealed: nonce(12) ‖ tag(16). Else r ‖ s.
    proof: &'a OctetStringRef,
}

/// What the body is bound to: this token, this name, this kind.
fn bound(token: &TokenFile, name: Name, sealed: bool) -> Vec<u8> {
    let label: &[u8] = if sealed { b"gmkit-token sealed v1\0" } else { b"gmkit-token signed v1\0" };
    [label, token.serial(), &name.0].concat()
}

pub(super) fn seal(
    token: &TokenFile,
    keys: &StoreKeys,
    name: Name,
    object: &Attributes,
) -> Result<Vec<u8>> {
    let sealed = is_sealed(object);
    let bound = bound(token, name, sealed);
    let mut body = object.to_der()?;
    let proof = if sealed {
        let nonce = random::<12>()?;
        let tag = Gcm::new(&keys.seal).seal(&nonce, &bound, &mut body);
        [&nonce[..], &tag.map_err(|_| Rv(CKR_DEVICE_ERROR))?].concat()
    } else {
        let mut signer = keys.sign.signer(Id::DEFAULT);
        signer.update(&bound);
        signer.update(&body);
        signer.sign(&mut SysRng)?.to_raw().to_vec()
    };
    let file = ObjectFile {
        version: VERSION,
        sealed,
        body: OctetStringRef::new(&body)?,
        proof: OctetStringRef::new(&proof)?,
    };
    Ok(file.to_der()?)
}

pub(super) fn open(
    token: &TokenFile,
    keys: Option<&StoreKeys>,
    name: Name,
    bytes: &[u8],
) -> Result<Option<Attributes>> {
    let file = ObjectFile::from_der(bytes)?;
    ensure(file.version == VERSION, CKR_DEVICE_ERROR)?;
    let bound = bound(token, name, file.sealed);
    let mut body = Zeroizing::new(file.body.as_bytes().to_vec());
    if file.sealed {
        let Some(keys) = keys else { return Ok(None) };
        let (nonce, tag) =
            file.proof.as_bytes().split_at_checked(12).ok_or(Rv(CKR_DEVICE_ERROR))?;
        let opened = Gcm::new(&keys.seal).open(nonce, &bound, &mut body, tag);
        opened.map_err(|_| Rv(CKR_DEVICE_ERROR))?;
    } else {
        let signature = Signature::from_raw(file.proof.as_bytes());
        let mut verifier = token.signer()?.verifier(Id::DEFAULT);
        verifier.update(&bound);
        verifier.update(&body);
        let verdict = signature.and_then(|signature| verifier.verify(&signature));
        verdict.map_err(|_| Rv(CKR_DEVICE_ERROR))?;
    }
    let object = Attributes::from_der(&body)?;
    ensure(is_sealed(&object) == file.sealed, CKR_DEVICE_ERROR)?;
    Ok(Some(object))
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use cryptoki_sys::{CKA_CLASS, CKA_PRIVATE, CKA_VALUE};

    use super::*;
    use crate::{pins::Policy, store::Role};

    fn token() -> (TokenFile, StoreKeys) {
        let policy = Policy { iterations: NonZeroU32::new(1).unwrap(), tries: 1 };
        let token = TokenFile::create([b' '; 32], b"officer", policy).unwrap();
        let keys = token.unlock(Role::Officer, b"officer").unwrap();
        (token, keys)
    }

    #[test]
    fn every_changed_bit_is_refused_and_so_is_another_name() {
        let (token, keys) = token();
        let name = Name::random().unwrap();
        for private in [false, true] {
            let mut object = Attributes::default();
            object.set_number(CKA_CLASS, 0);
            object.set_flag(CKA_PRIVATE, private);
            object.set(CKA_VALUE, [0x5a; 40]);
            let file = seal(&token, &keys, name, &object).unwrap();
            assert_eq!(file.windows(40).any(|bytes| bytes == [0x5a; 40]), !private);
            assert!(open(&token, Some(&keys), name, &file).unwrap() == Some(object));
            assert_eq!(open(&token, None, name, &file).unwrap().is_some(), !private);
            let elsewhere = open(&token, Some(&keys), Name::random().unwrap(), &file);
            assert_eq!(elsewhere.err(), Some(Rv(CKR_DEVICE_ERROR)));
            for bit in 0..file.len() * 8 {
                let mut twin = file.clone();
                twin[bit / 8] ^= 1 << (bit % 8);
                assert!(open(&token, Some(&keys), name, &twin).is_err(), "bit {bit}");
            }
        }
    }
}
