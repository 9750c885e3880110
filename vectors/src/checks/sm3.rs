//! SM3 and what is built on it.

use gmkit_sm3::{Sm3, kdfs};
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};

use super::{Outcome, reason};
use crate::schema::{Group, Test};

pub(super) fn digest(_: &Group, test: &Test) -> Outcome {
    let v = &test.values;
    let mut many = [[0; 32]; 3];
    gmkit_sm3::hash_many(&[&v.msg, b"", &v.msg], &mut many);
    let one = gmkit_sm3::digest(&[&v.msg]);
    Ok(one[..] == *v.digest && many[0] == one && many[2] == one)
}

/// Tags may be truncated to the group's size.
pub(super) fn mac(group: &Group, test: &Test) -> Outcome {
    let v = &test.values;
    let mac = Hmac::<Sm3>::new_from_slice(&v.key).map_err(reason)?.chain_update(&*v.msg);
    if v.tag.len() * 8 != group.tag_size {
        return Err("TagLength".to_owned());
    }
    mac.verify_truncated_left(&v.tag).map(|()| true).map_err(|_| "Rejected".to_owned())
}

pub(super) fn hkdf(_: &Group, test: &Test) -> Outcome {
    let v = &test.values;
    let mut okm = vec![0; sized(v.size, &v.okm)?];
    Hkdf::<Sm3>::new(Some(&v.salt), &v.ikm).expand(&v.info, &mut okm).map_err(reason)?;
    Ok(okm == *v.okm)
}

pub(super) fn pbkdf2(_: &Group, test: &Test) -> Outcome {
    let v = &test.values;
    let mut dk = vec![0; sized(v.dk_len, &v.dk)?];
    let rounds = v.iteration_count.try_into().map_err(reason)?;
    kdfs::pbkdf2(&v.password, &v.salt, rounds, &mut dk);
    Ok(dk == *v.dk)
}

pub(super) fn kdf(_: &Group, test: &Test) -> Outcome {
    let v = &test.values;
    let mut out = vec![0; sized(v.size, &v.out)?];
    gmkit_sm3::kdf(&[&v.z], &mut out).map_err(reason)?;
    Ok(out == *v.out)
}

pub(super) fn tls12_prf(_: &Group, test: &Test) -> Outcome {
    let v = &test.values;
    let mut out = vec![0; sized(v.size, &v.okm)?];
    let (head, tail) = v.salt.split_at(v.salt.len() / 2);
    kdfs::tls12_prf(&v.key, &v.info, &[head, tail], &mut out);
    Ok(out == *v.okm)
}

pub(super) fn tls13_expand_label(_: &Group, test: &Test) -> Outcome {
    let v = &test.values;
    let mut out = vec![0; sized(v.size, &v.okm)?];
    kdfs::tls13_expand_label(&v.key, &v.info, &v.aad, &mut out).map_err(reason)?;
    Ok(out == *v.okm)
}

/// The output's length, which the vector states beside the output: a vector without output must
/// not pass for lack of anything to compare.
fn sized(stated: Option<usize>, output: &[u8]) -> Result<usize, String> {
    if stated == Some(output.len()) { Ok(output.len()) } else { Err("MalformedVector".to_owned()) }
}
