//! Keys on a token: finding, listing, making and deleting them.

use cryptoki::{
    error::RvError,
    mechanism::{Mechanism, MechanismType, vendor_defined::VendorDefinedMechanism},
    object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle},
    session::{Session, SessionState},
};
use der::{
    Encode,
    asn1::{OctetStringRef, UintRef},
};
use gmkit_sm2::{PublicKey, SecretKey};
use zeroize::Zeroize;

use crate::{Error, ObjectType, Token, Uri, encoding, profile::Sm2};

/// DER of the name of the curve, for CKA_EC_PARAMS.
const SM2_PARAMETERS: [u8; 10] = [6, 8, 0x2a, 0x81, 0x1c, 0xcf, 0x55, 1, 0x82, 0x2d];

/// What a key is called on its token.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyName {
    /// CKA_LABEL; `None` matches any.
    pub label: Option<String>,
    /// CKA_ID; `None` matches any.
    pub id: Option<Vec<u8>>,
}

impl KeyName {
    /// The name that a URI gives.
    #[must_use]
    pub fn of(uri: &Uri) -> Self {
        Self { label: uri.object.clone(), id: uri.id.clone() }
    }

    /// Refuses a name that any object has.
    pub(crate) fn must_name(&self) -> Result<(), Error> {
        match (&self.label, &self.id) {
            (None, None) => {
                Err(Error::Uri { reason: "what is made or deleted wants object= or id=" })
            }
            _ => Ok(()),
        }
    }

    pub(crate) fn attributes(&self) -> Vec<Attribute> {
        let label = self.label.iter().map(|label| Attribute::Label(label.as_bytes().to_vec()));
        label.chain(self.id.iter().map(|id| Attribute::Id(id.clone()))).collect()
    }
}

/// What a key is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyClass {
    /// A public key.
    Public,
    /// A private key.
    Private,
    /// A secret key.
    Secret,
}

/// A key that [`Token::keys`] lists.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyInfo {
    /// What it is.
    pub class: KeyClass,
    /// CKK, as a number.
    pub key_type: u64,
    /// Its label.
    pub label: String,
    /// Its id.
    pub id: Vec<u8>,
}

const CLASSES: [(KeyClass, ObjectClass); 3] = [
    (KeyClass::Private, ObjectClass::PRIVATE_KEY),
    (KeyClass::Public, ObjectClass::PUBLIC_KEY),
    (KeyClass::Secret, ObjectClass::SECRET_KEY),
];

impl Token {
    /// The keys that whoever is logged in can see.
    ///
    /// # Errors
    /// [`Error::Device`].
    pub fn keys(&self) -> Result<Vec<KeyInfo>, Error> {
        self.with_session(|session, _| {
            let mut keys = Vec::new();
            for (class, object_class) in CLASSES {
                for object in search(session, &[Attribute::Class(object_class)])? {
                    keys.push(info(session, object, class)?);
                }
            }
            Ok(keys)
        })
    }

    fn sm2(&self) -> Result<&Sm2, Error> {
        let unsupported = Error::Unsupported { operation: "hold SM2 keys (by its profile)" };
        self.module.profile.sm2.as_ref().ok_or(unsupported)
    }

    /// Makes an SM2 key pair that never leaves the token, and gives its public key.
    ///
    /// # Errors
    /// [`Error::Device`], [`Error::Unsupported`]; [`Error::Ambiguous`] where a key with this name is
    /// there already: it would be hard to say later which one is meant.
    pub fn generate_sm2(&self, name: &KeyName) -> Result<PublicKey, Error> {
        let sm2 = self.sm2()?;
        name.must_name()?;
        let (public, private) = pair_templates(sm2, name, true)?;
        let mechanism = vendor(sm2.generate)?;
        self.with_writer(|session| {
            free(session, name)?;
            let pair = session.generate_key_pair(&mechanism, &public, &private);
            let (public, private) = pair.map_err(Error::of("C_GenerateKeyPair"))?;
            match point(session, public) {
                Ok(Some(key)) => Ok(key),
                other => {
                    // A pair whose public key nobody knows is of no use, and keeps its name.
                    let _ = session.destroy_object(public);
                    let _ = session.destroy_object(private);
                    other.and(Err(Error::NotFound { what: "public key" }))
                }
            }
        })
    }

    /// Brings an SM2 key pair in, as where several devices are to hold the same one. It was outside:
    /// a key that is made in its device is the better one.
    ///
    /// # Errors
    /// [`Error::Device`], [`Error::Unsupported`]; [`Error::Ambiguous`] where a key with this name is
    /// there already.
    pub fn import_sm2(&self, name: &KeyName, key: &SecretKey) -> Result<(), Error> {
        let sm2 = self.sm2()?;
        name.must_name()?;
        let key_type = KeyType::new_vendor_defined(sm2.key_type).map_err(Error::of("profile"))?;
        let point = key.public_key().to_sec1_bytes();
        let point = OctetStringRef::new(&point)
            .and_then(|point| point.to_der())
            .map_err(|_| Error::Unsupported { operation: "hold that point" })?;
        let common = || {
            let mut template = name.attributes();
            template.extend([
                Attribute::Token(true),
                Attribute::KeyType(key_type),
                Attribute::EcParams(SM2_PARAMETERS.to_vec()),
                Attribute::EcPoint(point.clone()),
            ]);
            template
        };
        let mut private = common();
        private.extend([
            Attribute::Class(ObjectClass::PRIVATE_KEY),
            Attribute::Private(true),
            Attribute::Sensitive(true),
            Attribute::Extractable(false),
            Attribute::Sign(true),
            Attribute::Decrypt(true),
            Attribute::Value(key.to_bytes().to_vec()),
        ]);
        let mut public = common();
        public.extend([
            Attribute::Class(ObjectClass::PUBLIC_KEY),
            Attribute::Verify(true),
            Attribute::Encrypt(true),
        ]);
        let done = self.with_writer(|session| {
            free(session, name)?;
            let create = |template: &[Attribute]| {
                session.create_object(template).map_err(Error::of("C_CreateObject"))
            };
            let private = create(&private)?;
            create(&public).map(|_| ()).inspect_err(|_| {
                // Half a pair would keep the name.
                let _ = session.destroy_object(private);
            })
        });
        // `cryptoki` does not wipe what it is given.
        for attribute in &mut private {
            if let Attribute::Value(value) = attribute {
                value.zeroize();
            }
        }
        done
    }

    /// The private key with this name, and what may be its public key: only a signature can tell.
    pub(crate) fn find_pair(
        &self,
        session: &Session,
        name: &KeyName,
    ) -> Result<(ObjectHandle, Vec<PublicKey>), Error> {
        self.sm2()?;
        let found = search(session, &named(ObjectClass::PRIVATE_KEY, name))?;
        if found.is_empty() {
            logged_in(session)?;
        }
        let private = one(found, "private key")?;
        let mut candidates: Vec<PublicKey> = Vec::new();
        // Some devices keep the point with the private key, where it is the surest.
        candidates.extend(point(session, private)?);
        // The public half has the same id, as the standard recommends; or the same label.
        let id = bytes(session, private, AttributeType::Id)?.filter(|id| !id.is_empty());
        let by_id = id.map(|id| KeyName { label: None, id: Some(id) });
        for name in by_id.iter().chain([name]) {
            for public in search(session, &named(ObjectClass::PUBLIC_KEY, name))? {
                candidates.extend(point(session, public)?);
            }
        }
        let mut seen: Vec<PublicKey> = Vec::new();
        candidates.retain(|public| {
            let new = !seen.contains(public);
            seen.extend(new.then_some(*public));
            new
        });
        match candidates.is_empty() {
            true => Err(Error::NotFound { what: "public key" }),
            false => Ok((private, candidates)),
        }
    }

    /// Deletes the objects with this name: of one type, or a pair. Returns how many.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Device`]; [`Error::Ambiguous`], and nothing is deleted, where
    /// two objects of one class have this name; [`Error::Uri`] for a name that matches everything.
    pub fn delete(&self, name: &KeyName, kind: Option<ObjectType>) -> Result<usize, Error> {
        name.must_name()?;
        let classes: &[ObjectClass] = match kind {
            None => &[
                ObjectClass::PRIVATE_KEY,
                ObjectClass::PUBLIC_KEY,
                ObjectClass::CERTIFICATE,
                ObjectClass::SECRET_KEY,
            ],
            Some(ObjectType::Private) => &[ObjectClass::PRIVATE_KEY],
            Some(ObjectType::Public) => &[ObjectClass::PUBLIC_KEY],
            Some(ObjectType::Certificate) => &[ObjectClass::CERTIFICATE],
            Some(ObjectType::SecretKey) => &[ObjectClass::SECRET_KEY],
            Some(ObjectType::Data) => &[ObjectClass::DATA],
        };
        self.with_writer(|session| {
            logged_in(session)?;
            let mut objects = Vec::new();
            for class in classes {
                let found = search(session, &named(*class, name))?;
                if found.len() > 1 {
                    return Err(Error::Ambiguous { what: "object" });
                }
                objects.extend(found);
            }
            for object in &objects {
                session.destroy_object(*object).map_err(Error::of("C_DestroyObject"))?;
            }
            match objects.len() {
                0 => Err(Error::NotFound { what: "object" }),
                deleted => Ok(deleted),
            }
        })
    }

    /// Puts a certificate beside its key: `der`, with the subject and issuer that stand in it in
    /// DER, and its serial number in big-endian bytes.
    ///
    /// # Errors
    /// [`Error::Device`].
    pub fn import_certificate(
        &self,
        name: &KeyName,
        der: &[u8],
        [subject, issuer, serial]: [&[u8]; 3],
    ) -> Result<(), Error> {
        let serial = UintRef::new(serial).and_then(|serial| serial.to_der());
        let serial = serial.map_err(|_| Error::Unsupported { operation: "hold that number" })?;
        let mut template = name.attributes();
        template.extend([
            Attribute::Class(ObjectClass::CERTIFICATE),
            Attribute::CertificateType(cryptoki::object::CertificateType::X_509),
            Attribute::Token(true),
            Attribute::Private(false),
            Attribute::Value(der.to_vec()),
            Attribute::Subject(subject.to_vec()),
            Attribute::Issuer(issuer.to_vec()),
            Attribute::SerialNumber(serial),
        ]);
        self.with_writer(|session| {
            session.create_object(&template).map(|_| ()).map_err(Error::of("C_CreateObject"))
        })
    }
}

/// Templates of a new SM2 key pair, which stays on the token or goes with its session.
pub(crate) fn pair_templates(
    sm2: &Sm2,
    name: &KeyName,
    stays: bool,
) -> Result<(Vec<Attribute>, Vec<Attribute>), Error> {
    let key_type = KeyType::new_vendor_defined(sm2.key_type).map_err(Error::of("profile"))?;
    let mut public = name.attributes();
    public.extend([
        Attribute::Token(stays),
        Attribute::KeyType(key_type),
        Attribute::Verify(true),
        Attribute::Encrypt(true),
    ]);
    if sm2.ec_params {
        public.push(Attribute::EcParams(SM2_PARAMETERS.to_vec()));
    }
    let mut private = name.attributes();
    private.extend([
        Attribute::Token(stays),
        Attribute::KeyType(key_type),
        Attribute::Private(true),
        Attribute::Sensitive(true),
        Attribute::Extractable(false),
        Attribute::Sign(true),
        Attribute::Decrypt(true),
    ]);
    Ok((public, private))
}

/// A mechanism of a vendor's, without a parameter.
pub(crate) fn vendor(code: u64) -> Result<Mechanism<'static>, Error> {
    let kind = MechanismType::new_vendor_defined(code).map_err(Error::of("profile"))?;
    Ok(Mechanism::VendorDefined(VendorDefinedMechanism::new(kind, None::<&()>)))
}

pub(crate) fn named(class: ObjectClass, name: &KeyName) -> Vec<Attribute> {
    let mut template = name.attributes();
    template.push(Attribute::Class(class));
    template
}

pub(crate) fn search(
    session: &Session,
    template: &[Attribute],
) -> Result<Vec<ObjectHandle>, Error> {
    session.find_objects(template).map_err(Error::of("C_FindObjects"))
}

/// Refuses a name that a key has already.
pub(crate) fn free(session: &Session, name: &KeyName) -> Result<(), Error> {
    for class in [ObjectClass::PRIVATE_KEY, ObjectClass::PUBLIC_KEY, ObjectClass::SECRET_KEY] {
        if !search(session, &named(class, name))?.is_empty() {
            return Err(Error::Ambiguous { what: "key" });
        }
    }
    Ok(())
}

/// Whether the user is logged in: without, private objects are not there, and nothing says why.
pub(crate) fn logged_in(session: &Session) -> Result<(), Error> {
    let info = session.get_session_info().map_err(Error::of("C_GetSessionInfo"))?;
    match info.session_state() {
        SessionState::RoUser | SessionState::RwUser => Ok(()),
        _ => Err(Error::code("C_FindObjects", cryptoki_sys::CKR_USER_NOT_LOGGED_IN)),
    }
}

/// The one object that was found: `what` it should be.
pub(crate) fn one(mut found: Vec<ObjectHandle>, what: &'static str) -> Result<ObjectHandle, Error> {
    let first = found.pop().ok_or(Error::NotFound { what })?;
    if found.is_empty() { Ok(first) } else { Err(Error::Ambiguous { what }) }
}

/// One attribute at a time: a device that has one of several not may fail all of them.
pub(crate) fn attribute(
    session: &Session,
    object: ObjectHandle,
    kind: AttributeType,
) -> Result<Option<Attribute>, Error> {
    match session.get_attributes(object, &[kind]) {
        Ok(mut attributes) => Ok(attributes.pop()),
        Err(cryptoki::error::Error::Pkcs11(
            RvError::AttributeTypeInvalid | RvError::AttributeSensitive,
            _,
        )) => Ok(None),
        Err(error) => Err(Error::of("C_GetAttributeValue")(error)),
    }
}

pub(crate) fn bytes(
    session: &Session,
    object: ObjectHandle,
    kind: AttributeType,
) -> Result<Option<Vec<u8>>, Error> {
    Ok(match attribute(session, object, kind)? {
        Some(Attribute::Id(bytes) | Attribute::Label(bytes) | Attribute::EcPoint(bytes)) => {
            Some(bytes)
        }
        _ => None,
    })
}

pub(crate) fn point(session: &Session, object: ObjectHandle) -> Result<Option<PublicKey>, Error> {
    let value = bytes(session, object, AttributeType::EcPoint)?;
    Ok(value.and_then(|value| encoding::point(&value)))
}

fn info(session: &Session, object: ObjectHandle, class: KeyClass) -> Result<KeyInfo, Error> {
    let key_type = match attribute(session, object, AttributeType::KeyType)? {
        Some(Attribute::KeyType(kind)) => *kind,
        _ => u64::MAX,
    };
    let label = bytes(session, object, AttributeType::Label)?.unwrap_or_default();
    let label = String::from_utf8_lossy(&label).trim_end_matches(['\0', ' ']).to_owned();
    let id = bytes(session, object, AttributeType::Id)?.unwrap_or_default();
    Ok(KeyInfo { class, key_type, label, id })
}
