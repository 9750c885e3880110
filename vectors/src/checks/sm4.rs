//! SM4 and its modes. Valid vectors are run in both directions, in one call and in pieces.

use gmkit_sm4::{
    Sm4, cbc,
    ctr::Ctr,
    gcm::{Gcm, Opener, Sealer},
    hazmat,
};

use super::{Outcome, fixed, reason};
use crate::schema::{Group, Test};

pub(super) fn block(_: &Group, test: &Test) -> Outcome {
    let v = &test.values;
    let cipher = Sm4::new(&fixed(&v.key)?);
    let mut blocks = v.msg.as_chunks::<16>().0.to_vec();
    for _ in 0..v.repeat {
        hazmat::ecb_encrypt(&cipher, &mut blocks);
    }
    let encrypted = blocks.as_flattened() == &*v.ct;
    for _ in 0..v.repeat {
        hazmat::ecb_decrypt(&cipher, &mut blocks);
    }
    Ok(encrypted && blocks.as_flattened() == &*v.msg)
}

pub(super) fn ctr(_: &Group, test: &Test) -> Outcome {
    let v = &test.values;
    let mut data = v.msg.to_vec();
    let mut ctr = Ctr::new(&fixed(&v.key)?, &fixed(&v.iv)?);
    let (head, tail) = data.split_at_mut(v.msg.len() / 3);
    ctr.apply_keystream(head);
    ctr.apply_keystream(tail);
    Ok(data == *v.ct)
}

pub(super) fn cbc(_: &Group, test: &Test) -> Outcome {
    let v = &test.values;
    let (key, iv) = (fixed(&v.key)?, fixed(&v.iv)?);
    let plain = cbc::decrypt(&key, &iv, &v.ct).map_err(reason)?;
    Ok(plain == *v.msg && cbc::encrypt(&key, &iv, &v.msg) == *v.ct)
}

pub(super) fn gcm(_: &Group, test: &Test) -> Outcome {
    let v = &test.values;
    let gcm = Gcm::new(&fixed(&v.key)?);
    let third = v.ct.len() / 3;
    let mut whole = v.ct.to_vec();
    let mut parts = v.ct.to_vec();

    let opened = gcm.open(&v.iv, &v.aad, &mut whole, &v.tag);
    let streamed = Opener::new(&gcm, &v.iv, &v.aad).and_then(|mut opener| {
        opener.update_unverified(&mut parts[..third])?;
        opener.update_unverified(&mut parts[third..])?;
        opener.finish(&v.tag)
    });
    match (opened, streamed) {
        (Ok(()), Ok(())) => {}
        (Err(one), Err(other)) if one == other => return Err(reason(one)),
        (one, other) => return Err(format!("OneCall({one:?})Streaming({other:?})")),
    }
    let right = whole == *v.msg && parts == *v.msg;

    let tag = gcm.seal(&v.iv, &v.aad, &mut whole).map_err(reason)?;
    let mut sealer = Sealer::new(&gcm, &v.iv, &v.aad).map_err(reason)?;
    sealer.update(&mut parts[..third]).map_err(reason)?;
    sealer.update(&mut parts[third..]).map_err(reason)?;
    let sealed = whole == *v.ct && parts == *v.ct && tag.starts_with(&v.tag);
    Ok(right && sealed && sealer.finish() == tag)
}
