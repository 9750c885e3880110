//! Making keys.

use cryptoki_sys::*;
use gmkit_keys::{SysRng, selftest};
use gmkit_sm2::rand_core::TryRng;
use zeroize::Zeroizing;

use super::{Key, key};
use crate::{
    attributes::Attributes,
    codes::{Algorithm, Curve, SecretKind},
    mechanism::Mechanism,
    persona,
    rules::{self, Origin},
    rv::{Result, Rv, ensure, fail},
};

/// Makes a secret key from a template.
pub(crate) fn secret(
    mechanism: &Mechanism,
    mut template: Attributes,
    officer: bool,
) -> Result<Attributes> {
    let Algorithm::Generate(kind) = mechanism.algorithm() else {
        return fail(CKR_MECHANISM_INVALID);
    };
    mechanism.without_parameter()?;
    template.set_default(CKA_CLASS, CKO_SECRET_KEY.to_ne_bytes());
    template.set_default(CKA_KEY_TYPE, key::secret_key_type(kind).to_ne_bytes());
    let fits = template.class() == Some(CKO_SECRET_KEY)
        && template.number(CKA_KEY_TYPE) == Some(key::secret_key_type(kind));
    ensure(fits, CKR_TEMPLATE_INCONSISTENT)?;
    let origin = Origin::Generated(mechanism.offer.code);
    rules::check_new(&template, origin, officer)?;
    let len = match kind {
        SecretKind::Sm4 => template.number(CKA_VALUE_LEN).unwrap_or(16),
        _ => template.required(CKA_VALUE_LEN)?,
    };
    let fits = match kind {
        SecretKind::Sm4 => len == 16,
        SecretKind::Aes => matches!(len, 16 | 24 | 32),
        SecretKind::Generic => (1..=512).contains(&len),
    };
    ensure(fits, CKR_KEY_SIZE_RANGE)?;
    let mut value = Zeroizing::new(vec![0; len as usize]);
    SysRng.try_fill_bytes(&mut value).map_err(|_| Rv(CKR_RANDOM_NO_RNG))?;
    template.set(CKA_VALUE, &*value);
    template.set_number(CKA_VALUE_LEN, len);
    rules::complete(&mut template, origin)?;
    Ok(template)
}

/// Makes a key pair from two templates.
pub(crate) fn pair(
    mechanism: &Mechanism,
    mut public: Attributes,
    mut private: Attributes,
    officer: bool,
) -> Result<(Attributes, Attributes)> {
    let Algorithm::GeneratePair(curve) = mechanism.algorithm() else {
        return fail(CKR_MECHANISM_INVALID);
    };
    mechanism.without_parameter()?;
    let origin = Origin::Generated(mechanism.offer.code);
    for (template, class) in [(&mut public, CKO_PUBLIC_KEY), (&mut private, CKO_PRIVATE_KEY)] {
        template.set_default(CKA_CLASS, class.to_ne_bytes());
        template.set_default(CKA_KEY_TYPE, key::key_type(curve).to_ne_bytes());
        let fits = template.class() == Some(class)
            && template.number(CKA_KEY_TYPE) == Some(key::key_type(curve));
        ensure(fits, CKR_TEMPLATE_INCONSISTENT)?;
        rules::check_new(template, origin, officer)?;
    }
    key::check_curve(key::key_type(curve), &public)?;
    let curve_missing = public.get(CKA_EC_PARAMS).is_none() && persona::current().wants_curve;
    ensure(!curve_missing, CKR_TEMPLATE_INCOMPLETE)?;
    // The private half has the parameters of the public one.
    if let Some(parameters) = private.get(CKA_EC_PARAMS) {
        ensure(parameters == Key::parameters(curve), CKR_TEMPLATE_INCONSISTENT)?;
    }
    let (key, value) = fresh(curve)?;
    let point = key::point_attribute(&key)?;
    for template in [&mut public, &mut private] {
        template.set(CKA_EC_PARAMS, Key::parameters(curve));
    }
    public.set(CKA_EC_POINT, point);
    private.set(CKA_VALUE, *value);
    rules::complete(&mut public, origin)?;
    rules::complete(&mut private, origin)?;
    Ok((public, private))
}

/// A new private key, and its value of 32 bytes.
fn fresh(curve: Curve) -> Result<(Key, Zeroizing<[u8; 32]>)> {
    if curve == Curve::Sm2 {
        let key = gmkit_sm2::SecretKey::generate(&mut SysRng)?;
        selftest::pairwise(&key)?;
        let value = key.to_bytes();
        return Ok((Key::Sm2Private(key), value));
    }
    // A random string is out of range once in 2^32.
    for _ in 0..16 {
        let mut value = Zeroizing::new([0; 32]);
        SysRng.try_fill_bytes(&mut *value).map_err(|_| Rv(CKR_RANDOM_NO_RNG))?;
        if let Ok(key) = p256::SecretKey::from_slice(&*value) {
            return Ok((Key::P256Private(key), value));
        }
    }
    fail(CKR_RANDOM_NO_RNG)
}
