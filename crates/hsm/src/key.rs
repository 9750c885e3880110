//! An SM2 key in a device.

use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use cryptoki::{object::ObjectHandle, session::Session};
use gmkit_keys::{PrivateKey, SigningContext, SysRng, hazmat::SignE};
use gmkit_sm2::{Ciphertext, Id, PreparedKey, PublicKey, Signature, hazmat::verify_e_prepared};
use zeroize::Zeroizing;

use crate::{
    Checks, Error, KeyName, Token, Z, encoding,
    encoding::Layout,
    gathered::{End, Gathered, Signing},
    held::Held,
    profile::Sm2,
    raw::{Call, Work},
};

/// An SM2 key that stays in its device.
///
/// Z and e are computed here wherever the device signs a bare e, so that any ID can be used. Where
/// it does not, the device hashes: with Z put in front by us if it adds none, else for the default
/// ID only.
pub struct DeviceKey {
    token: Arc<Token>,
    name: KeyName,
    public: PublicKey,
    /// The same, for the verification of signatures.
    prepared: PreparedKey,
    checks: Checks,
    way: Way,
    /// The private key in the device.
    held: Held,
    /// How the device wants its ciphertexts, once that is known.
    decryption: OnceLock<(u64, Layout)>,
}

/// How a signature is had from the device: found out when the key is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// It signs e.
    E(u64),
    /// It hashes what it is given, which begins with Z.
    MessageAfterZ(u64),
    /// It hashes Z of the default ID and the message.
    Message(u64),
}

impl Way {
    fn code(self) -> u64 {
        match self {
            Self::E(code) | Self::MessageAfterZ(code) | Self::Message(code) => code,
        }
    }
}

impl fmt::Debug for DeviceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DeviceKey({:?}, {:?})", self.token, self.name.label)
    }
}

/// What the first use of a key signs: no message of anybody's.
const FIRST_USE: &[u8] = b"gmkit: first use of a key in a device, to learn how it signs";

impl DeviceKey {
    /// Opens a key by its name, and checks all that it signs: see [`DeviceKey::open_with`].
    ///
    /// # Errors
    /// As [`DeviceKey::open_with`].
    pub fn open(token: &Arc<Token>, name: KeyName) -> Result<Self, Error> {
        Self::open_with(token, name, Checks::default())
    }

    /// Opens a key by its name. Unless `checks` says otherwise it signs once, and the signature is
    /// verified: so the way to sign is learnt, and which public key is its own.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Ambiguous`], [`Error::Device`], [`Error::Unsupported`];
    /// [`Error::NothingVerifies`] where no way of the profile's works.
    pub fn open_with(token: &Arc<Token>, name: KeyName, checks: Checks) -> Result<Self, Error> {
        let (_, candidates) = token.with_session(|session, _| token.find_pair(session, &name))?;
        if checks == Checks::AtSigning && candidates.len() > 1 {
            // Only a signature could tell.
            return Err(Error::Ambiguous { what: "public key" });
        }
        let mut last = Error::NotFound { what: "public key" };
        for public in candidates {
            let mut key = Self {
                token: Arc::clone(token),
                name: name.clone(),
                public,
                prepared: PreparedKey::new(&public, Id::DEFAULT),
                checks,
                way: Way::E(0),
                held: Held::default(),
                decryption: OnceLock::new(),
            };
            let way = match checks {
                Checks::AtSigning => key.presume(),
                _ => key.learn(),
            };
            match way {
                Ok(way) => key.way = way,
                Err(error) if error.is_of_connection() => return Err(error),
                Err(error) => {
                    last = error;
                    continue;
                }
            }
            let profile = &token.module().profile().name;
            tracing::info!(way = ?key.way, ?checks, profile, "opened a key in a device");
            return Ok(key);
        }
        Err(last)
    }

    /// How the device signs, for people.
    #[must_use]
    pub fn signs_by(&self) -> String {
        match self.way {
            Way::E(code) => format!("{code:#010x} over e"),
            Way::MessageAfterZ(code) => format!("{code:#010x} over Z and the message"),
            Way::Message(code) => format!("{code:#010x} over the message, default ID only"),
        }
    }

    /// Signs `data`, whose digest is `e`. Nothing that does not verify is given out, unless the
    /// device is believed: where another key has taken the handle's place, the key is looked up once
    /// more.
    fn sign_verified(&self, code: u64, data: &[u8], e: &[u8; 32]) -> Result<Signature, Error> {
        // Where uses are counted there is one for each signature.
        let tries = if self.checks == Checks::AtSigning { 1 } else { 2 };
        for _ in 0..tries {
            let signature = encoding::signature(&self.sign_raw(code, data)?);
            let unproven = self.held.take_unproven();
            let believed = self.checks == Checks::AtOpening && !unproven;
            match signature.filter(|signature| believed || self.is_good(e, signature)) {
                Some(signature) => return Ok(signature),
                None => self.held.forget(),
            }
        }
        Err(Error::NothingVerifies)
    }

    fn is_good(&self, e: &[u8; 32], signature: &Signature) -> bool {
        verify_e_prepared(&self.prepared, e, signature).is_ok()
    }

    /// Signs a bare e.
    pub(crate) fn sign_digest(&self, e: &[u8; 32]) -> Result<Signature, Error> {
        match self.way {
            Way::E(code) => self.sign_verified(code, e, e),
            _ => Err(Error::Unsupported { operation: "sign a bare e" }),
        }
    }

    /// Signs a message, in the way of the device.
    pub(crate) fn sign_message(&self, id: Id<'_>, message: &[u8]) -> Result<Signature, Error> {
        let z = self.public.z(id);
        let e = gmkit_sm3::digest(&[&z, message]);
        match self.way {
            Way::E(_) => self.sign_digest(&e),
            Way::MessageAfterZ(code) => {
                let data = Zeroizing::new([&z, message].concat());
                self.sign_verified(code, &data, &e)
            }
            Way::Message(code) if id == Id::DEFAULT => self.sign_verified(code, message, &e),
            Way::Message(_) => Err(Error::Unsupported { operation: OTHER_ID }),
        }
    }

    /// Whether it signs under any ID.
    pub(crate) fn takes_any_id(&self) -> bool {
        !matches!(self.way, Way::Message(_))
    }

    fn sign_raw(&self, code: u64, data: &[u8]) -> Result<Vec<u8>, Error> {
        let signature = self.with_handle("sign", code, |session, key| {
            let work = self.token.work(session, data);
            self.token.module().functions.sign(work, Call::bare(code), key.handle())
        })?;
        Ok(signature.to_vec())
    }

    /// Runs `call` in a session with the key's handle.
    fn with_handle<T>(
        &self,
        operation: &'static str,
        code: u64,
        call: impl Fn(&Session, ObjectHandle) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let find = |session: &Session| {
            let (handle, publics) = self.token.find_pair(session, &self.name)?;
            // Another key under the same name is not this one.
            let same = publics.contains(&self.public);
            same.then_some(handle).ok_or(Error::NotFound { what: "private key" })
        };
        self.held.with(&self.token, find, |session, handle| {
            self.token.calls.count(operation, code, || call(session, handle))
        })
    }

    fn sm2(&self) -> Result<&Sm2, Error> {
        let sm2 = self.token.module().profile().sm2.as_ref();
        sm2.ok_or(Error::Unsupported { operation: "sign with SM2 (by its profile)" })
    }

    /// The first way of the profile whose mechanism the device has.
    fn presume(&self) -> Result<Way, Error> {
        for way in ways(self.sm2()?) {
            if self.token.offers(way.code())? {
                return Ok(way);
            }
        }
        Err(Error::Unsupported { operation: "sign with SM2 (none of its profile's mechanisms)" })
    }

    /// Tries the ways of the profile, in its order.
    fn learn(&self) -> Result<Way, Error> {
        let sm2 = self.sm2()?;
        let z = self.public.z(Id::DEFAULT);
        let e = gmkit_sm3::digest(&[&z, FIRST_USE]);
        let mut last = None;
        for way in ways(sm2) {
            let signed = match way {
                Way::E(code) => self.sign_raw(code, &e),
                Way::MessageAfterZ(code) => self.sign_raw(code, &[&z, FIRST_USE].concat()),
                Way::Message(code) => self.sign_raw(code, FIRST_USE),
            };
            match signed.map(|bytes| encoding::signature(&bytes)) {
                Ok(Some(signature)) if self.is_good(&e, &signature) => {
                    return Ok(way);
                }
                Ok(_) => last = Some(Error::NothingVerifies),
                // A device that is gone says nothing about its mechanisms.
                Err(error) if error.is_of_connection() => return Err(error),
                // The next mechanism may be the one that this device has.
                Err(error) => last = last.or(Some(error)),
            }
        }
        Err(last.unwrap_or(Error::NothingVerifies))
    }
}

/// The ways of a profile, those with any ID first.
fn ways(sm2: &Sm2) -> Vec<Way> {
    let over_e = sm2.sign_e.iter().map(|code| Way::E(*code));
    let over_messages = sm2.sign_message.iter().flat_map(|sign| {
        let (outside, inside) = (Way::MessageAfterZ(sign.code), Way::Message(sign.code));
        match sign.z {
            Z::Inside => vec![inside],
            Z::Outside => vec![outside],
            Z::Unknown => vec![outside, inside],
        }
    });
    over_e.chain(over_messages).collect()
}

impl PrivateKey for DeviceKey {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn start_signing(&self, id: Id<'_>) -> Result<Box<dyn SigningContext + '_>, gmkit_keys::Error> {
        if id != Id::DEFAULT && !self.takes_any_id() {
            return Err(gmkit_keys::Error::Unsupported { operation: OTHER_ID });
        }
        let gathered = Gathered::new(&self.public, id, matches!(self.way, Way::E(_)));
        Ok(Box::new(Signing { gathered, finish: |end: End| Ok(end.sign_with(self)?) }))
    }

    fn decrypt(&self, ciphertext: &Ciphertext) -> Result<Zeroizing<Vec<u8>>, gmkit_keys::Error> {
        Ok(self.decrypt_ciphertext(ciphertext)?)
    }

    fn as_sign_e(&self) -> Option<&dyn SignE> {
        matches!(self.way, Way::E(_)).then_some(self)
    }
}

/// What a key that hashes by itself cannot do.
const OTHER_ID: &str = "sign under another ID than the default one";

impl DeviceKey {
    /// Decrypts. Once it is known how, one answer stands for whatever is wrong with a ciphertext.
    pub(crate) fn decrypt_ciphertext(
        &self,
        ciphertext: &Ciphertext,
    ) -> Result<Zeroizing<Vec<u8>>, Error> {
        let way = match self.decryption.get() {
            Some(way) => *way,
            None => {
                // Two threads may both find it out: the same.
                let found = self.learn_decryption()?;
                *self.decryption.get_or_init(|| found)
            }
        };
        match self.decrypt_by(way, ciphertext) {
            Ok(plaintext) if plaintext.len() == ciphertext.plaintext_len() => Ok(plaintext),
            Err(error) if !error.is_of_ciphertext() => Err(error),
            _ => Err(gmkit_keys::Error::Rejected.into()),
        }
    }

    fn decrypt_by(
        &self,
        (code, layout): (u64, Layout),
        ciphertext: &Ciphertext,
    ) -> Result<Zeroizing<Vec<u8>>, Error> {
        let bytes = layout.write(ciphertext).ok_or(Error::NothingVerifies)?;
        self.with_handle("decrypt", code, |session, key| {
            // SM2 has no pieces: nothing comes before C3 is checked.
            let work = Work { frame: None, ..self.token.work(session, &bytes) };
            self.token.module().functions.decrypt(work, Call::bare(code), key.handle())
        })
    }

    /// Which mechanism takes which layout, by a ciphertext made here.
    fn learn_decryption(&self) -> Result<(u64, Layout), Error> {
        let sm2 = self.token.module().profile().sm2.as_ref();
        let codes = sm2.map(|sm2| sm2.encrypt.clone()).unwrap_or_default();
        let probe = self.public.encrypt(&mut SysRng, FIRST_USE);
        let probe = probe.map_err(|error| Error::from(gmkit_keys::Error::from(error)))?;
        let mut last = Error::Unsupported { operation: "decrypt with SM2 (by its profile)" };
        for code in codes {
            for layout in Layout::ALL {
                match self.decrypt_by((code, layout), &probe) {
                    Ok(opened) if *opened == FIRST_USE => return Ok((code, layout)),
                    Ok(_) => {}
                    Err(error) => last = error,
                }
            }
        }
        Err(last)
    }
}

impl SignE for DeviceKey {
    fn sign_e(&self, e: &[u8; 32]) -> Result<Signature, gmkit_keys::Error> {
        Ok(self.sign_digest(e)?)
    }
}
