//! ECDH on P-256.

use cryptoki_sys::*;

use super::{Key, key};
use crate::{
    attributes::Attributes,
    codes::{Algorithm, Curve},
    mechanism::Mechanism,
    rules::{self, Origin},
    rv::{Result, Rv, ensure, fail},
};

/// Derives a secret key: the x-coordinate, or its last bytes: a shorter key loses bytes from the
/// leading end (PKCS#11 2.40, 2.3.9).
pub(crate) fn derive(
    mechanism: &Mechanism,
    base: &Key,
    base_attributes: &Attributes,
    mut template: Attributes,
    officer: bool,
) -> Result<Attributes> {
    let (Algorithm::Ecdh, Key::P256Private(secret)) = (mechanism.algorithm(), base) else {
        return fail(CKR_KEY_TYPE_INCONSISTENT);
    };
    let origin = Origin::Derived {
        always_sensitive: base_attributes.flag(CKA_ALWAYS_SENSITIVE),
        never_extractable: base_attributes.flag(CKA_NEVER_EXTRACTABLE),
    };
    template.set_default(CKA_CLASS, CKO_SECRET_KEY.to_ne_bytes());
    template.set_default(CKA_KEY_TYPE, CKK_GENERIC_SECRET.to_ne_bytes());
    ensure(template.class() == Some(CKO_SECRET_KEY), CKR_TEMPLATE_INCONSISTENT)?;
    rules::check_new(&template, origin, officer)?;
    let Ok(Key::P256Public(peer)) = key::public_from_point(Curve::P256, &mechanism.peer()?) else {
        return fail(CKR_MECHANISM_PARAM_INVALID);
    };
    let shared = p256::ecdh::diffie_hellman(secret.to_nonzero_scalar(), peer.as_affine());
    let shared = shared.raw_secret_bytes();
    let len = template.number(CKA_VALUE_LEN).unwrap_or(shared.len() as CK_ULONG);
    let len = usize::try_from(len).map_err(|_| Rv(CKR_KEY_SIZE_RANGE))?;
    ensure((1..=shared.len()).contains(&len), CKR_KEY_SIZE_RANGE)?;
    template.set(CKA_VALUE, &shared[shared.len() - len..]);
    template.set_number(CKA_VALUE_LEN, len as CK_ULONG);
    rules::complete(&mut template, origin)?;
    Key::from_attributes(&template)?;
    Ok(template)
}
