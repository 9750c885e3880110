//! Secret keys that are made in a token, or brought in.

use std::sync::Arc;

use cryptoki::{
    mechanism::{Mechanism, MechanismType},
    object::{Attribute, KeyType, ObjectClass, ObjectHandle},
    session::Session,
};
use zeroize::Zeroize;

use crate::{
    DeviceSecret, Error, KeyName, SecretType, Token,
    objects::{free, vendor},
    secret_lookup::mark,
    secret_type::Numbers,
};

/// What a new secret key may be used for: one thing. A key that wraps and decrypts gives what it
/// wraps away, and one that authenticates and encrypts may give what forges the tags of GCM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyUse {
    /// Encrypts and decrypts, seals and opens.
    Encrypt,
    /// Authenticates: what HMAC-SM3 keys are for, and a cipher's key for its MAC.
    Authenticate,
    /// Wraps and unwraps other keys. Whoever may use it can read what it wraps, by unwrapping it
    /// elsewhere; so it is made in its device, and not brought in.
    Wrap,
}

/// Whether a new key may leave its device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Export {
    /// Never.
    Never,
    /// Wrapped under another key ([`DeviceSecret::wrap`]), and so for whoever has that one.
    Wrapped,
}

impl Token {
    /// Makes a secret key in the token, for one use.
    ///
    /// # Errors
    /// [`Error::Device`], [`Error::Unsupported`]; [`Error::Ambiguous`] where there is a key with this
    /// name; [`Error::Uri`] for a name that is none.
    pub fn generate_secret(
        self: &Arc<Self>,
        name: &KeyName,
        kind: SecretType,
        for_what: KeyUse,
        export: Export,
    ) -> Result<DeviceSecret, Error> {
        let mut new = NewKey::new(self, name, kind, for_what, export)?;
        let len = new.numbers.len.map(|len| Attribute::ValueLen((len as u64).into()));
        new.template.extend(len);
        let mechanism = mechanism(new.numbers.generate)?;
        new.make(|session, template| {
            session.generate_key(&mechanism, template).map_err(Error::of("C_GenerateKey"))
        })
    }

    /// Brings a secret key in. It was outside: one that is made in its device is the better one.
    ///
    /// # Errors
    /// As [`Token::generate_secret`]; [`Error::Unsupported`] for a key that is to wrap others.
    pub fn import_secret(
        self: &Arc<Self>,
        name: &KeyName,
        kind: SecretType,
        for_what: KeyUse,
        value: &[u8],
    ) -> Result<DeviceSecret, Error> {
        let mut new = NewKey::from_outside(self, name, kind, for_what)?;
        new.template.push(Attribute::Value(value.to_vec()));
        new.make(|session, template| {
            session.create_object(template).map_err(Error::of("C_CreateObject"))
        })
    }
}

/// A secret key that is being made.
pub(crate) struct NewKey<'t> {
    token: &'t Arc<Token>,
    name: &'t KeyName,
    kind: SecretType,
    numbers: Numbers,
    template: Vec<Attribute>,
}

impl Drop for NewKey<'_> {
    fn drop(&mut self) {
        // `cryptoki` does not wipe what it is given.
        for attribute in &mut self.template {
            if let Attribute::Value(value) = attribute {
                value.zeroize();
            }
        }
    }
}

impl<'t> NewKey<'t> {
    fn new(
        token: &'t Arc<Token>,
        name: &'t KeyName,
        kind: SecretType,
        for_what: KeyUse,
        export: Export,
    ) -> Result<Self, Error> {
        let numbers = kind.numbers(token.module().profile())?;
        name.must_name()?;
        if (kind == SecretType::HmacSm3) && for_what != KeyUse::Authenticate {
            return Err(Error::Unsupported { operation: "use an HMAC key for anything else" });
        }
        let template = template(name, numbers.key_type, for_what, export)?;
        Ok(Self { token, name, kind, numbers, template })
    }

    /// One that somebody outside knows: it wraps nothing.
    pub(crate) fn from_outside(
        token: &'t Arc<Token>,
        name: &'t KeyName,
        kind: SecretType,
        for_what: KeyUse,
    ) -> Result<Self, Error> {
        if for_what == KeyUse::Wrap {
            return Err(Error::Unsupported { operation: "wrap under a key from outside" });
        }
        Self::new(token, name, kind, for_what, Export::Never)
    }

    /// Makes it, once; what cannot be used goes again.
    pub(crate) fn make(
        self,
        make: impl FnOnce(&Session, &[Attribute]) -> Result<ObjectHandle, Error>,
    ) -> Result<DeviceSecret, Error> {
        let Self { token, name, kind, numbers, .. } = &self;
        let mark = token.with_writer(|session| {
            free(session, name)?;
            let made = make(session, &self.template)?;
            mark(token, session, made, numbers).inspect_err(|_| {
                let _ = session.destroy_object(made);
            })
        })?;
        Ok(DeviceSecret::known(token, (*name).clone(), (*kind, *numbers, mark)))
    }
}

/// A mechanism of the standard or a vendor's, without a parameter.
pub(crate) fn mechanism(code: u64) -> Result<Mechanism<'static>, Error> {
    match MechanismType::try_from(code) {
        Ok(MechanismType::AES_KEY_GEN) => Ok(Mechanism::AesKeyGen),
        Ok(MechanismType::GENERIC_SECRET_KEY_GEN) => Ok(Mechanism::GenericSecretKeyGen),
        Ok(MechanismType::AES_KEY_WRAP) => Ok(Mechanism::AesKeyWrap),
        _ => vendor(code),
    }
}

fn template(
    name: &KeyName,
    key_type: u64,
    for_what: KeyUse,
    export: Export,
) -> Result<Vec<Attribute>, Error> {
    let key_type = KeyType::try_from(key_type).or_else(|_| KeyType::new_vendor_defined(key_type));
    let [encrypts, authenticates, wraps] =
        [KeyUse::Encrypt, KeyUse::Authenticate, KeyUse::Wrap].map(|one| one == for_what);
    let mut template = name.attributes();
    // All uses are said, as what is not said is the device's to choose.
    template.extend([
        Attribute::Class(ObjectClass::SECRET_KEY),
        Attribute::Token(true),
        Attribute::KeyType(key_type.map_err(Error::of("profile"))?),
        Attribute::Private(true),
        Attribute::Sensitive(true),
        Attribute::Extractable(export == Export::Wrapped),
        Attribute::Encrypt(encrypts),
        Attribute::Decrypt(encrypts),
        Attribute::Sign(authenticates),
        Attribute::Verify(authenticates),
        Attribute::Wrap(wraps),
        Attribute::Unwrap(wraps),
    ]);
    Ok(template)
}
