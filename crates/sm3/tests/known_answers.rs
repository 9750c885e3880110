//! Published values. The full vector set lives in `vectors/`; these keep the crate honest alone.

use gmkit_sm3::{Digest, Sm3, digest, kdf};
use hmac::{Hmac, KeyInit, Mac};

fn hex(s: &str) -> Vec<u8> {
    (0..s.len()).step_by(2).map(|i| u8::from_str_radix(&s[i..i + 2], 16).unwrap()).collect()
}

#[test]
fn gbt_32905_annex_a() {
    let cases: [(&[u8], &str); 3] = [
        (b"", "1ab21d8355cfa17f8e61194831e81a8f22bec8c728fefb747ed035eb5082aa2b"),
        (b"abc", "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"),
        (
            b"abcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcd",
            "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732",
        ),
    ];
    for (message, want) in cases {
        assert_eq!(digest(&[message]).to_vec(), hex(want));
    }
}

#[test]
fn hmac_hkdf_and_pbkdf2_work_on_it() {
    let mut mac = Hmac::<Sm3>::new_from_slice(&[0x0b; 32]).unwrap();
    mac.update(b"Hi There");
    assert_eq!(
        mac.finalize().into_bytes().to_vec(),
        hex("c0ba18c68b90c88bc07de794bfc7d2c8d19ec31ed8773bc2b390c9604e0be11e")
    );

    let hk = hkdf::Hkdf::<Sm3>::new(Some(&hex("000102030405060708090a0b0c")), &[0x0b; 22]);
    let mut okm = [0; 42];
    hk.expand(&hex("f0f1f2f3f4f5f6f7f8f9"), &mut okm).unwrap();
    assert_eq!(
        okm.to_vec(),
        hex("c69fe91b7aaee2dd5718d72dcaee0cce93f1b8e41f792da51261b6a517e68b36ed2c595572b01dfa359b")
    );

    let mut dk = [0; 64];
    pbkdf2::pbkdf2_hmac::<Sm3>(b"passwd", b"salt", 1, &mut dk);
    assert_eq!(
        dk.to_vec(),
        hex(
            "30530b86537c85ea33fbe26ee0adea8d8bd91d283b87936f400e83ad2364ef2632cd8662313657c0e6138ffeda2c4e6805869cbd8030188858d8a675ac762523"
        )
    );
}

#[test]
fn kdf_value_from_openssl_x963kdf() {
    let mut out = [0; 32];
    kdf(&[&[1], &[2]], &mut out).unwrap();
    assert_eq!(
        out.to_vec(),
        hex("02db73736665f3c8ec09887772c33da737047e7419ef8abd4d3c7d80019ff1ae")
    );
}

#[test]
fn every_length_around_the_block_boundary_equals_rustcrypto() {
    let data: Vec<u8> = (0..400u32).map(|i| (i % 251) as u8).collect();
    for len in 0..data.len() {
        assert_eq!(
            Sm3::digest(&data[..len]).to_vec(),
            rc_sm3::Sm3::digest(&data[..len]).to_vec(),
            "length {len}"
        );
    }
}

proptest::proptest! {
    #[test]
    fn splitting_the_input_changes_nothing(data: Vec<u8>, cuts: [u16; 3]) {
        let mut hash = Sm3::new();
        let mut rest = &data[..];
        for cut in cuts {
            let (head, tail) = rest.split_at(cut as usize % (rest.len() + 1));
            hash.update(head);
            rest = tail;
        }
        hash.update(rest);
        proptest::prop_assert_eq!(hash.finalize().to_vec(), rc_sm3::Sm3::digest(&data).to_vec());
    }

    #[test]
    fn kdf_is_a_prefix_of_its_longer_self(z: Vec<u8>, len in 0usize..200) {
        let mut long = [0; 200];
        kdf(&[&z], &mut long).unwrap();
        let mut short = vec![0; len];
        kdf(&[&z], &mut short).unwrap();
        proptest::prop_assert_eq!(&short[..], &long[..len]);
    }
}
