//! TLS 1.3 written out by hand, message by message, so that a test can leave one out or say it wrongly.
//! The algorithms are the crates'; the protocol is none of rustls and none of `gmkit_tls`.

#![allow(dead_code, reason = "each side uses some of it")]

use gmkit_keys::{PrivateKey, SoftwareKey, SysRng};
use gmkit_pki::Certificate;
use gmkit_sm2::{Id, PublicKey, SecretKey, hazmat::ecdh};
use gmkit_sm3::{Digest, Sm3, kdfs::tls13_expand_label};
use gmkit_sm4::gcm::Gcm;
use hmac::{Hmac, KeyInit, Mac};

pub(crate) const CLIENT_HELLO: u8 = 1;
pub(crate) const SERVER_HELLO: u8 = 2;
pub(crate) const ENCRYPTED_EXTENSIONS: u8 = 8;
pub(crate) const CERTIFICATE: u8 = 11;
pub(crate) const CERTIFICATE_REQUEST: u8 = 13;
pub(crate) const CERTIFICATE_VERIFY: u8 = 15;
pub(crate) const FINISHED: u8 = 20;

pub(crate) const HANDSHAKE: u8 = 22;
pub(crate) const DATA: u8 = 23;

/// An extension, by its number.
pub(crate) fn extension(number: u16, body: &[u8]) -> Vec<u8> {
    [&number.to_be_bytes()[..], &with_len16(body)].concat()
}

pub(crate) fn with_len16(body: &[u8]) -> Vec<u8> {
    [&u16::try_from(body.len()).unwrap().to_be_bytes()[..], body].concat()
}

/// A message of a handshake.
pub(crate) fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let len = u32::try_from(body.len()).unwrap().to_be_bytes();
    [&[kind], &len[1..], body].concat()
}

/// A record in the clear.
pub(crate) fn plain(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[kind, 3, 3][..], &with_len16(body)].concat()
}

/// An ephemeral key.
pub(crate) struct Share(SecretKey);

impl Share {
    pub(crate) fn new() -> Self {
        Self(SecretKey::generate(&mut SysRng).unwrap())
    }

    pub(crate) fn point(&self) -> Vec<u8> {
        self.0.public_key().to_sec1_bytes().to_vec()
    }

    pub(crate) fn agree(&self, peer: &[u8]) -> [u8; 32] {
        *ecdh(&self.0, &PublicKey::from_sec1_bytes(peer).unwrap())
    }
}

/// Keys of records in one direction.
#[derive(Clone)]
pub(crate) struct Keys {
    gcm: Gcm,
    iv: [u8; 12],
    number: u64,
    secret: [u8; 32],
}

impl Keys {
    fn new(secret: [u8; 32]) -> Self {
        let (mut key, mut iv) = ([0; 16], [0; 12]);
        tls13_expand_label(&secret, b"key", b"", &mut key).unwrap();
        tls13_expand_label(&secret, b"iv", b"", &mut iv).unwrap();
        Self { gcm: Gcm::new(&key), iv, number: 0, secret }
    }

    fn nonce(&mut self) -> [u8; 12] {
        let mut nonce = self.iv;
        for (byte, number) in nonce[4..].iter_mut().zip(self.number.to_be_bytes()) {
            *byte ^= number;
        }
        self.number += 1;
        nonce
    }

    pub(crate) fn seal(&mut self, kind: u8, body: &[u8]) -> Vec<u8> {
        let mut inner = [body, &[kind]].concat();
        let len = u16::try_from(inner.len() + 16).unwrap().to_be_bytes();
        let header = [DATA, 3, 3, len[0], len[1]];
        let nonce = self.nonce();
        let tag = self.gcm.seal(&nonce, &header, &mut inner).unwrap();
        [&header[..], &inner, &tag].concat()
    }

    /// The kind of a record and what is in it.
    pub(crate) fn open(&mut self, record: &[u8]) -> (u8, Vec<u8>) {
        let (header, body) = record.split_at(5);
        let (body, tag) = body.split_at(body.len() - 16);
        let mut body = body.to_vec();
        let nonce = self.nonce();
        self.gcm.open(&nonce, header, &mut body, tag).expect("a record under these keys");
        while body.last() == Some(&0) {
            body.pop();
        }
        let kind = body.pop().unwrap();
        (kind, body)
    }

    /// HMAC over the transcript under the key of Finished.
    pub(crate) fn finished(&self, transcript: &[u8]) -> Vec<u8> {
        let mut key = [0; 32];
        tls13_expand_label(&self.secret, b"finished", b"", &mut key).unwrap();
        hmac(&key, &Sm3::digest(transcript)).to_vec()
    }
}

fn hmac(key: &[u8], data: &[u8]) -> [u8; 32] {
    let mac = Hmac::<Sm3>::new_from_slice(key).unwrap();
    mac.chain_update(data).finalize().into_bytes().into()
}

fn derive(secret: &[u8; 32], label: &[u8], transcript: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    tls13_expand_label(secret, label, &Sm3::digest(transcript), &mut out).unwrap();
    out
}

/// The key schedule (RFC 8446, 7.1), without a PSK.
pub(crate) struct Schedule([u8; 32]);

impl Schedule {
    pub(crate) fn new(shared: &[u8; 32]) -> Self {
        let early = hmac(&[0; 32], &[0; 32]);
        Self(hmac(&derive(&early, b"derived", b""), shared))
    }

    /// The keys of client and server for the handshake; the transcript ends with ServerHello.
    pub(crate) fn handshake(&self, transcript: &[u8]) -> [Keys; 2] {
        [b"c hs traffic", b"s hs traffic"]
            .map(|label| Keys::new(derive(&self.0, label, transcript)))
    }

    /// The keys for data; the transcript ends with the server's Finished.
    pub(crate) fn data(&self, transcript: &[u8]) -> [Keys; 2] {
        let master = hmac(&derive(&self.0, b"derived", b""), &[0; 32]);
        [b"c ap traffic", b"s ap traffic"]
            .map(|label| Keys::new(derive(&master, label, transcript)))
    }
}

/// Certificate; with none it is the empty one.
pub(crate) fn certificate(chain: &[Certificate]) -> Vec<u8> {
    let mut entries = Vec::new();
    for one in chain {
        let len = u32::try_from(one.as_der().len()).unwrap().to_be_bytes();
        entries.extend([&len[1..], one.as_der(), &[0, 0]].concat());
    }
    let len = u32::try_from(entries.len()).unwrap().to_be_bytes();
    message(CERTIFICATE, &[&[0], &len[1..], &entries].concat())
}

/// CertificateVerify of `client` or `server`, with a scheme that may be another one.
pub(crate) fn certificate_verify(
    key: &SoftwareKey,
    side: &str,
    scheme: u16,
    transcript: &[u8],
) -> Vec<u8> {
    let context = format!("TLS 1.3, {side} CertificateVerify");
    let hash = Sm3::digest(transcript);
    let content = [&[b' '; 64], context.as_bytes(), &[0], &hash].concat();
    let id = Id::new(b"TLSv1.3+GM+Cipher+Suite").unwrap();
    let signature = key.sign(id, &content).unwrap();
    let der = signature.to_der();
    message(CERTIFICATE_VERIFY, &[&scheme.to_be_bytes()[..], &with_len16(der.as_bytes())].concat())
}

/// Splits records.
pub(crate) fn records(mut bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut records = Vec::new();
    while let [_, _, _, high, low, ..] = bytes {
        let (record, rest) = bytes.split_at(5 + usize::from(u16::from_be_bytes([*high, *low])));
        records.push(record.to_vec());
        bytes = rest;
    }
    records
}

/// Splits messages.
pub(crate) fn messages(mut bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut messages = Vec::new();
    while let [_, a, b, c, ..] = bytes {
        let len = usize::try_from(u32::from_be_bytes([0, *a, *b, *c])).unwrap();
        let (message, rest) = bytes.split_at(4 + len);
        messages.push(message.to_vec());
        bytes = rest;
    }
    messages
}
