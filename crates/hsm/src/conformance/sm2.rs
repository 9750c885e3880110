//! SM2: key pairs, signatures with and without Z, ciphertexts.

use std::sync::Arc;

use cryptoki::{
    object::{AttributeType, ObjectHandle},
    session::Session,
};
use gmkit_keys::SysRng;
use gmkit_sm2::{Ciphertext, Id, PublicKey, Signature, hazmat::verify_e};

use super::{Fault, LABEL, Test, Tried};
use crate::{
    Error, KeyName, Token,
    encoding::{self, Layout},
    objects::{bytes, pair_templates, vendor},
    profile::Sm2,
    raw::{Call, Work},
};

/// What is signed and encrypted: no message of anybody's.
const TEXT: &[u8] = b"gmkit: test of a device";

/// A key pair of the test's.
#[derive(Clone, Copy)]
struct Pair<'t> {
    token: &'t Arc<Token>,
    public: PublicKey,
    handles: (ObjectHandle, ObjectHandle),
}

pub(super) fn run(test: &mut Test<'_>) -> Result<(), Error> {
    let (token, keys) = (test.token, test.keys);
    let Some(sm2) = token.module().profile().sm2.as_ref() else { return Ok(()) };
    let mut pair = None;
    test.row("SM2 key pair", sm2.generate, || {
        let (handles, point) = generate(keys, sm2)?;
        let public = encoding::point(&point).ok_or(Fault::Wrong("no point in CKA_EC_POINT"))?;
        pair = Some(Pair { token, public, handles });
        let again = || {
            let ((public, private), _) = generate(keys, sm2)?;
            keys.destroy_object(public).map_err(Error::of("C_DestroyObject"))?;
            keys.destroy_object(private).map_err(Error::of("C_DestroyObject"))
        };
        Ok((format!("EC_POINT is {}", point_form(&point)), Box::new(again)))
    })?;
    for code in &sm2.sign_e {
        test.row_with("SM2 sign e", *code, pair, |pair| pair.signs_e(*code))?;
    }
    for sign in &sm2.sign_message {
        test.row_with("SM2 sign message", sign.code, pair, |pair| pair.signs_message(sign.code))?;
    }
    for code in &sm2.encrypt {
        test.row_with("SM2 decrypt", *code, pair, |pair| pair.decrypts(*code))?;
        test.row_with("SM2 encrypt", *code, pair, |pair| pair.encrypts(*code))?;
    }
    Ok(())
}

type Handles = (ObjectHandle, ObjectHandle);

/// A key pair that goes with the session, and its CKA_EC_POINT as it is.
fn generate(session: &Session, sm2: &Sm2) -> Result<(Handles, Vec<u8>), Error> {
    let name = KeyName { label: Some(String::from_utf8_lossy(LABEL).into_owned()), id: None };
    let (public, private) = pair_templates(sm2, &name, false)?;
    let pair = session.generate_key_pair(&vendor(sm2.generate)?, &public, &private);
    let pair = pair.map_err(Error::of("C_GenerateKeyPair"))?;
    let point = bytes(session, pair.0, AttributeType::EcPoint)?;
    Ok((pair, point.ok_or(Error::NotFound { what: "CKA_EC_POINT" })?))
}

fn point_form(point: &[u8]) -> &'static str {
    match point.len() {
        64 => "X ‖ Y",
        65 => "04 ‖ X ‖ Y",
        _ => "an OCTET STRING",
    }
}

impl<'t> Pair<'t> {
    fn sign(&self, code: u64, data: &[u8]) -> Result<Vec<u8>, Error> {
        self.token.with_session(|session, _| {
            let work = self.token.work(session, data);
            let functions = &self.token.module().functions;
            Ok(functions.sign(work, Call::bare(code), self.handles.1.handle())?.to_vec())
        })
    }

    fn verifies(&self, e: &[u8; 32], bytes: &[u8]) -> bool {
        let signature = encoding::signature(bytes);
        signature.is_some_and(|signature| verify_e(&self.public, e, &signature).is_ok())
    }

    fn signs_e(self, code: u64) -> Tried<'t> {
        // Often enough that an integer with a high bit comes up, whose zero byte may be missing.
        let mut forms = Forms::default();
        for n in 0..8 {
            let signature = self.sign(code, &[n; 32])?;
            super::right(self.verifies(&[n; 32], &signature), "the signature does not verify")?;
            forms.add(&signature);
        }
        Ok((forms.name(), Box::new(move || self.sign(code, &[7; 32]).map(|_| ()))))
    }

    /// Who puts Z in front, the signatures tell.
    fn signs_message(self, code: u64) -> Tried<'t> {
        let z = self.public.z(Id::DEFAULT);
        let (with, without) = (gmkit_sm3::digest(&[&z, TEXT]), gmkit_sm3::digest(&[TEXT]));
        let (mut forms, mut whose) = (Forms::default(), "");
        for _ in 0..8 {
            let signature = self.sign(code, TEXT)?;
            whose = match () {
                () if self.verifies(&with, &signature) => "Z inside, for the default ID",
                () if self.verifies(&without, &signature) => "without Z",
                () => {
                    return Err(Fault::Wrong("the signature verifies neither with Z nor without"));
                }
            };
            forms.add(&signature);
        }
        let form = format!("{whose}; {}", forms.name());
        Ok((form, Box::new(move || self.sign(code, TEXT).map(|_| ()))))
    }

    fn decrypt(&self, code: u64, ciphertext: &[u8]) -> Result<bool, Error> {
        self.token.with_session(|session, _| {
            let work = Work { frame: None, ..self.token.work(session, ciphertext) };
            let functions = &self.token.module().functions;
            let opened = functions.decrypt(work, Call::bare(code), self.handles.1.handle())?;
            Ok(*opened == TEXT)
        })
    }

    /// The layouts in which it takes a ciphertext that was made here.
    fn layouts(&self, code: u64) -> Result<Vec<(Layout, Vec<u8>)>, Fault> {
        let probe = self.public.encrypt(&mut SysRng, TEXT);
        let probe = probe.map_err(gmkit_keys::Error::from)?;
        let (mut taken, mut last) = (Vec::new(), None);
        for layout in Layout::ALL {
            let bytes = layout.write(&probe).ok_or(Fault::Wrong("no such ciphertext"))?;
            match self.decrypt(code, &bytes) {
                Ok(true) => taken.push((layout, bytes)),
                Ok(false) => last = last.or(Some(Fault::Wrong("it decrypts to something else"))),
                Err(error) => last = last.or(Some(error.into())),
            }
        }
        match (taken.is_empty(), last) {
            (true, Some(fault)) => Err(fault),
            _ => Ok(taken),
        }
    }

    fn decrypts(self, code: u64) -> Tried<'t> {
        let taken = self.layouts(code)?;
        let names: Vec<_> = taken.iter().map(|(layout, _)| layout.name()).collect();
        let bytes = taken.into_iter().next().map(|(_, bytes)| bytes).unwrap_or_default();
        let form = format!("takes {}", names.join(", "));
        Ok((form, Box::new(move || self.decrypt(code, &bytes).map(|_| ()))))
    }

    fn encrypt(&self, code: u64) -> Result<Vec<u8>, Error> {
        self.token.with_session(|session, _| {
            let work = self.token.work(session, TEXT);
            let functions = &self.token.module().functions;
            Ok(functions.encrypt(work, Call::bare(code), self.handles.0.handle())?.to_vec())
        })
    }

    /// What it gives is read in every layout, and handed back in one that it takes: the right one
    /// decrypts.
    fn encrypts(self, code: u64) -> Tried<'t> {
        let ciphertext = self.encrypt(code)?;
        let taken = self.layouts(code)?;
        let (takes, _) = taken.first().ok_or(Fault::Wrong("it takes no ciphertext of its own"))?;
        for layout in Layout::ALL {
            let again = layout.read(&ciphertext).and_then(|read| takes.write(&read));
            if again.is_some_and(|again| matches!(self.decrypt(code, &again), Ok(true))) {
                let form = format!("gives {}", layout.name());
                return Ok((form, Box::new(move || self.encrypt(code).map(|_| ()))));
            }
        }
        Err(Fault::Wrong("a ciphertext in no known layout"))
    }
}

/// The forms that signatures came in.
#[derive(Default)]
struct Forms {
    raw: bool,
    der: bool,
    broken: bool,
}

impl Forms {
    fn add(&mut self, signature: &[u8]) {
        match Signature::from_der(signature) {
            Ok(_) => self.der = true,
            Err(_) if signature.len() == 64 => self.raw = true,
            Err(_) => self.broken = true,
        }
    }

    fn name(&self) -> String {
        let names = [
            (self.raw, "r ‖ s"),
            (self.der && !self.broken, "DER"),
            (self.broken, "DER without the zero bytes of positive integers"),
        ];
        let names: Vec<_> = names.iter().filter(|(is, _)| *is).map(|(_, name)| *name).collect();
        names.join(" and ")
    }
}

impl Layout {
    fn name(self) -> &'static str {
        match self {
            Self::C1C3C2 => "04 ‖ C1 ‖ C3 ‖ C2",
            Self::C1C3C2Bare => "C1 ‖ C3 ‖ C2 without 04",
            Self::Der => "DER",
            Self::C1C2C3 => "04 ‖ C1 ‖ C2 ‖ C3",
        }
    }

    fn read(self, bytes: &[u8]) -> Option<Ciphertext> {
        match self {
            Self::C1C3C2 => Ciphertext::from_c1c3c2(bytes).ok(),
            Self::C1C3C2Bare => Ciphertext::from_c1c3c2(&[&[4], bytes].concat()).ok(),
            Self::Der => Ciphertext::from_der(bytes).ok(),
            Self::C1C2C3 => Ciphertext::from_c1c2c3(bytes).ok(),
        }
    }
}
