//! Which secret key a name means, and whether it is still the same.

use cryptoki::{
    object::{Attribute, AttributeType, ObjectClass, ObjectHandle},
    session::Session,
};

use crate::{
    Error, KeyName, SecretType, Token,
    objects::{attribute, logged_in, named, one, search},
    raw::Call,
    secret_type::Numbers,
};

/// What a key makes of a fixed text, in part: as a check value does, it tells keys apart and nothing
/// of the key. `None` for a key that does neither of what is tried, as one that wraps.
pub(crate) type Mark = Option<[u8; 8]>;

/// A private key by its name: whoever can write to a token without its PIN can put public objects
/// there, and they are not taken for ours.
pub(crate) fn find(session: &Session, name: &KeyName) -> Result<ObjectHandle, Error> {
    let found = search(session, &named(ObjectClass::SECRET_KEY, name))?;
    if found.is_empty() {
        logged_in(session)?;
    }
    let object = one(found, "secret key")?;
    match attribute(session, object, AttributeType::Private)? {
        Some(Attribute::Private(false)) => Err(Error::NotFound { what: "private secret key" }),
        _ => Ok(object),
    }
}

/// What a key is for, as its type says.
pub(crate) fn kind_of(
    token: &Token,
    session: &Session,
    object: ObjectHandle,
) -> Result<(SecretType, Numbers), Error> {
    let key_type = match attribute(session, object, AttributeType::KeyType)? {
        Some(Attribute::KeyType(kind)) => *kind,
        _ => return Err(Error::Unsupported { operation: "say what kind of key that is" }),
    };
    let profile = token.module().profile();
    for kind in SecretType::ALL {
        match kind.numbers(profile) {
            Ok(numbers) if numbers.key_type == key_type => return Ok((kind, numbers)),
            _ => {}
        }
    }
    Err(Error::Unsupported { operation: "use keys of that type (by its profile)" })
}

/// A fixed block, which is no message of anybody's and none of a mode's own: GCM's H comes from zeros.
const MARKED: &[u8; 16] = b"gmkit: which key";

/// The mark of a key, by its cipher or its MAC.
pub(crate) fn mark(
    token: &Token,
    session: &Session,
    key: ObjectHandle,
    numbers: &Numbers,
) -> Result<Mark, Error> {
    let functions = &token.module().functions;
    let work = token.work(session, MARKED);
    let by_cipher = numbers.ecb.map(|code| (true, code));
    let by_mac = numbers.hmac.or(numbers.mac).map(|code| (false, code));
    for (encrypts, code) in by_cipher.into_iter().chain(by_mac) {
        let done = match encrypts {
            true => functions.encrypt(work, Call::bare(code), key.handle()),
            false => functions.sign(work, Call::bare(code), key.handle()),
        };
        match done {
            Ok(bytes) => return Ok(bytes.first_chunk::<8>().copied()),
            // Not with this key, or not on this device.
            Err(error) if error.is_of_mechanism() => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}
