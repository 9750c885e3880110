//! SM2.

use gmkit::keys::{EnvelopedKey, PrivateKey, SoftwareKey};
use gmkit_sm2::{
    Ciphertext, Id, PreparedKey, PublicKey, SecretKey, Signature, batch, exchange::Role, hazmat,
};

use super::{Outcome, fixed, reason};
use crate::schema::{Group, Test};

pub(super) fn sign(group: &Group, test: &Test) -> Outcome {
    let v = &test.values;
    let key = SecretKey::from_bytes(&fixed(&v.d)?).map_err(reason)?;
    let id = Id::new(&group.id).map_err(reason)?;
    let e = gmkit_sm3::digest(&[&key.public_key().z(id), &v.msg]);
    let signature = hazmat::sign_e_with_k(&key, &e, &fixed(&v.k)?).map_err(reason)?;
    key.public_key().verify(id, &v.msg, &signature).map_err(reason)?;
    Ok(signature.to_raw()[..] == *v.sig)
}

pub(super) fn verify(group: &Group, test: &Test) -> Outcome {
    let v = &test.values;
    let key = PublicKey::from_sec1_bytes(&group.public_key).map_err(reason)?;
    let id = Id::new(&group.id).map_err(reason)?;
    let signature = Signature::from_der(&v.sig).map_err(reason)?;
    // The prepared key, alone and in a batch, must be of the same opinion.
    let verdict = key.verify(id, &v.msg, &signature);
    let item: (&[u8], _) = (&v.msg, signature);
    let prepared = PreparedKey::new(&key, id).verify(&v.msg, &signature);
    if prepared != verdict || batch::verify(&key, id, &[item; 2]) != [verdict; 2] {
        return Ok(false);
    }
    verdict.map_err(reason)?;
    Ok(signature.to_der().as_bytes() == &*v.sig)
}

pub(super) fn verify_e(group: &Group, test: &Test) -> Outcome {
    let v = &test.values;
    let key = PublicKey::from_sec1_bytes(&group.public_key).map_err(reason)?;
    let signature = Signature::from_raw(&v.sig).map_err(reason)?;
    let e = fixed(&v.e)?;
    let verdict = hazmat::verify_e(&key, &e, &signature);
    let prepared = PreparedKey::new(&key, Id::DEFAULT);
    if hazmat::verify_e_prepared(&prepared, &e, &signature) != verdict {
        return Ok(false);
    }
    verdict.map_err(reason)?;
    Ok(true)
}

pub(super) fn point(_: &Group, test: &Test) -> Outcome {
    let v = &test.values;
    let key = PublicKey::from_sec1_bytes(&v.encoded).map_err(reason)?;
    let written = match v.encoded.len() {
        33 => key.to_compressed_bytes()[..] == *v.encoded,
        _ => key.to_sec1_bytes()[..] == *v.encoded,
    };
    Ok(written && key.to_sec1_bytes()[..] == *v.point)
}

pub(super) fn decrypt(group: &Group, test: &Test) -> Outcome {
    let v = &test.values;
    let key = SecretKey::from_bytes(&fixed(&group.d)?).map_err(reason)?;
    let ciphertext = match group.form.as_str() {
        "DER" => Ciphertext::from_der(&v.ct),
        "C1C3C2" => Ciphertext::from_c1c3c2(&v.ct),
        _ => Ciphertext::from_c1c2c3(&v.ct),
    };
    let ciphertext = ciphertext.map_err(reason)?;
    let plain = key.decrypt(&ciphertext).map_err(reason)?;
    let written = match group.form.as_str() {
        "DER" => ciphertext.to_der().map_err(reason)?,
        "C1C3C2" => ciphertext.to_c1c3c2(),
        _ => ciphertext.to_c1c2c3(),
    };
    Ok(plain[..] == *v.msg && written == *v.ct)
}

/// Both sides. The responder is told the IDs as the vector has them; an invalid vector tells the
/// initiator the same, and its S values are of parties who mean another ID.
pub(super) fn exchange(_: &Group, test: &Test) -> Outcome {
    let v = &test.values;
    let [a, b] =
        [&v.d, &v.d_b].map(|d| fixed(d).and_then(|d| SecretKey::from_bytes(&d).map_err(reason)));
    let (a, b) = (a?, b?);
    let (id_a, id_b) = (Id::new(&v.id_a).map_err(reason)?, Id::new(&v.id_b).map_err(reason)?);
    let start = |role, key, id, peer: &SecretKey, peer_id, r| {
        hazmat::exchange_with_r(role, key, id, peer.public_key(), peer_id, &fixed(r)?)
            .map_err(reason)
    };
    let initiator = start(Role::Initiator, &a, id_a, &b, id_b, &v.r_a)?;
    let responder = start(Role::Responder, &b, id_b, &a, id_a, &v.r_b)?;
    let (big_a, big_b) = (*initiator.ephemeral(), *responder.ephemeral());
    let klen = v.size.ok_or("MalformedVector")?;
    let initiator = initiator.agree(&big_b, klen).map_err(reason)?;
    let responder = responder.agree(&big_a, klen).map_err(reason)?;
    let sent = [initiator.confirmation(), responder.confirmation()];
    let k_a = initiator.confirm(&fixed(&v.s_b)?).map_err(reason)?;
    let k_b = responder.confirm(&fixed(&v.s_a)?).map_err(reason)?;
    Ok(k_a[..] == *v.key && k_b[..] == *v.key && sent[0] == *v.s_a && sent[1] == *v.s_b)
}

pub(super) fn enveloped_key(_: &Group, test: &Test) -> Outcome {
    let v = &test.values;
    let key = |d: &[u8]| SecretKey::from_bytes(&fixed(d)?).map(SoftwareKey::from).map_err(reason);
    let (owner, inside) = (key(&v.d)?, key(&v.d_b)?);
    let opened = EnvelopedKey::from_der(&v.msg).and_then(|envelope| envelope.open(&owner));
    Ok(opened.map_err(reason)?.public_key() == inside.public_key())
}
