//! The worked examples of GB/T 32918.5-2017, annexes A and C.

use gmkit_sm2::{Ciphertext, Id, PublicKey, SecretKey, Signature, hazmat};

fn hex<const N: usize>(s: &str) -> [u8; N] {
    assert_eq!(s.len(), 2 * N);
    core::array::from_fn(|i| u8::from_str_radix(&s[2 * i..2 * i + 2], 16).unwrap())
}

const D: &str = "3945208f7b2144b13f36e38ac6d39f95889393692860b51a42fb81ef4df7c5b8";
const K: &str = "59276e27d506861a16680f3ad9c02dccef3cc1fa3cdbe4ce6d54b80deac1bc21";
const E: &str = "f0b43e94ba45accaace692ed534382eb17e6ab5a19ce7b31f4486fdfc0d28640";
const RS: &str = "f5a03b0648d2c4630eeac513e1bb81a15944da3827d5b74143ac7eaceee720b3\
                  b1b6aa29df212fd8763182bc0d421ca1bb9038fd1f7f42d4840b69c485bbc1aa";

fn key() -> SecretKey {
    SecretKey::from_bytes(&hex(D)).unwrap()
}

#[test]
fn public_key_and_z() {
    let key = key();
    let mut want = vec![4];
    want.extend(hex::<64>(
        "09f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020\
         ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13",
    ));
    assert_eq!(key.public_key().to_sec1_bytes().to_vec(), want);
    assert_eq!(
        key.public_key().z(Id::DEFAULT),
        hex("b2e14c5c79c6df5b85f4fe7ed8db7a262b9da7e07ccb0ea9f4747b8ccda8a4f3")
    );
}

#[test]
fn signature() {
    let signature = hazmat::sign_e_with_k(&key(), &hex(E), &hex(K)).unwrap();
    assert_eq!(signature.to_raw(), hex(RS));
    key().public_key().verify(Id::DEFAULT, b"message digest", &signature).unwrap();
}

#[test]
fn encryption() {
    let want = hex::<116>(
        "0404ebfc718e8d1798620432268e77feb6415e2ede0e073c0f4f640ecd2e149a73\
         e858f9d81e5430a57b36daab8f950a3c64e6ee6a63094d99283aff767e124df0\
         59983c18f809e262923c53aec295d30383b54e39d609d160afcb1908d0bd8766\
         21886ca989ca9c7d58087307ca93092d651efa",
    );
    let key = key();
    let ciphertext =
        hazmat::encrypt_with_k(key.public_key(), &hex(K), b"encryption standard").unwrap();
    assert_eq!(ciphertext.to_c1c3c2(), want);
    assert_eq!(&key.decrypt(&ciphertext).unwrap()[..], b"encryption standard");
    let der = ciphertext.to_der().unwrap();
    assert_eq!(Ciphertext::from_der(&der).unwrap(), ciphertext);
    assert_eq!(Ciphertext::from_c1c2c3(&ciphertext.to_c1c2c3()).unwrap(), ciphertext);
}

#[test]
fn point_forms() {
    let key = key();
    let compressed = key.public_key().to_compressed_bytes();
    assert_eq!(PublicKey::from_sec1_bytes(&compressed).unwrap(), *key.public_key());
    let mut other_sign = compressed;
    other_sign[0] ^= 1;
    assert_ne!(PublicKey::from_sec1_bytes(&other_sign).unwrap(), *key.public_key());
}

#[test]
fn signature_der_is_the_shortest() {
    let mut raw = [0; 64];
    raw[31] = 0x7f;
    raw[63] = 0x80;
    let signature = Signature::from_raw(&raw).unwrap();
    assert_eq!(signature.to_der().as_bytes(), b"\x30\x07\x02\x01\x7f\x02\x02\x00\x80");
    assert_eq!(Signature::from_der(signature.to_der().as_bytes()).unwrap(), signature);
}
