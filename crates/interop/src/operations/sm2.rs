//! SM2.

use gmkit::{
    keys::{EnvelopedKey, SoftwareKey},
    sm2::{
        Ciphertext, Id, PreparedKey, PublicKey, Signature,
        exchange::{Exchange, Role},
    },
};

use super::{Asking, Step, words};
use crate::draw::Draw;

/// The peer verifies ours, we verify the peer's, and both refuse what was changed.
pub(super) fn signature(peer: &mut Asking<'_>, draw: &mut Draw) -> Result<Step, String> {
    let (key, id, message) = (draw.key(), draw.id(), draw.some(1, 500));
    let (d, point) = (*key.to_bytes(), key.public_key().to_sec1_bytes());
    let sm2_id = Id::new(&id).map_err(|error| error.to_string())?;
    let made = key.sign(&mut draw.0, sm2_id, &message).map_err(|error| error.to_string())?;
    let made = made.to_der().as_bytes().to_vec();
    if let Some(reason) = peer.expect(words!("sm2-verify", point, id, message, made), &[&[]])? {
        return Ok(Some(reason));
    }
    let other = draw.tampered(&message);
    peer.expect_refusal(words!("sm2-verify", point, id, other, made))?;
    peer.expect_refusal(words!("sm2-verify", point, id, message, draw.tampered(&made)))?;

    let theirs = match peer.get(words!("sm2-sign", d, point, id, message))? {
        Ok(theirs) => theirs.concat(),
        Err(reason) => return Ok(Some(reason)),
    };
    accepted(key.public_key(), sm2_id, &message, &other, &theirs)?;
    Ok(None)
}

/// We accept the signature over the message and refuse it over another, by either way to verify.
fn accepted(
    key: &PublicKey,
    id: Id<'_>,
    message: &[u8],
    other: &[u8],
    signature: &[u8],
) -> Result<(), String> {
    let signature = Signature::from_der(signature).map_err(|error| error.to_string())?;
    key.verify(id, message, &signature).map_err(|_| "we refuse the peer's signature")?;
    let prepared = PreparedKey::new(key, id);
    prepared.verify(message, &signature).map_err(|_| "the prepared key refuses it")?;
    if key.verify(id, other, &signature).is_ok() || prepared.verify(other, &signature).is_ok() {
        return Err("we accept the peer's signature over another message".to_owned());
    }
    Ok(())
}

/// For a peer that signs with keys and under an ID of its own only.
pub(super) fn own_key(peer: &mut Asking<'_>, draw: &mut Draw) -> Result<Step, String> {
    let message = draw.some(1, 500);
    let results = match peer.get(words!("sm2-sign-own", message))? {
        Ok(results) => results,
        Err(_) => return Ok(Some("takes our keys: see the row above".to_owned())),
    };
    let [point, id, signature] = &results[..] else {
        return Err(format!("{} results", results.len()));
    };
    let key = PublicKey::from_sec1_bytes(point).map_err(|error| error.to_string())?;
    let id = Id::new(id).map_err(|error| error.to_string())?;
    accepted(&key, id, &message, &draw.tampered(&message), signature)?;
    Ok(None)
}

/// Peers that decrypt without a look at C3.
const WITHOUT_C3: &[&str] = &[crate::names::GMSSL_PY];

pub(super) fn encryption(peer: &mut Asking<'_>, draw: &mut Draw) -> Result<Step, String> {
    let (key, message) = (draw.key(), draw.some(1, 300));
    let (d, point) = (*key.to_bytes(), key.public_key().to_sec1_bytes());
    let sent = key.public_key().encrypt(&mut draw.0, &message);
    let sent = sent.and_then(|sent| sent.to_der()).map_err(|error| error.to_string())?;
    if let Some(reason) = peer.expect(words!("sm2-decrypt", d, point, sent), &[&message])? {
        return Ok(Some(reason));
    }
    // C2 comes last. What is changed there only the hash C3 can tell.
    let mut bad = sent.clone();
    let c2 = sent.len() - message.len();
    bad.splice(c2.., draw.tampered(&sent[c2..]));
    if !WITHOUT_C3.contains(&peer.name) {
        peer.expect_refusal(words!("sm2-decrypt", d, point, bad))?;
    }

    let theirs = match peer.get(words!("sm2-encrypt", point, message))? {
        Ok(theirs) => theirs.concat(),
        Err(reason) => return Ok(Some(reason)),
    };
    let read = |bytes: &[u8]| Ciphertext::from_der(bytes).and_then(|c| key.decrypt(&c));
    let plain = read(&theirs).map_err(|error| format!("{error} for {theirs:02x?}"))?;
    if *plain != message {
        return Err("we decrypt the peer's ciphertext to something else".to_owned());
    }
    if read(&draw.tampered(&theirs)).is_ok() {
        return Err("we decrypt a changed ciphertext".to_owned());
    }
    Ok(None)
}

/// The peer computes the same key, in either role.
pub(super) fn exchange(peer: &mut Asking<'_>, draw: &mut Draw) -> Result<Step, String> {
    let (a, b, r_b, id_a, id_b) =
        (draw.key(), draw.key(), draw.key(), draw.some(1, 40), draw.some(1, 60));
    let klen = draw.len(1, 250);
    let role = [Role::Initiator, Role::Responder][draw.below(2)];
    let theirs = usize::from(role == Role::Responder);
    let text = |error: gmkit::sm2::Error| error.to_string();
    let (our_id, their_id) = (Id::new(&id_a).map_err(text)?, Id::new(&id_b).map_err(text)?);
    let ours = Exchange::start(&mut draw.0, role, &a, our_id, b.public_key(), their_id);
    let ours = ours.map_err(text)?;
    let our_r = ours.ephemeral().to_sec1_bytes();
    let key = ours.agree(r_b.public_key(), klen).map_err(text)?.without_confirmation();
    let (our_point, d, r) = (a.public_key().to_sec1_bytes(), *b.to_bytes(), *r_b.to_bytes());
    let request = words!("sm2-exchange", theirs, d, our_point, r, our_r, id_b, id_a, klen);
    peer.expect(request, &[&key])
}

/// No peer reads an enveloped key as such, but they have what it is made of: SM2 and SM4-ECB.
pub(super) fn envelope(peer: &mut Asking<'_>, draw: &mut Draw) -> Result<Step, String> {
    let (owner, inside) = (draw.key(), draw.key());
    let (d, point) = (*owner.to_bytes(), owner.public_key().to_sec1_bytes());
    let want = inside.to_bytes();
    let sealed = EnvelopedKey::seal(&SoftwareKey::from(inside), owner.public_key());
    let der = sealed.and_then(|sealed| sealed.to_der()).map_err(|error| error.to_string())?;
    // SEQUENCE (81 len) { algorithm of 14 bytes, SEQUENCE ciphertext, two BIT STRINGs of 68 and 35 }.
    let (ciphertext, encrypted) = (&der[3 + 14..der.len() - 68 - 35], &der[der.len() - 32..]);
    let sm4_key = match peer.get(words!("sm2-decrypt", d, point, ciphertext))? {
        Ok(key) => key.concat(),
        Err(reason) => return Ok(Some(reason)),
    };
    let empty: &[u8] = &[];
    peer.expect(words!("sm4", "ecb", "dec", sm4_key, empty, encrypted), &[&want[..]])
}
