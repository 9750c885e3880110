//! Signed and encrypted messages, and key files.

use std::sync::{Arc, OnceLock};

use gmkit_keys::{Credential, Passphrase, PrivateKey, SoftwareKey};
use gmkit_pki::{
    Anchor, Certificate, Issuer, Pkcs12, Profile, Purpose, Verifier,
    cms::{Dialect, EncryptedReader, Encrypting, Policy, Recipient, SignedReader, Signing},
    read_cfca, subject,
};
use gmkit_sm2::{Id, SecretKey};
use gmkit_sm3::kdfs::{
    Hmac,
    hmac::{KeyInit, Mac},
    pbkdf2,
};

/// A key that messages in the corpus are encrypted to.
fn reader() -> &'static SoftwareKey {
    static ONE: OnceLock<SoftwareKey> = OnceLock::new();
    ONE.get_or_init(|| SecretKey::from_bytes(&[7; 32]).expect("in range").into())
}

const PASSWORD: &[u8] = b"123456";

/// What a fresh authority says of itself: no message in the corpus is signed by somebody it knows.
fn policy() -> Policy {
    let anchor = Anchor::new(crate::pki_seeds::fixed_certificate().clone());
    Policy::chain(Verifier::new(vec![anchor], Purpose::Sign)).with_bare_signatures()
}

/// Signed messages. The content does not depend on how it is read, and nobody unknown is believed.
pub fn signed_message(data: &[u8]) {
    let read = |step: usize| {
        let mut reader = SignedReader::new(data)?;
        let (mut content, mut buffer) = (Vec::new(), vec![0; step]);
        loop {
            match reader.read(&mut buffer)? {
                0 => break,
                n => content.extend_from_slice(&buffer[..n]),
            }
        }
        reader.finish().map(|(message, digest)| (content, message, digest))
    };
    let (slow, fast) = (read(1), read(1 << 16));
    assert_eq!(slow.is_ok(), fast.is_ok());
    if let (Ok((a, ..)), Ok((b, message, digest))) = (slow, fast) {
        assert_eq!(a, b);
        assert_eq!(*digest.sm3(), gmkit_sm3::digest(&[&b]));
        let policy = policy();
        assert!(!message.verify(&digest, &policy).is_good());
        let keys = message.keys_without_attributes(&policy);
        let again = SignedReader::with_keys(data, &keys, Id::DEFAULT);
        let (message, digest) = again.and_then(SignedReader::finish).expect("it was read before");
        let report = message.verify(&digest, &policy);
        assert!(!report.is_good() && !report.must_read_again());
        assert_eq!(report.signers.len(), message.signer_count());
        let _ = message.crls();
    }
}

/// Encrypted messages. What is genuine does not depend on how it is read.
pub fn encrypted_message(data: &[u8]) {
    let read = |step: usize| {
        let mut reader = EncryptedReader::new(data)?.open(reader(), None)?;
        let (mut content, mut buffer) = (Vec::new(), vec![0; step]);
        loop {
            match reader.read_unverified(&mut buffer)? {
                0 => break,
                n => content.extend_from_slice(&buffer[..n]),
            }
        }
        let opened = reader.finish()?;
        content.extend_from_slice(&opened.rest);
        if let Some((message, digest)) = opened.signed {
            assert!(!message.verify(&digest, &policy()).is_good());
        }
        Ok::<_, gmkit_pki::Error>(content)
    };
    assert_eq!(read(32).ok(), read(1 << 16).ok());
}

/// What is inside a PKCS#12 file, under a MAC that is good. Iterations are what the input says, within the
/// limits, so inputs that would take seconds are left out.
pub fn pkcs12(data: &[u8]) {
    let many = data.windows(3).any(|part| part[0] == 2 && (3..8).contains(&part[1]));
    if many {
        return;
    }
    if let Ok(read) = Pkcs12::read(&under_mac(data), &Passphrase::new(PASSWORD)) {
        let _ = (read.chain().map(|chain| chain.len()), read.name());
    }
    let _ = Pkcs12::read(data, &Passphrase::new(PASSWORD));
}

/// `.sm2` files.
pub fn cfca(data: &[u8]) {
    if let Ok((key, certificate)) = read_cfca(data, &Passphrase::new(PASSWORD)) {
        assert_eq!(certificate.public_key().expect("an SM2 key"), key.public_key());
    }
}

fn tlv(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let body = parts.concat();
    let len = (body.len() as u32).to_be_bytes();
    let short = [body.len() as u8];
    let (prefix, len): (&[u8], &[u8]) = match body.len() {
        0..0x80 => (&[], &short),
        0x80..0x100 => (&[0x81], &len[3..]),
        0x100..0x1_0000 => (&[0x82], &len[2..]),
        _ => (&[0x83], &len[1..]),
    };
    [&[tag], prefix, len, &body].concat()
}

/// A PKCS#12 file around an AuthenticatedSafe, with PBMAC1 and one iteration.
fn under_mac(safe: &[u8]) -> Vec<u8> {
    let oid = |hex: &[u8]| tlv(6, &[hex]);
    let hmac_sm3 = tlv(0x30, &[&oid(&[0x2a, 0x81, 0x1c, 0xcf, 0x55, 1, 0x83, 0x11, 2])]);
    let data = oid(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 13, 1, 7, 1]);
    let info = tlv(0x30, &[&data, &tlv(0xa0, &[&tlv(4, &[safe])])]);
    let parameters = tlv(0x30, &[&tlv(4, &[b"salt"]), &[2, 1, 1], &[2, 1, 32], &hmac_sm3]);
    let kdf = tlv(0x30, &[&oid(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 13, 1, 5, 12]), &parameters]);
    let scheme = tlv(0x30, &[&kdf, &hmac_sm3]);
    let pbmac1 = tlv(0x30, &[&oid(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 13, 1, 5, 14]), &scheme]);
    let mut key = [0; 32];
    pbkdf2(PASSWORD, b"salt", 1.try_into().expect("not zero"), &mut key);
    let mac = Hmac::new_from_slice(&key).expect("any length").chain_update(safe).finalize();
    let digest = tlv(0x30, &[&pbmac1, &tlv(4, &[&mac.into_bytes()])]);
    let mac = tlv(0x30, &[&digest, &tlv(4, &[b"salt"]), &[2, 1, 1]]);
    tlv(0x30, &[&[2, 1, 3], &info, &mac])
}

/// An AuthenticatedSafe with a key and a certificate, not encrypted.
fn safe(key: &SoftwareKey, certificate: &Certificate) -> Vec<u8> {
    let oid = |last: &[u8]| tlv(6, &[&[0x2a, 0x86, 0x48, 0x86, 0xf7, 13, 1], last]);
    let key = pem_rfc7468::decode_vec(key.to_pem().as_bytes()).expect("our own PEM").1;
    let key = tlv(0x30, &[&oid(&[12, 10, 1, 1]), &tlv(0xa0, &[&key])]);
    let x509 = tlv(0xa0, &[&tlv(4, &[certificate.as_der()])]);
    let x509 = tlv(0x30, &[&oid(&[9, 22, 1]), &x509]);
    let certificate = tlv(0x30, &[&oid(&[12, 10, 1, 3]), &tlv(0xa0, &[&x509])]);
    let bags = tlv(0x30, &[&key, &certificate]);
    tlv(0x30, &[&tlv(0x30, &[&oid(&[7, 1]), &tlv(0xa0, &[&tlv(4, &[&bags])])])])
}

/// The form of CFCA.
fn key_file(key: &SoftwareKey, certificate: &Certificate) -> Vec<u8> {
    let data = tlv(6, &[&[0x2a, 0x81, 0x1c, 0xcf, 0x55, 6, 1, 4, 2, 1]]);
    let mut stretched = [0; 32];
    gmkit_sm3::kdf(&[PASSWORD], &mut stretched).expect("short");
    let (iv, under) = stretched.split_at(16);
    let pem = key.to_pem();
    let der = pem_rfc7468::decode_vec(pem.as_bytes()).expect("our own PEM").1;
    let at = der.windows(2).position(|part| part == [4, 32]).expect("d") + 2;
    let encrypted = gmkit_sm4::cbc::encrypt(
        under.try_into().expect("16 bytes"),
        iv.try_into().expect("16 bytes"),
        &der[at..at + 32],
    );
    let cipher = tlv(6, &[&[0x2a, 0x81, 0x1c, 0xcf, 0x55, 1, 0x68]]);
    let secret = tlv(0x30, &[&data, &cipher, &tlv(4, &[&encrypted])]);
    let certificate = tlv(0x30, &[&data, &tlv(4, &[certificate.as_der()])]);
    tlv(0x30, &[&[2, 1, 1], &secret, &certificate])
}

pub(crate) fn seeds() -> Vec<(&'static str, String, Vec<u8>)> {
    let key = || Arc::new(SoftwareKey::generate().expect("a key"));
    let params = Profile::Ca.params(subject("CN=Root").expect("a subject"), 99);
    let ca = Issuer::self_signed(params.expect("parameters"), key()).expect("a root");
    let own = key();
    let params = Profile::Sign.params(subject("CN=a").expect("a subject"), 9).expect("parameters");
    let leaf = ca.issue(params, own.public_key()).expect("a certificate");
    let credential = Credential::new(vec![leaf.as_der().to_vec()], own.clone()).expect("a pair");
    let mut seeds = Vec::new();
    for (name, dialect) in [("rfc5652", Dialect::Rfc5652), ("gmt0010", Dialect::Gmt0010)] {
        let signing = || Signing::new(dialect).with_signer(&credential).expect("a signer");
        let mut attached = signing().attached(Vec::new());
        attached.update(b"content").expect("memory");
        let attached = attached.finish().expect("signs");
        seeds.push(("signed_message", format!("{name}-attached"), attached));
        let detached = signing().detached().finish().expect("signs");
        seeds.push(("signed_message", format!("{name}-detached"), detached));
        let to = Encrypting::new(dialect).with_recipient(Recipient::key(reader().public_key()));
        let mut cbc = to.without_authentication().to(Vec::new()).expect("a message");
        cbc.update(b"content").expect("memory");
        seeds.push(("encrypted_message", format!("{name}-cbc"), cbc.finish().expect("encrypts")));
    }
    let to =
        Encrypting::new(Dialect::Rfc5652).with_recipient(Recipient::key(reader().public_key()));
    let mut gcm = to.to(Vec::new()).expect("a message");
    gcm.update(b"content").expect("memory");
    seeds.push(("encrypted_message", "gcm".to_owned(), gcm.finish().expect("encrypts")));
    seeds.push(("pkcs12", "safe".to_owned(), safe(&own, &leaf)));
    seeds.push(("cfca", "der".to_owned(), key_file(&own, &leaf)));
    seeds
}
