//! A secret key in a device.

use std::{fmt, sync::Arc};

use cryptoki::{
    mechanism::{Mechanism, MechanismType},
    object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle},
    session::Session,
};
use gmkit_keys::{MacContext, OpeningContext, SealingContext, SecretKey, SysRng};
use gmkit_sm2::rand_core::TryRng;
use zeroize::{Zeroize, Zeroizing};

use crate::{
    Error, KeyName, SecretType, Token,
    held::Held,
    objects::{attribute, free, logged_in, named, one, search, vendor},
    raw::{Call, Parameter},
    secret_type::Numbers,
};

/// Longest message of one operation, in bytes.
const MAX_MESSAGE: usize = 64 << 20;

/// An SM4, HMAC-SM3 or AES key that stays in its device.
///
/// As a [`SecretKey`] an SM4 key seals and opens whole messages of at most 64 MiB, and an HMAC-SM3
/// key authenticates; sealing in pieces is not offered, as devices give what they have when they
/// have it. The modes below it are for formats that ask for them: they authenticate nothing.
///
/// ```no_run
/// # use std::sync::Arc;
/// # use gmkit_hsm::{DeviceSecret, KeyName, SecretType, Token};
/// use gmkit_keys::SecretKey;
///
/// # fn f(token: &Arc<Token>) -> Result<(), Box<dyn std::error::Error>> {
/// let name = KeyName { label: Some("records".to_owned()), id: None };
/// let key = DeviceSecret::open(token, name)?;
/// let sealed = key.seal(b"header", b"payload")?;
/// assert_eq!(key.open(b"header", &sealed)?, b"payload");
/// # Ok(())
/// # }
/// ```
pub struct DeviceSecret {
    token: Arc<Token>,
    name: KeyName,
    kind: SecretType,
    numbers: Numbers,
    held: Held,
}

/// Whether a new key may leave its device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Export {
    /// Never.
    Never,
    /// Wrapped under another key ([`DeviceSecret::wrap`]).
    Wrapped,
}

/// A mode of a block cipher, for one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mode<'m> {
    /// ECB: whole blocks of 16 bytes.
    Ecb,
    /// CBC: whole blocks of 16 bytes.
    Cbc {
        /// Its IV.
        iv: &'m [u8; 16],
    },
    /// CBC with the padding of PKCS#7.
    CbcPadded {
        /// Its IV.
        iv: &'m [u8; 16],
    },
    /// GCM; the tag of 16 bytes follows the ciphertext.
    Gcm {
        /// Never twice under one key.
        nonce: &'m [u8; 12],
        /// What is authenticated with it.
        aad: &'m [u8],
    },
}

impl fmt::Debug for DeviceSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DeviceSecret({:?}, {:?}, {:?})", self.kind, self.token, self.name.label)
    }
}

impl DeviceSecret {
    /// Opens a secret key by its name; what it is for, its key type says.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Ambiguous`], [`Error::Device`]; [`Error::Unsupported`] for a
    /// kind of key that the profile does not know.
    pub fn open(token: &Arc<Token>, name: KeyName) -> Result<Self, Error> {
        let key_type = token.with_session(|session, _| {
            let object = find(session, &name)?;
            match attribute(session, object, AttributeType::KeyType)? {
                Some(Attribute::KeyType(kind)) => Ok(*kind),
                _ => Err(Error::Unsupported { operation: "say what kind of key that is" }),
            }
        })?;
        let profile = token.module().profile();
        for kind in SecretType::ALL {
            match kind.numbers(profile) {
                Ok(numbers) if numbers.key_type == key_type => {
                    let (token, held) = (Arc::clone(token), Held::default());
                    return Ok(Self { token, name, kind, numbers, held });
                }
                _ => {}
            }
        }
        Err(Error::Unsupported { operation: "use keys of that type (by its profile)" })
    }

    /// What it is for.
    #[must_use]
    pub fn kind(&self) -> SecretType {
        self.kind
    }

    /// Encrypts a message.
    ///
    /// # Errors
    /// [`Error::Device`], [`Error::Unsupported`], [`Error::Busy`].
    pub fn encrypt(&self, mode: Mode<'_>, plaintext: &[u8]) -> Result<Vec<u8>, Error> {
        let call = self.call(mode)?;
        let mut ciphertext = self.with_handle("encrypt", call.code, |session, key| {
            let work = self.token.work(session, bounded(plaintext)?);
            self.token.module().functions.encrypt(work, call, key.handle())
        })?;
        Ok(std::mem::take(&mut *ciphertext))
    }

    /// Decrypts a message. Of what is wrong with a ciphertext one answer tells: no more than that.
    ///
    /// # Errors
    /// [`Error::Key`] with [`gmkit_keys::Error::Rejected`]; [`Error::Device`] where the device is at
    /// fault; [`Error::Unsupported`], [`Error::Busy`].
    pub fn decrypt(&self, mode: Mode<'_>, ciphertext: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
        let call = self.call(mode)?;
        let opened = self.with_handle("decrypt", call.code, |session, key| {
            let work = self.token.work(session, bounded(ciphertext)?);
            self.token.module().functions.decrypt(work, call, key.handle())
        });
        opened.map_err(|error| match error {
            error @ (Error::Busy | Error::NotFound { .. } | Error::Key(_)) => error,
            error if error.is_of_session() || error.is_of_mechanism() => error,
            _ => gmkit_keys::Error::Rejected.into(),
        })
    }

    /// The device's MAC over a message: HMAC-SM3 of 32 bytes, or what its cipher's MAC is, which the
    /// test of a device (`gmkit hsm test`) finds out: CMAC or CBC-MAC.
    ///
    /// # Errors
    /// [`Error::Device`], [`Error::Unsupported`], [`Error::Busy`].
    pub fn mac(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let unsupported = Error::Unsupported { operation: "authenticate with this key" };
        let code = self.numbers.hmac.or(self.numbers.mac).ok_or(unsupported)?;
        let mac = self.with_handle("mac", code, |session, key| {
            let work = self.token.work(session, bounded(message)?);
            self.token.module().functions.sign(work, Call::bare(code), key.handle())
        })?;
        Ok(mac.to_vec())
    }

    /// Wraps another key of the same token under this one (RFC 3394), which authenticates it.
    ///
    /// # Errors
    /// [`Error::Device`], as for a key that was made with [`Export::Never`]; [`Error::Unsupported`]
    /// where the profile has no mechanism for it, [`Error::NotFound`] for a key of another token.
    pub fn wrap(&self, key: &Self) -> Result<Vec<u8>, Error> {
        let code = self.wrap_number()?;
        if !Arc::ptr_eq(&self.token, &key.token) {
            return Err(Error::NotFound { what: "key to wrap" });
        }
        self.with_handle("wrap", code, |session, wrapping| {
            let target = find(session, &key.name)?;
            let functions = &self.token.module().functions;
            functions.wrap(session.handle(), Call::bare(code), wrapping.handle(), target.handle())
        })
    }

    /// Unwraps a key into the token, under a new name; it never leaves it again.
    ///
    /// # Errors
    /// [`Error::Device`], as for what was not wrapped under this key; [`Error::Unsupported`];
    /// [`Error::Ambiguous`] where there is a key with this name.
    pub fn unwrap(&self, wrapped: &[u8], name: &KeyName, kind: SecretType) -> Result<Self, Error> {
        let code = self.wrap_number()?;
        let numbers = kind.numbers(self.token.module().profile())?;
        name.must_name()?;
        let template = template(name, kind, numbers.key_type, Export::Never)?;
        let mechanism = mechanism(code)?;
        self.token.with_writer(|session| {
            free(session, name)?;
            let wrapping = find(session, &self.name)?;
            self.token.calls.count("unwrap", code, || {
                let done = session.unwrap_key(&mechanism, wrapping, wrapped, &template);
                done.map_err(Error::of("C_UnwrapKey"))
            })
        })?;
        Self::open(&self.token, name.clone())
    }

    fn wrap_number(&self) -> Result<u64, Error> {
        self.numbers.wrap.ok_or(Error::Unsupported { operation: "wrap keys (by its profile)" })
    }

    fn call<'m>(&self, mode: Mode<'m>) -> Result<Call<'m>, Error> {
        let (code, parameter) = match mode {
            Mode::Ecb => (self.numbers.ecb, Parameter::None),
            Mode::Cbc { iv } => (self.numbers.cbc, Parameter::Bytes(iv)),
            Mode::CbcPadded { iv } => (self.numbers.cbc_pad, Parameter::Bytes(iv)),
            Mode::Gcm { nonce, aad } => (self.numbers.gcm, Parameter::Gcm { iv: nonce, aad }),
        };
        let operation = "encrypt in that mode (by its profile)";
        Ok(Call { code: code.ok_or(Error::Unsupported { operation })?, parameter })
    }

    fn with_handle<T>(
        &self,
        operation: &'static str,
        code: u64,
        call: impl Fn(&Session, ObjectHandle) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.held.with(
            &self.token,
            |session| find(session, &self.name),
            |session, handle| self.token.calls.count(operation, code, || call(session, handle)),
        )
    }
}

impl Token {
    /// Makes a secret key in the token.
    ///
    /// # Errors
    /// [`Error::Device`], [`Error::Unsupported`]; [`Error::Ambiguous`] where there is a key with this
    /// name; [`Error::Uri`] for a name that is none.
    pub fn generate_secret(
        self: &Arc<Self>,
        name: &KeyName,
        kind: SecretType,
        export: Export,
    ) -> Result<DeviceSecret, Error> {
        let numbers = kind.numbers(self.module().profile())?;
        name.must_name()?;
        let mut template = template(name, kind, numbers.key_type, export)?;
        template.extend(numbers.len.map(|len| Attribute::ValueLen((len as u64).into())));
        let mechanism = mechanism(numbers.generate)?;
        self.with_writer(|session| {
            free(session, name)?;
            session.generate_key(&mechanism, &template).map_err(Error::of("C_GenerateKey"))
        })?;
        DeviceSecret::open(self, name.clone())
    }

    /// Brings a secret key in. It was outside: one that is made in its device is the better one.
    ///
    /// # Errors
    /// As [`Token::generate_secret`].
    pub fn import_secret(
        self: &Arc<Self>,
        name: &KeyName,
        kind: SecretType,
        value: &[u8],
    ) -> Result<DeviceSecret, Error> {
        let numbers = kind.numbers(self.module().profile())?;
        name.must_name()?;
        let mut template = template(name, kind, numbers.key_type, Export::Never)?;
        template.push(Attribute::Value(value.to_vec()));
        let done = self.with_writer(|session| {
            free(session, name)?;
            session.create_object(&template).map_err(Error::of("C_CreateObject"))
        });
        // `cryptoki` does not wipe what it is given.
        for attribute in &mut template {
            if let Attribute::Value(value) = attribute {
                value.zeroize();
            }
        }
        done?;
        DeviceSecret::open(self, name.clone())
    }
}

fn find(session: &Session, name: &KeyName) -> Result<ObjectHandle, Error> {
    let found = search(session, &named(ObjectClass::SECRET_KEY, name))?;
    if found.is_empty() {
        logged_in(session)?;
    }
    one(found, "secret key")
}

/// A mechanism of the standard or a vendor's, without a parameter.
fn mechanism(code: u64) -> Result<Mechanism<'static>, Error> {
    match MechanismType::try_from(code) {
        Ok(MechanismType::AES_KEY_GEN) => Ok(Mechanism::AesKeyGen),
        Ok(MechanismType::GENERIC_SECRET_KEY_GEN) => Ok(Mechanism::GenericSecretKeyGen),
        Ok(MechanismType::AES_KEY_WRAP) => Ok(Mechanism::AesKeyWrap),
        _ => vendor(code),
    }
}

fn template(
    name: &KeyName,
    kind: SecretType,
    key_type: u64,
    export: Export,
) -> Result<Vec<Attribute>, Error> {
    let key_type = KeyType::try_from(key_type).or_else(|_| KeyType::new_vendor_defined(key_type));
    let mut template = name.attributes();
    template.extend([
        Attribute::Class(ObjectClass::SECRET_KEY),
        Attribute::Token(true),
        Attribute::KeyType(key_type.map_err(Error::of("profile"))?),
        Attribute::Private(true),
        Attribute::Sensitive(true),
        Attribute::Extractable(export == Export::Wrapped),
    ]);
    // One purpose per key: a key that authenticates does not encrypt.
    template.extend(match kind {
        SecretType::HmacSm3 => vec![Attribute::Sign(true), Attribute::Verify(true)],
        SecretType::Sm4 | SecretType::Aes => vec![
            Attribute::Encrypt(true),
            Attribute::Decrypt(true),
            Attribute::Sign(true),
            Attribute::Verify(true),
            Attribute::Wrap(true),
            Attribute::Unwrap(true),
        ],
    });
    Ok(template)
}

fn bounded(message: &[u8]) -> Result<&[u8], Error> {
    match message.len() <= MAX_MESSAGE {
        true => Ok(message),
        false => Err(gmkit_keys::Error::MessageTooLong.into()),
    }
}

impl SecretKey for DeviceSecret {
    fn start_sealing(&self, _: &[u8]) -> Result<Box<dyn SealingContext + '_>, gmkit_keys::Error> {
        Err(gmkit_keys::Error::Unsupported { operation: "seal in pieces: it seals whole messages" })
    }

    fn start_opening(
        &self,
        _: &[u8; 12],
        _: &[u8],
    ) -> Result<Box<dyn OpeningContext + '_>, gmkit_keys::Error> {
        Err(gmkit_keys::Error::Unsupported { operation: "open in pieces: it opens whole messages" })
    }

    fn start_mac(&self) -> Result<Box<dyn MacContext + '_>, gmkit_keys::Error> {
        match self.kind {
            SecretType::HmacSm3 => {
                Ok(Box::new(Macing { key: self, message: Zeroizing::default() }))
            }
            _ => {
                Err(gmkit_keys::Error::Unsupported { operation: "authenticate: it is a cipher's" })
            }
        }
    }

    fn seal(&self, aad: &[u8], plaintext: &[u8]) -> Result<Vec<u8>, gmkit_keys::Error> {
        self.must_be_sm4()?;
        let mut nonce = [0; 12];
        SysRng.try_fill_bytes(&mut nonce).map_err(|_| gmkit_keys::Error::Rng)?;
        let ciphertext = self.encrypt(Mode::Gcm { nonce: &nonce, aad }, plaintext)?;
        // Less would be no ciphertext with its tag, whatever the device says.
        if ciphertext.len() != plaintext.len() + 16 {
            let code = "gives a GCM ciphertext of another length".to_owned();
            return Err(Error::Device { function: "C_Encrypt", code }.into());
        }
        Ok([&nonce, &ciphertext[..]].concat())
    }

    fn open(&self, aad: &[u8], sealed: &[u8]) -> Result<Vec<u8>, gmkit_keys::Error> {
        self.must_be_sm4()?;
        let (nonce, ciphertext) = sealed.split_first_chunk().ok_or(gmkit_keys::Error::Rejected)?;
        let mut plaintext = self.decrypt(Mode::Gcm { nonce, aad }, ciphertext)?;
        match plaintext.len() + 16 == ciphertext.len() {
            true => Ok(std::mem::take(&mut *plaintext)),
            false => Err(gmkit_keys::Error::Rejected),
        }
    }
}

impl DeviceSecret {
    /// What is sealed is sealed with SM4.
    fn must_be_sm4(&self) -> Result<(), gmkit_keys::Error> {
        match self.kind {
            SecretType::Sm4 => Ok(()),
            _ => Err(gmkit_keys::Error::Unsupported { operation: "seal: it is no SM4 key" }),
        }
    }
}

/// A message on its way to the device that authenticates it.
struct Macing<'k> {
    key: &'k DeviceSecret,
    message: Zeroizing<Vec<u8>>,
}

impl MacContext for Macing<'_> {
    fn update(&mut self, piece: &[u8]) -> Result<(), gmkit_keys::Error> {
        if self.message.len() + piece.len() > MAX_MESSAGE {
            return Err(gmkit_keys::Error::MessageTooLong);
        }
        self.message.extend_from_slice(piece);
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<[u8; 32], gmkit_keys::Error> {
        let mac = self.key.mac(&self.message)?;
        mac.try_into().map_err(|_| {
            let code = "gives an HMAC-SM3 of another length".to_owned();
            Error::Device { function: "C_Sign", code }.into()
        })
    }

    fn verify(self: Box<Self>, mac: &[u8; 32]) -> Result<(), gmkit_keys::Error> {
        let ours = self.finish()?;
        match bool::from(subtle::ConstantTimeEq::ct_eq(&ours[..], &mac[..])) {
            true => Ok(()),
            false => Err(gmkit_keys::Error::Rejected),
        }
    }
}
