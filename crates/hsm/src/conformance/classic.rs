//! ECDSA and RSA, for services that speak classic TLS beside the national one.

use cryptoki::{
    mechanism::Mechanism,
    object::{Attribute, ObjectHandle},
};
use der::{Encode, asn1::ObjectIdentifier};

use super::{LABEL, Test, plainly, right};
use crate::{
    Error,
    classic::{Kind, P256, P384, SCHEMES, Scheme, read_public},
};

/// What is signed: no message of anybody's.
const TEXT: &[u8] = b"gmkit: test of a device";

pub(super) fn run(test: &mut Test<'_>) -> Result<(), Error> {
    let curve = |curve: ObjectIdentifier| {
        let parameters = curve.to_der().map_err(|_| Error::Unsupported { operation: "name" });
        Ok::<_, Error>(vec![Attribute::EcParams(parameters?), Attribute::Verify(true)])
    };
    let rsa = vec![
        Attribute::ModulusBits(2048.into()),
        Attribute::PublicExponent(vec![1, 0, 1]),
        Attribute::Verify(true),
    ];
    kind(test, Kind::P256, &Mechanism::EccKeyPairGen, curve(P256)?)?;
    kind(test, Kind::P384, &Mechanism::EccKeyPairGen, curve(P384)?)?;
    kind(test, Kind::Rsa, &Mechanism::RsaPkcsKeyPairGen, rsa)
}

/// One kind of key, with all its schemes. A device that makes no such key has no line for them.
fn kind(
    test: &mut Test<'_>,
    kind: Kind,
    generate: &Mechanism<'_>,
    mut public: Vec<Attribute>,
) -> Result<(), Error> {
    let schemes: Vec<_> = SCHEMES.iter().filter(|scheme| scheme.kind == kind).collect();
    let common = || [Attribute::Token(false), Attribute::Label(LABEL.to_vec())];
    public.extend(common());
    let private = [&common()[..], &[Attribute::Sign(true)]].concat();
    let pair = test.keys.generate_key_pair(generate, &public, &private);
    let pair = match pair {
        Ok((public, private)) => read_public(test.keys, public)?.map(|public| (public, private)),
        Err(_) => None,
    };
    let Some((public, private)) = pair else { return Ok(()) };
    for scheme in schemes {
        one(test, scheme, &public.bytes, private)?;
    }
    Ok(())
}

fn one(
    test: &mut Test<'_>,
    scheme: &'static Scheme,
    public: &[u8],
    private: ObjectHandle,
) -> Result<(), Error> {
    let token = test.token;
    let sign = move || {
        token.with_session(|session, _| {
            let data = scheme.input(TEXT);
            let work = token.work(session, &data);
            token.module().functions.sign(work, scheme.call(), private.handle())
        })
    };
    test.row(scheme.what, scheme.code, || {
        let signature = sign()?;
        let good = |reading: Vec<u8>| scheme.verifies(public, TEXT, &reading);
        right(scheme.readings(&signature).into_iter().any(good), "the signature does not verify")?;
        plainly(move || sign().map(|_| ()))
    })
}
