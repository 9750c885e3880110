//! SM4's modes.

use gmkit::sm4::{
    self, Cmac, Sm4, bc,
    ccm::Ccm,
    cfb,
    cmac::{KeyInit, Mac},
    ctr::Ctr,
    ff1::Ff1,
    gcm::Gcm,
    gcm_siv::GcmSiv,
    hazmat,
    hctr::Hctr,
    ofb::Ofb,
    ofbnlf,
    wrap::KeyWrap,
    xts::Xts,
};

use super::{Asking, Step, words};
use crate::draw::Draw;

/// The peer encrypts as we do, and decrypts what we have encrypted.
fn both_ways(
    peer: &mut Asking<'_>,
    mode: &str,
    key: &[u8],
    iv: &[u8],
    plain: &[u8],
    encrypted: &[u8],
) -> Result<Step, String> {
    let reason = peer.expect(words!("sm4", mode, "enc", key, iv, plain), &[encrypted])?;
    match reason {
        Some(reason) => Ok(Some(reason)),
        None => peer.expect(words!("sm4", mode, "dec", key, iv, encrypted), &[plain]),
    }
}

/// Ours decrypts too, where it is another function.
fn ours(plain: &[u8], back: &[u8]) -> Result<(), String> {
    if plain == back { Ok(()) } else { Err("our own decryption differs".to_owned()) }
}

pub(super) fn ecb(peer: &mut Asking<'_>, draw: &mut Draw) -> Result<Step, String> {
    let (key, blocks) = (draw.array(), 1 + draw.below(100));
    let plain = draw.bytes(16 * blocks);
    let mut data = plain.clone();
    let cipher = Sm4::new(&key);
    hazmat::ecb_encrypt(&cipher, data.as_chunks_mut().0);
    let encrypted = data.clone();
    hazmat::ecb_decrypt(&cipher, data.as_chunks_mut().0);
    ours(&plain, &data)?;
    both_ways(peer, "ecb", &key, &[], &plain, &encrypted)
}

pub(super) fn cbc(peer: &mut Asking<'_>, draw: &mut Draw) -> Result<Step, String> {
    let (key, iv, plain) = (draw.array(), draw.array(), draw.some(0, 2000));
    let encrypted = sm4::cbc::encrypt(&key, &iv, &plain);
    let back = sm4::cbc::decrypt(&key, &iv, &encrypted).map_err(|error| error.to_string())?;
    ours(&plain, &back)?;
    both_ways(peer, "cbc", &key, &iv, &plain, &encrypted)
}

pub(super) fn ctr(peer: &mut Asking<'_>, draw: &mut Draw) -> Result<Step, String> {
    let (key, iv, plain) = (draw.array(), draw.array(), draw.some(1, 3000));
    let mut data = plain.clone();
    Ctr::new(&key, &iv).apply_keystream(&mut data);
    both_ways(peer, "ctr", &key, &iv, &plain, &data)
}

pub(super) fn cfb(peer: &mut Asking<'_>, draw: &mut Draw) -> Result<Step, String> {
    let (key, iv, plain) = (draw.array(), draw.array(), draw.some(1, 2000));
    let mut data = plain.clone();
    cfb::Encryptor::new(&key, &iv).encrypt(&mut data);
    let encrypted = data.clone();
    cfb::Decryptor::new(&key, &iv).decrypt(&mut data);
    ours(&plain, &data)?;
    both_ways(peer, "cfb", &key, &iv, &plain, &encrypted)
}

pub(super) fn ofb(peer: &mut Asking<'_>, draw: &mut Draw) -> Result<Step, String> {
    let (key, iv, plain) = (draw.array(), draw.array(), draw.some(1, 2000));
    let mut data = plain.clone();
    Ofb::new(&key, &iv).apply_keystream(&mut data);
    both_ways(peer, "ofb", &key, &iv, &plain, &data)
}

pub(super) fn xts_gb(peer: &mut Asking<'_>, draw: &mut Draw) -> Result<Step, String> {
    xts(peer, draw, "xts-gb", Xts::gb)
}

pub(super) fn xts_ieee(peer: &mut Asking<'_>, draw: &mut Draw) -> Result<Step, String> {
    xts(peer, draw, "xts-ieee", Xts::ieee)
}

fn xts(
    peer: &mut Asking<'_>,
    draw: &mut Draw,
    mode: &str,
    new: fn(&[u8; 32]) -> Result<Xts, sm4::Error>,
) -> Result<Step, String> {
    let (key, tweak, plain) = (draw.array(), draw.array(), draw.some(16, 3000));
    let text = |error: sm4::Error| error.to_string();
    let xts = new(&key).map_err(text)?;
    let mut data = plain.clone();
    xts.encrypt(&tweak, &mut data).map_err(text)?;
    let encrypted = data.clone();
    xts.decrypt(&tweak, &mut data).map_err(text)?;
    ours(&plain, &data)?;
    both_ways(peer, mode, &key, &tweak, &plain, &encrypted)
}

pub(super) fn hctr(peer: &mut Asking<'_>, draw: &mut Draw) -> Result<Step, String> {
    let (k1, k2, tweak) = (draw.array(), draw.array(), draw.array());
    let plain = draw.some(16, 2000);
    let mut data = plain.clone();
    Hctr::new(&k1, &k2).encrypt(&tweak, &mut data).map_err(|error| error.to_string())?;
    both_ways(peer, "hctr", &[k1, k2].concat(), &tweak, &plain, &data)
}

pub(super) fn bc(peer: &mut Asking<'_>, draw: &mut Draw) -> Result<Step, String> {
    let (key, iv, blocks) = (draw.array(), draw.array(), 1 + draw.below(50));
    let plain = draw.bytes(16 * blocks);
    let mut data = plain.clone();
    bc::Encryptor::new(&key, &iv).encrypt(data.as_chunks_mut().0);
    both_ways(peer, "bc", &key, &iv, &plain, &data)
}

pub(super) fn ofbnlf(peer: &mut Asking<'_>, draw: &mut Draw) -> Result<Step, String> {
    let (key, iv, blocks) = (draw.array(), draw.array(), 1 + draw.below(50));
    let plain = draw.bytes(16 * blocks);
    let mut data = plain.clone();
    ofbnlf::Encryptor::new(&key, &iv).encrypt(data.as_chunks_mut().0);
    both_ways(peer, "ofbnlf", &key, &iv, &plain, &data)
}

/// The inputs of an AEAD and what came out.
struct Sealed<'s> {
    mode: &'s str,
    key: [u8; 16],
    nonce: Vec<u8>,
    aad: Vec<u8>,
    plain: Vec<u8>,
    ciphertext: Vec<u8>,
    tag: Vec<u8>,
}

/// Our opening of a ciphertext, in place, with its tag.
type Open<'o> = dyn Fn(&Sealed<'_>, &mut [u8], &[u8]) -> Result<(), sm4::Error> + 'o;

impl Sealed<'_> {
    /// The peer seals as we do; both open what was sealed, and refuse it with one bit changed.
    fn both_ways(
        &self,
        peer: &mut Asking<'_>,
        draw: &mut Draw,
        open: &Open<'_>,
    ) -> Result<Step, String> {
        let Self { mode, key, nonce, aad, plain, ciphertext, tag } = self;
        let opened = |ciphertext: &[u8], tag: &[u8]| {
            let mut data = ciphertext.to_vec();
            open(self, &mut data, tag).map(|()| data)
        };
        let refused = |ciphertext: &[u8], tag: &[u8]| match opened(ciphertext, tag) {
            Err(sm4::Error::Rejected) => Ok(()),
            other => Err(format!("our own opening of a forgery: {other:02x?}")),
        };
        // The same bytes as the peer's, or it ends before.
        ours(plain, &opened(ciphertext, tag).map_err(|error| error.to_string())?)?;
        let request = words!("aead", *mode, "enc", key, nonce, aad, plain);
        if let Some(reason) = peer.expect(request, &[ciphertext, tag])? {
            return Ok(Some(reason));
        }
        let request = words!("aead", *mode, "dec", key, nonce, aad, ciphertext, tag);
        if let Some(reason) = peer.expect(request, &[plain])? {
            return Ok(Some(reason));
        }
        let bad = draw.tampered(tag);
        let request = words!("aead", *mode, "dec", key, nonce, aad, ciphertext, bad);
        peer.expect_refusal(request)?;
        refused(ciphertext, &bad)?;
        if !ciphertext.is_empty() {
            let bad = draw.tampered(ciphertext);
            let request = words!("aead", *mode, "dec", key, nonce, aad, bad, tag);
            peer.expect_refusal(request)?;
            refused(&bad, tag)?;
        }
        Ok(None)
    }
}

pub(super) fn gcm(peer: &mut Asking<'_>, draw: &mut Draw) -> Result<Step, String> {
    let (key, plain, aad) = (draw.array(), draw.some(0, 2000), draw.some(0, 100));
    let nonce = if draw.below(2) == 0 { draw.bytes(12) } else { draw.some(1, 64) };
    let mut ciphertext = plain.clone();
    let gcm = Gcm::new(&key);
    let tag = gcm.seal(&nonce, &aad, &mut ciphertext).map_err(|error| error.to_string())?;
    let sealed = Sealed { mode: "gcm", key, nonce, aad, plain, ciphertext, tag: tag.to_vec() };
    sealed.both_ways(peer, draw, &|s, data, tag| gcm.open(&s.nonce, &s.aad, data, tag))
}

pub(super) fn gmac(peer: &mut Asking<'_>, draw: &mut Draw) -> Result<Step, String> {
    let (key, nonce, aad) = (draw.array(), draw.some(1, 60), draw.some(1, 500));
    let tag = Gcm::new(&key).gmac(&nonce, &aad).map_err(|error| error.to_string())?;
    peer.expect(words!("gmac", key, nonce, aad), &[&tag])
}

pub(super) fn ccm(peer: &mut Asking<'_>, draw: &mut Draw) -> Result<Step, String> {
    let (key, plain, aad) = (draw.array(), draw.some(1, 2000), draw.some(0, 100));
    let nonce_len = 7 + draw.below(7);
    let nonce = draw.bytes(nonce_len);
    let mut ciphertext = plain.clone();
    let ccm = Ccm::new(&key);
    let tag = ccm.seal(&nonce, &aad, &mut ciphertext);
    let tag = tag.map_err(|error| error.to_string())?.as_bytes().to_vec();
    let sealed = Sealed { mode: "ccm", key, nonce, aad, plain, ciphertext, tag };
    sealed.both_ways(peer, draw, &|s, data, tag| ccm.open(&s.nonce, &s.aad, data, tag))
}

pub(super) fn gcm_siv(peer: &mut Asking<'_>, draw: &mut Draw) -> Result<Step, String> {
    let (key, nonce) = (draw.array(), draw.array::<12>());
    let (plain, aad) = (draw.some(1, 500), draw.some(0, 100));
    let mut ciphertext = plain.clone();
    let siv = GcmSiv::new(&key);
    let tag = siv.seal(&nonce, &aad, &mut ciphertext).map_err(|error| error.to_string())?;
    let open = |s: &Sealed<'_>, data: &mut [u8], tag: &[u8]| {
        let tag = tag.try_into().map_err(|_| sm4::Error::TagLength)?;
        siv.open(&nonce, &s.aad, data, tag)
    };
    let (nonce, tag) = (nonce.to_vec(), tag.to_vec());
    Sealed { mode: "gcm-siv", key, nonce, aad, plain, ciphertext, tag }.both_ways(peer, draw, &open)
}

pub(super) fn cmac(peer: &mut Asking<'_>, draw: &mut Draw) -> Result<Step, String> {
    let (key, message): ([u8; 16], _) = (draw.array(), draw.some(0, 2000));
    let tag = Cmac::new(&key.into()).chain_update(&message).finalize().into_bytes();
    peer.expect(words!("cmac", key, message), &[&tag])
}

/// RFC 5649, and RFC 3394 for keys of whole words. A changed one is refused by both.
pub(super) fn wrap(peer: &mut Asking<'_>, draw: &mut Draw) -> Result<Step, String> {
    let (kek, text) = (draw.array(), |error: sm4::Error| error.to_string());
    let wrapper = KeyWrap::new(&kek);
    let (mut out, mut back) = ([0; 128], [0; 128]);
    let (mode, secret, wrapped) = if draw.below(2) == 0 {
        let secret = draw.some(1, 100);
        ("wrap-padded", secret.clone(), wrapper.wrap_padded(&secret, &mut out).map_err(text)?)
    } else {
        let words = 2 + draw.below(10);
        let secret = draw.bytes(8 * words);
        ("wrap", secret.clone(), wrapper.wrap(&secret, &mut out).map_err(text)?)
    };
    let mut unwrap = |wrapped: &[u8]| match mode {
        "wrap" => wrapper.unwrap(wrapped, &mut back).map(<[u8]>::to_vec),
        _ => wrapper.unwrap_padded(wrapped, &mut back).map(<[u8]>::to_vec),
    };
    ours(&secret, &unwrap(wrapped).map_err(text)?)?;
    if let Some(reason) = both_ways(peer, mode, &kek, &[], &secret, wrapped)? {
        return Ok(Some(reason));
    }
    let bad = draw.tampered(wrapped);
    if unwrap(&bad) != Err(sm4::Error::Rejected) {
        return Err("we unwrap what was changed".to_owned());
    }
    let empty: &[u8] = &[];
    peer.expect_refusal(words!("sm4", mode, "dec", kek, empty, bad)).map(|()| None)
}

pub(super) fn ff1(peer: &mut Asking<'_>, draw: &mut Draw) -> Result<Step, String> {
    let (key, tweak) = (draw.array(), draw.some(0, 40));
    // The peer's radix ends at 2^16 - 1... and ours one above.
    let radix = [2, 3, 10, 26, 36, 62, 256, 1000, 65_535][draw.below(9)];
    let least = (1_000_000_f64.ln() / (radix as f64).ln()).ceil() as usize;
    let len = least.max(2) + draw.below(60);
    let numerals: Vec<u16> = (0..len).map(|_| draw.below(radix) as u16).collect();
    let ff1 = Ff1::new(&key, radix as u32).map_err(|error| error.to_string())?;
    let bytes =
        |numerals: &[u16]| numerals.iter().flat_map(|x| x.to_be_bytes()).collect::<Vec<u8>>();
    let mut data = numerals.clone();
    ff1.encrypt(&tweak, &mut data).map_err(|error| error.to_string())?;
    let (plain, encrypted) = (bytes(&numerals), bytes(&data));
    ff1.decrypt(&tweak, &mut data).map_err(|error| error.to_string())?;
    ours(&plain, &bytes(&data))?;
    let request = words!("ff1", "enc", key, radix, tweak, plain);
    if let Some(reason) = peer.expect(request, &[&encrypted])? {
        return Ok(Some(reason));
    }
    peer.expect(words!("ff1", "dec", key, radix, tweak, encrypted), &[&plain])
}
