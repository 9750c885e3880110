//! SM4 in its modes, its MAC, and key wrap.

use std::sync::Arc;

use cryptoki::{
    object::{Attribute, KeyType, ObjectClass, ObjectHandle},
    session::Session,
};
use gmkit_keys::{SecretKey as _, SoftwareSecret};
use gmkit_sm4::{
    Cmac, Sm4,
    cipher::{BlockCipherEncrypt, KeyInit},
    cmac::Mac as _,
    wrap::KeyWrap,
};

use super::{Fault, MESSAGE, Test, Tried, create, plainly, right};
use crate::{
    Error, Token,
    objects::vendor,
    raw::{Call, Parameter},
};

/// The key of all of it, and the one that is wrapped.
const KEY: [u8; 16] = [0x21; 16];
const INNER: [u8; 16] = [0x43; 16];
const IV: [u8; 16] = [0x65; 16];

pub(super) fn run(test: &mut Test<'_>) -> Result<(), Error> {
    let (token, keys) = (test.token, test.keys);
    let Some(sm4) = token.module().profile().sm4.as_ref() else { return Ok(()) };
    let key_type = KeyType::new_vendor_defined(sm4.key_type).map_err(Error::of("profile"))?;
    test.row("SM4 key", sm4.generate, || {
        let make = move || {
            let template = template(key_type, false);
            let key = keys.generate_key(&vendor(sm4.generate)?, &template);
            let key = key.map_err(Error::of("C_GenerateKey"))?;
            keys.destroy_object(key).map_err(Error::of("C_DestroyObject"))
        };
        make()?;
        plainly(make)
    })?;
    // A key that both sides know; a device may let none in.
    let mut known = template(key_type, false);
    known.push(Attribute::Value(KEY.to_vec()));
    let key = create(keys, known).ok().map(|handle| Known { token, handle });
    let (none, iv) = (Parameter::None, Parameter::Bytes(&IV));
    let cbc = gmkit_sm4::cbc::encrypt(&KEY, &IV, &MESSAGE);
    let rows = [
        ("SM4-ECB", Some(sm4.ecb), none, ecb()),
        ("SM4-CBC", Some(sm4.cbc), iv, cbc[..MESSAGE.len()].to_vec()),
        ("SM4-CBC padded", sm4.cbc_pad, iv, cbc),
    ];
    for (what, code, parameter, expected) in rows {
        let Some(code) = code else { continue };
        let call = Call { code, parameter };
        test.row_with(what, code, key, |key| key.encrypts(call, &expected))?;
    }
    if let Some(code) = sm4.gcm {
        test.row_with("SM4-GCM", code, key, |key| key.seals(code))?;
    }
    if let Some(code) = sm4.mac {
        test.row_with("SM4 MAC", code, key, |key| key.authenticates(code))?;
    }
    if let Some(code) = sm4.wrap {
        test.row_with("SM4 key wrap", code, key, |key| key.wraps(keys, key_type, code))?;
    }
    Ok(())
}

fn template(key_type: KeyType, may_leave: bool) -> Vec<Attribute> {
    vec![
        Attribute::Class(ObjectClass::SECRET_KEY),
        Attribute::KeyType(key_type),
        Attribute::Token(false),
        Attribute::Extractable(may_leave),
        Attribute::Encrypt(true),
        Attribute::Decrypt(true),
        Attribute::Sign(true),
        Attribute::Wrap(true),
    ]
}

fn ecb() -> Vec<u8> {
    let cipher = Sm4::new(&KEY);
    let mut blocks = MESSAGE;
    for block in blocks.as_chunks_mut::<16>().0 {
        cipher.encrypt_block(block.into());
    }
    blocks.to_vec()
}

/// A key that both sides know.
#[derive(Clone, Copy)]
struct Known<'t> {
    token: &'t Arc<Token>,
    handle: ObjectHandle,
}

impl<'t> Known<'t> {
    fn encrypt(&self, call: Call<'_>) -> Result<Vec<u8>, Error> {
        self.token.with_session(|session, _| {
            let work = self.token.work(session, &MESSAGE);
            let functions = &self.token.module().functions;
            Ok(functions.encrypt(work, call, self.handle.handle())?.to_vec())
        })
    }

    fn decrypt(&self, call: Call<'_>, ciphertext: &[u8]) -> Result<Vec<u8>, Error> {
        self.token.with_session(|session, _| {
            let work = self.token.work(session, ciphertext);
            let functions = &self.token.module().functions;
            Ok(functions.decrypt(work, call, self.handle.handle())?.to_vec())
        })
    }

    fn encrypts(self, call: Call<'static>, expected: &[u8]) -> Tried<'t> {
        right(self.encrypt(call)? == expected, "another ciphertext than ours")?;
        right(self.decrypt(call, expected)? == MESSAGE, "it does not decrypt our ciphertext")?;
        plainly(move || self.encrypt(call).map(|_| ()))
    }

    fn seals(self, code: u64) -> Tried<'t> {
        const NONCE: [u8; 12] = [0x31; 12];
        let call = Call { code, parameter: Parameter::Gcm { iv: &NONCE, aad: b"header" } };
        let ours = SoftwareSecret::sm4(&KEY)?;
        let ciphertext = self.encrypt(call)?;
        let opened = ours.open(b"header", &[&NONCE, &ciphertext[..]].concat());
        right(opened.is_ok_and(|opened| opened == MESSAGE), "another ciphertext than ours")?;
        right(self.decrypt(call, &ciphertext)? == MESSAGE, "it does not open its own")?;
        let mut forged = ciphertext;
        forged[5] ^= 1;
        right(self.decrypt(call, &forged).is_err(), "it opens what was changed")?;
        // The nonce is the same, as nothing secret is sealed: the message is known.
        plainly(move || self.encrypt(call).map(|_| ()))
    }

    fn authenticates(self, code: u64) -> Tried<'t> {
        let mac = move || {
            self.token.with_session(|session, _| {
                let work = self.token.work(session, &MESSAGE);
                let functions = &self.token.module().functions;
                Ok(functions.sign(work, Call::bare(code), self.handle.handle())?.to_vec())
            })
        };
        let mut cmac = Cmac::new(&KEY.into());
        cmac.update(&MESSAGE);
        let cbc = gmkit_sm4::cbc::encrypt(&KEY, &[0; 16], &MESSAGE);
        let found = mac()?;
        let is = |expected: &[u8]| found.len() >= 4 && expected.starts_with(&found);
        let kind = match () {
            () if is(&cmac.finalize().into_bytes()) => "CMAC",
            () if is(&cbc[MESSAGE.len() - 16..MESSAGE.len()]) => "CBC-MAC, which is for one length",
            () => return Err(Fault::Wrong("neither CMAC nor CBC-MAC")),
        };
        let form = format!("{kind}, {} bytes", found.len());
        Ok((form, Box::new(move || mac().map(|_| ()))))
    }

    fn wraps(self, keys: &'t Session, key_type: KeyType, code: u64) -> Tried<'t> {
        let mut inner = template(key_type, true);
        inner.push(Attribute::Value(INNER.to_vec()));
        let inner = create(keys, inner)?;
        let wrap = move || {
            let functions = &self.token.module().functions;
            let (wrapping, inner) = (self.handle.handle(), inner.handle());
            functions.wrap(keys.handle(), Call::bare(code), wrapping, inner)
        };
        let kek = KeyWrap::new(&KEY);
        let mut out = [0; 32];
        let wrapped = wrap()?;
        let (plain, padded) = (
            kek.wrap(&INNER, &mut out).is_ok_and(|ours| ours == wrapped),
            kek.wrap_padded(&INNER, &mut out).is_ok_and(|ours| ours == wrapped),
        );
        right(plain || padded, "another wrapped key than ours")?;
        let form = if plain { "RFC 3394" } else { "RFC 5649" };
        Ok((form.to_owned(), Box::new(move || wrap().map(|_| ()))))
    }
}
