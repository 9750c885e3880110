//! The rare modes of SM4, and FF1. Valid vectors are run in both directions.

use gmkit_sm4::{bc, ff1::Ff1, hctr::Hctr, ofbnlf};

use super::{Outcome, fixed, reason};
use crate::schema::{Group, Test};

type Blocks = [[u8; 16]];

/// Whole blocks in two pieces, both ways.
fn both_ways(
    test: &Test,
    mut encrypt: impl FnMut(&mut Blocks),
    mut decrypt: impl FnMut(&mut Blocks),
) -> Outcome {
    let v = &test.values;
    let mut data = v.msg.to_vec();
    let (blocks, rest) = data.as_chunks_mut::<16>();
    if !rest.is_empty() {
        return Err("MalformedVector".to_owned());
    }
    let third = blocks.len() / 3;
    encrypt(&mut blocks[..third]);
    encrypt(&mut blocks[third..]);
    let encrypted = blocks.as_flattened() == &*v.ct;
    decrypt(&mut blocks[..third]);
    decrypt(&mut blocks[third..]);
    Ok(encrypted && data == *v.msg)
}

pub(super) fn bc(_: &Group, test: &Test) -> Outcome {
    let (key, iv) = (fixed(&test.values.key)?, fixed(&test.values.iv)?);
    let (mut enc, mut dec) = (bc::Encryptor::new(&key, &iv), bc::Decryptor::new(&key, &iv));
    both_ways(test, |blocks| enc.encrypt(blocks), |blocks| dec.decrypt(blocks))
}

pub(super) fn ofbnlf(_: &Group, test: &Test) -> Outcome {
    let (key, iv) = (fixed(&test.values.key)?, fixed(&test.values.iv)?);
    let mut enc = ofbnlf::Encryptor::new(&key, &iv);
    let mut dec = ofbnlf::Decryptor::new(&key, &iv);
    both_ways(test, |blocks| enc.encrypt(blocks), |blocks| dec.decrypt(blocks))
}

pub(super) fn hctr(_: &Group, test: &Test) -> Outcome {
    let v = &test.values;
    let [k1, k2]: [[u8; 16]; 2] = fixed::<32>(&v.key)?.as_chunks().0.try_into().map_err(reason)?;
    let (hctr, tweak) = (Hctr::new(&k1, &k2), fixed(&v.iv)?);
    let mut data = v.msg.to_vec();
    hctr.encrypt(&tweak, &mut data).map_err(reason)?;
    let encrypted = data == *v.ct;
    hctr.decrypt(&tweak, &mut data).map_err(reason)?;
    Ok(encrypted && data == *v.msg)
}

/// Numerals of two bytes each; the radix is the vector's size.
pub(super) fn ff1(_: &Group, test: &Test) -> Outcome {
    let v = &test.values;
    let numerals = |bytes: &[u8]| -> Vec<u16> {
        bytes.as_chunks().0.iter().map(|two| u16::from_be_bytes(*two)).collect()
    };
    let radix = v.size.and_then(|size| u32::try_from(size).ok()).ok_or("MalformedVector")?;
    let ff1 = Ff1::new(&fixed(&v.key)?, radix).map_err(reason)?;
    let mut data = numerals(&v.msg);
    ff1.encrypt(&v.aad, &mut data).map_err(reason)?;
    let encrypted = data == numerals(&v.ct);
    ff1.decrypt(&v.aad, &mut data).map_err(reason)?;
    Ok(encrypted && data == numerals(&v.msg))
}
