//! The less common modes of SM4. Valid vectors are run in both directions.

use gmkit_sm4::{
    Cmac, Sm4, batch,
    ccm::Ccm,
    cfb,
    cmac::{KeyInit, Mac},
    gcm_siv::GcmSiv,
    hazmat,
    ofb::Ofb,
    wrap::KeyWrap,
    xts::Xts,
};

use super::{Outcome, fixed, reason};
use crate::schema::{Group, Test};

/// In two pieces that end within a block, both ways.
pub(super) fn cfb(_: &Group, test: &Test) -> Outcome {
    let v = &test.values;
    let (key, iv) = (fixed(&v.key)?, fixed(&v.iv)?);
    let mut data = v.msg.to_vec();
    let third = data.len() / 3;
    let mut encryptor = cfb::Encryptor::new(&key, &iv);
    encryptor.encrypt(&mut data[..third]);
    encryptor.encrypt(&mut data[third..]);
    let encrypted = data == *v.ct;
    let mut decryptor = cfb::Decryptor::new(&key, &iv);
    decryptor.decrypt(&mut data[..third]);
    decryptor.decrypt(&mut data[third..]);
    Ok(encrypted && data == *v.msg)
}

pub(super) fn ofb(_: &Group, test: &Test) -> Outcome {
    let v = &test.values;
    let mut data = v.msg.to_vec();
    let mut ofb = Ofb::new(&fixed(&v.key)?, &fixed(&v.iv)?);
    let (head, tail) = data.split_at_mut(v.msg.len() / 3);
    ofb.apply_keystream(head);
    ofb.apply_keystream(tail);
    Ok(data == *v.ct)
}

pub(super) fn xts_gb(_: &Group, test: &Test) -> Outcome {
    xts(Xts::gb(&fixed(&test.values.key)?).map_err(reason)?, test)
}

pub(super) fn xts_ieee(_: &Group, test: &Test) -> Outcome {
    xts(Xts::ieee(&fixed(&test.values.key)?).map_err(reason)?, test)
}

fn xts(xts: Xts, test: &Test) -> Outcome {
    let v = &test.values;
    let tweak = fixed(&v.iv)?;
    let mut data = v.msg.to_vec();
    xts.encrypt(&tweak, &mut data).map_err(reason)?;
    let encrypted = data == *v.ct;
    xts.decrypt(&tweak, &mut data).map_err(reason)?;
    Ok(encrypted && data == *v.msg)
}

pub(super) fn ccm(_: &Group, test: &Test) -> Outcome {
    let v = &test.values;
    let (key, size) = (fixed(&v.key)?, v.tag.len());
    let ccm =
        if size < 12 { hazmat::ccm_short_tag(&key, size) } else { Ccm::with_tag_len(&key, size) };
    let ccm = ccm.map_err(reason)?;
    let mut data = v.ct.to_vec();
    if let Err(error) = ccm.open(&v.iv, &v.aad, &mut data, &v.tag) {
        // A refusal leaves the ciphertext as it was.
        return if data == *v.ct { Err(reason(error)) } else { Ok(false) };
    }
    let opened = data == *v.msg;
    let tag = ccm.seal(&v.iv, &v.aad, &mut data).map_err(reason)?;
    let mut apart = vec![0; v.msg.len()];
    let other = ccm.seal_to(&v.iv, &v.aad, &v.msg, &mut apart).map_err(reason)?;
    let tags = tag.as_bytes() == &*v.tag && other.as_bytes() == &*v.tag;
    Ok(opened && tags && data == *v.ct && apart == *v.ct)
}

pub(super) fn gcm_siv(_: &Group, test: &Test) -> Outcome {
    let v = &test.values;
    let (key, iv) = (GcmSiv::new(&fixed(&v.key)?), fixed(&v.iv)?);
    let mut data = v.ct.to_vec();
    if let Err(error) = key.open(&iv, &v.aad, &mut data, &fixed(&v.tag)?) {
        return if data == *v.ct { Err(reason(error)) } else { Ok(false) };
    }
    let opened = data == *v.msg;
    let tag = key.seal(&iv, &v.aad, &mut data).map_err(reason)?;
    Ok(opened && data == *v.ct && tag[..] == *v.tag)
}

pub(super) fn cmac(_: &Group, test: &Test) -> Outcome {
    let v = &test.values;
    let key: [u8; 16] = fixed(&v.key)?;
    let mut many = [[0; 16]; 3];
    batch::cmac(&Sm4::new(&key), &[b"another", &v.msg, b""], &mut many);
    let mac = Cmac::new(&key.into()).chain_update(&*v.msg);
    if mac.clone().finalize().into_bytes().0 != many[1] {
        return Ok(false);
    }
    mac.verify_slice(&v.tag).map(|()| true).map_err(|_| "Rejected".to_owned())
}

pub(super) fn wrap(_: &Group, test: &Test) -> Outcome {
    let v = &test.values;
    let kek = KeyWrap::new(&fixed(&v.key)?);
    let (mut key, mut wrapped) = (vec![0; v.ct.len()], vec![0; v.ct.len()]);
    let unwrapped = kek.unwrap(&v.ct, &mut key).map_err(reason)? == &*v.msg;
    Ok(unwrapped && kek.wrap(&v.msg, &mut wrapped).map_err(reason)? == &*v.ct)
}

pub(super) fn wrap_padded(_: &Group, test: &Test) -> Outcome {
    let v = &test.values;
    let kek = KeyWrap::new(&fixed(&v.key)?);
    let (mut key, mut wrapped) = (vec![0; v.ct.len()], vec![0; v.ct.len()]);
    let unwrapped = kek.unwrap_padded(&v.ct, &mut key).map_err(reason)? == &*v.msg;
    Ok(unwrapped && kek.wrap_padded(&v.msg, &mut wrapped).map_err(reason)? == &*v.ct)
}
