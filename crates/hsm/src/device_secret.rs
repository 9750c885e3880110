//! A secret key in a device.

use std::{fmt, sync::Arc};

use cryptoki::{object::ObjectHandle, session::Session};
use gmkit_keys::{MacContext, OpeningContext, SealingContext, SecretKey, SysRng};
use gmkit_sm2::rand_core::TryRng;
use zeroize::Zeroizing;

use crate::{
    Error, KeyName, KeyUse, SecretType, Token,
    held::Held,
    new_secret::{NewKey, mechanism},
    raw::{Call, Parameter},
    secret_lookup::{Mark, find, kind_of, mark},
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
    /// What tells this key from another one under the same name.
    mark: Mark,
    held: Held,
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

impl Mode<'_> {
    fn ciphertext_len(&self, plaintext: usize) -> usize {
        match self {
            Self::Ecb | Self::Cbc { .. } => plaintext,
            Self::CbcPadded { .. } => plaintext / 16 * 16 + 16,
            Self::Gcm { .. } => plaintext + 16,
        }
    }

    /// Whether a plaintext can be that of a ciphertext, by their lengths.
    fn fits(&self, plaintext: usize, ciphertext: usize) -> bool {
        self.ciphertext_len(plaintext) == ciphertext
    }
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
        let (kind, numbers, mark) = token.with_session(|session, _| {
            let object = find(session, &name)?;
            let (kind, numbers) = kind_of(token, session, object)?;
            Ok((kind, numbers, mark(token, session, object, &numbers)?))
        })?;
        Ok(Self::known(token, name, (kind, numbers, mark)))
    }

    /// One whose kind and mark are known.
    pub(crate) fn known(
        token: &Arc<Token>,
        name: KeyName,
        (kind, numbers, mark): (SecretType, Numbers, Mark),
    ) -> Self {
        Self { token: Arc::clone(token), name, kind, numbers, mark, held: Held::default() }
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
        if ciphertext.len() != mode.ciphertext_len(plaintext.len()) {
            return Err(Error::answer("gives a ciphertext of another length"));
        }
        Ok(std::mem::take(&mut *ciphertext))
    }

    /// Decrypts a message. Of what is wrong with a ciphertext one answer tells: no more than that.
    ///
    /// # Errors
    /// [`Error::Key`] with [`gmkit_keys::Error::Rejected`]; [`Error::Device`] where the device is at
    /// fault; [`Error::Unsupported`], [`Error::Busy`].
    pub fn decrypt(&self, mode: Mode<'_>, ciphertext: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
        let call = self.call(mode)?;
        // As long as what was encrypted, and its tag or padding.
        if ciphertext.len() > MAX_MESSAGE + 16 {
            return Err(gmkit_keys::Error::MessageTooLong.into());
        }
        let opened = self.with_handle("decrypt", call.code, |session, key| {
            let work = self.token.work(session, ciphertext);
            self.token.module().functions.decrypt(work, call, key.handle())
        });
        match opened {
            Ok(plaintext) if mode.fits(plaintext.len(), ciphertext.len()) => Ok(plaintext),
            Err(error) if !error.is_of_ciphertext() => Err(error),
            _ => Err(gmkit_keys::Error::Rejected.into()),
        }
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
        let good = if self.numbers.hmac.is_some() { mac.len() == 32 } else { mac.len() >= 4 };
        match good {
            true => Ok(mac.to_vec()),
            false => Err(Error::answer("gives a MAC of another length")),
        }
    }

    /// Wraps another key of the same token under this one (RFC 3394), which authenticates it.
    ///
    /// # Errors
    /// [`Error::Device`], as for a key that was made with [`crate::Export::Never`]; [`Error::Unsupported`]
    /// where the profile has no mechanism for it, [`Error::NotFound`] for a key of another token.
    pub fn wrap(&self, key: &Self) -> Result<Vec<u8>, Error> {
        let code = self.wrap_number()?;
        if !Arc::ptr_eq(&self.token, &key.token) {
            return Err(Error::NotFound { what: "key to wrap" });
        }
        self.with_handle("wrap", code, |session, wrapping| {
            let target = key.find_again(session)?;
            let functions = &self.token.module().functions;
            let call = Call::bare(code);
            let wrapped =
                functions.wrap(session.handle(), call, wrapping.handle(), target.handle())?;
            // Two blocks of eight bytes at least, and one more (RFC 3394).
            match wrapped.len() >= 24 && wrapped.len().is_multiple_of(8) {
                true => Ok(wrapped),
                false => Err(Error::answer("gives a wrapped key of another length")),
            }
        })
    }

    /// Unwraps a key into the token, under a new name; it never leaves it again.
    ///
    /// # Errors
    /// [`Error::Device`], as for what was not wrapped under this key; [`Error::Unsupported`], also
    /// for a key that is to wrap others; [`Error::Ambiguous`] where there is a key with this name.
    pub fn unwrap(
        &self,
        wrapped: &[u8],
        name: &KeyName,
        kind: SecretType,
        for_what: KeyUse,
    ) -> Result<Self, Error> {
        let code = self.wrap_number()?;
        let new = NewKey::from_outside(&self.token, name, kind, for_what)?;
        let mechanism = mechanism(code)?;
        new.make(|session, template| {
            let wrapping = self.find_again(session)?;
            self.token.calls.count("unwrap", code, || {
                let done = session.unwrap_key(&mechanism, wrapping, wrapped, template);
                done.map_err(Error::of("C_UnwrapKey"))
            })
        })
    }

    /// The key by its name, if it is still the one that was opened.
    fn find_again(&self, session: &Session) -> Result<ObjectHandle, Error> {
        let object = find(session, &self.name)?;
        let (kind, numbers) = kind_of(&self.token, session, object)?;
        let same = kind == self.kind && mark(&self.token, session, object, &numbers)? == self.mark;
        same.then_some(object).ok_or(Error::NotFound { what: "secret key" })
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
            |session| self.find_again(session),
            |session, handle| self.token.calls.count(operation, code, || call(session, handle)),
        )
    }
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
        Ok([&nonce, &ciphertext[..]].concat())
    }

    fn open(&self, aad: &[u8], sealed: &[u8]) -> Result<Vec<u8>, gmkit_keys::Error> {
        self.must_be_sm4()?;
        let (nonce, ciphertext) = sealed.split_first_chunk().ok_or(gmkit_keys::Error::Rejected)?;
        let mut plaintext = self.decrypt(Mode::Gcm { nonce, aad }, ciphertext)?;
        Ok(std::mem::take(&mut *plaintext))
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
        mac.try_into().map_err(|_| Error::answer("gives an HMAC-SM3 of another length").into())
    }

    fn verify(self: Box<Self>, mac: &[u8; 32]) -> Result<(), gmkit_keys::Error> {
        let ours = self.finish()?;
        match bool::from(subtle::ConstantTimeEq::ct_eq(&ours[..], &mac[..])) {
            true => Ok(()),
            false => Err(gmkit_keys::Error::Rejected),
        }
    }
}
