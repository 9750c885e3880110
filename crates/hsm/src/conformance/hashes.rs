//! SM3, HMAC-SM3, and random numbers.

use cryptoki::object::{Attribute, KeyType, ObjectClass};
use gmkit_keys::{SecretKey as _, SoftwareSecret};

use super::{MESSAGE, Test, create, plainly, right};
use crate::{Error, raw::Call};

/// The key of HMAC.
const KEY: [u8; 32] = [0x17; 32];

pub(super) fn run(test: &mut Test<'_>) -> Result<(), Error> {
    let (token, keys) = (test.token, test.keys);
    test.row("random", 0, || {
        let (mut one, mut two) = ([0; 32], [0; 32]);
        token.random(&mut one)?;
        token.random(&mut two)?;
        right(one != two && one != [0; 32], "the same bytes twice")?;
        plainly(move || token.random(&mut [0; 32]))
    })?;
    let Some(sm3) = token.module().profile().sm3.as_ref() else { return Ok(()) };
    test.row("SM3", sm3.digest, || {
        let digest = token.digest(sm3.digest, &MESSAGE)?;
        right(digest == gmkit_sm3::digest(&[&MESSAGE]), "another digest than ours")?;
        plainly(move || token.digest(sm3.digest, &MESSAGE).map(|_| ()))
    })?;
    let Some(code) = sm3.hmac else { return Ok(()) };
    let template = vec![
        Attribute::Class(ObjectClass::SECRET_KEY),
        Attribute::KeyType(KeyType::GENERIC_SECRET),
        Attribute::Token(false),
        Attribute::Sign(true),
        Attribute::Value(KEY.to_vec()),
    ];
    test.row("HMAC-SM3", code, || {
        let key = create(keys, template)?;
        let mac = move || {
            token.with_session(|session, _| {
                let work = token.work(session, &MESSAGE);
                token.module().functions.sign(work, Call::bare(code), key.handle())
            })
        };
        let ours = SoftwareSecret::hmac_sm3(&KEY)?;
        let mut expected = ours.start_mac()?;
        expected.update(&MESSAGE)?;
        right(mac()?[..] == expected.finish()?, "another MAC than ours")?;
        plainly(move || mac().map(|_| ()))
    })
}
