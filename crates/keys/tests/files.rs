//! Key files: what is written is read, damage is named.

use gmkit_keys::{
    EncryptionFault, Error, FileOpener, KeyFormat, KeyRegistry, KeyUri, Origin, Passphrase,
    PrivateKey, SoftwareKey, public_key_from_file_bytes, public_key_to_pem,
};
use gmkit_sm2::Id;

fn no_passphrase() -> Result<Passphrase, Error> {
    Err(Error::PassphraseNeeded)
}

fn der_of(pem: &str) -> Vec<u8> {
    pem_rfc7468::decode_vec(pem.as_bytes()).unwrap().1
}

#[test]
fn every_written_form_is_read_back() {
    let key = SoftwareKey::generate().unwrap();
    let same = |read: SoftwareKey| {
        assert_eq!(read.public_key(), key.public_key());
        let signature = read.sign(Id::DEFAULT, b"m").unwrap();
        key.public_key().verify(Id::DEFAULT, b"m", &signature).unwrap();
    };
    let plain = key.to_pem();
    same(SoftwareKey::from_file_bytes(plain.as_bytes(), no_passphrase).unwrap());
    same(SoftwareKey::from_file_bytes(&der_of(&plain), no_passphrase).unwrap());
    let passphrase = Passphrase::new("口令 with spaces");
    for format in [KeyFormat::Compat, KeyFormat::OpenSsl4, KeyFormat::GmSsl] {
        let pem = key.to_encrypted_pem(&passphrase, format).unwrap();
        let again = key.to_encrypted_pem(&passphrase, format).unwrap();
        assert_ne!(pem, again, "salt and IV must be fresh");
        let ask = || Ok(passphrase.clone());
        same(SoftwareKey::from_file_bytes(pem.as_bytes(), ask).unwrap());
        same(SoftwareKey::from_file_bytes(&der_of(&pem), ask).unwrap());
        let wrong = || Ok(Passphrase::new("wrong"));
        let error = SoftwareKey::from_file_bytes(pem.as_bytes(), wrong).unwrap_err();
        assert!(matches!(error, Error::WrongPassphrase), "{error}");
        let error = SoftwareKey::from_file_bytes(pem.as_bytes(), no_passphrase).unwrap_err();
        assert!(matches!(error, Error::PassphraseNeeded), "{error}");
    }
    let public = public_key_to_pem(key.public_key());
    assert_eq!(public_key_from_file_bytes(public.as_bytes()).unwrap(), *key.public_key());
    assert_eq!(public_key_from_file_bytes(&der_of(&public)).unwrap(), *key.public_key());
}

#[test]
fn other_files_are_named_for_what_they_are() {
    let read = |bytes: &[u8]| SoftwareKey::from_file_bytes(bytes, no_passphrase).unwrap_err();
    assert!(matches!(read(b""), Error::NotAKey));
    assert!(matches!(read(b"hello"), Error::NotAKey));
    assert!(matches!(read(&[0x30, 0x80, 0, 0]), Error::Key(_)));
    assert!(matches!(read(&[0x30, 0x84, 0x7f, 0xff, 0xff, 0xff]), Error::Key(_)));
    let key = SoftwareKey::generate().unwrap();
    let public = public_key_to_pem(key.public_key());
    match read(public.as_bytes()) {
        Error::PemLabel { found, .. } => assert_eq!(found, "PUBLIC KEY"),
        error => panic!("{error}"),
    }
    match public_key_from_file_bytes(key.to_pem().as_bytes()).unwrap_err() {
        Error::PemLabel { found, .. } => assert_eq!(found, "PRIVATE KEY"),
        error => panic!("{error}"),
    }
    let pem = key.to_pem();
    for cut in [pem.len() / 2, pem.len() - 20] {
        assert!(matches!(read(&pem.as_bytes()[..cut]), Error::Pem(_)));
    }
    let damaged = pem.replacen('M', "!", 2);
    assert!(matches!(read(damaged.as_bytes()), Error::Pem(_)));
}

/// PBKDF2 parameters with the given number of iterations, in a complete EncryptedPrivateKeyInfo.
fn with_iterations(iterations: &[u8]) -> Vec<u8> {
    let tlv = |tag: u8, content: &[u8]| [&[tag, content.len() as u8], content].concat();
    let salt = tlv(4, &[1; 8]);
    let kdf_params = tlv(0x30, &[salt, tlv(2, iterations)].concat());
    let pbkdf2 = hex::decode("06092a864886f70d01050c").unwrap();
    let kdf = tlv(0x30, &[pbkdf2, kdf_params].concat());
    let sm4 = hex::decode("06082a811ccf55016802").unwrap();
    let cipher = tlv(0x30, &[sm4, tlv(4, &[0; 16])].concat());
    let pbes2 = hex::decode("06092a864886f70d01050d").unwrap();
    let algorithm = tlv(0x30, &[pbes2, tlv(0x30, &[kdf, cipher].concat())].concat());
    tlv(0x30, &[algorithm, tlv(4, &[0; 32])].concat())
}

#[test]
fn the_iteration_limit_is_checked_before_any_work() {
    for (iterations, found) in [
        (&[0x3b, 0x9a, 0xca, 0x00][..], 1_000_000_000),
        (&[0x00], 0),
        (&[0x00, 0x98, 0x96, 0x81], 10_000_001),
        (&[0x01, 0x00, 0x00, 0x00, 0x01], 0x1_0000_0001),
    ] {
        let asked = || panic!("the passphrase must not be asked for");
        match SoftwareKey::from_file_bytes(&with_iterations(iterations), asked).unwrap_err() {
            Error::Encryption(EncryptionFault::Iterations(n)) => assert_eq!(n, found),
            error => panic!("{error}"),
        }
    }
    let few = || Ok(Passphrase::new("x"));
    let error = SoftwareKey::from_file_bytes(&with_iterations(&[1]), few).unwrap_err();
    assert!(matches!(error, Error::WrongPassphrase), "{error}");
}

/// scrypt with the given N, r, p and a salt of `salt` bytes, and nothing encrypted.
fn with_scrypt(n: u32, r: u32, p: u32, salt: usize) -> Vec<u8> {
    let tlv = |tag: u8, content: &[u8]| {
        let len = content.len() as u16;
        [&[tag, 0x82], &len.to_be_bytes()[..], content].concat()
    };
    // Long-form lengths are not DER where a short one would do.
    let short = |tag: u8, content: &[u8]| {
        if content.len() < 128 {
            [&[tag, content.len() as u8], content].concat()
        } else if content.len() < 256 {
            [&[tag, 0x81, content.len() as u8], content].concat()
        } else {
            tlv(tag, content)
        }
    };
    let integer = |v: u32| {
        let bytes = u64::from(v).to_be_bytes();
        let start = (0..7).find(|&i| bytes[i] != 0 || bytes[i + 1] >= 0x80).unwrap_or(7);
        short(2, &bytes[start..])
    };
    let params = [short(4, &vec![1; salt]), integer(n), integer(r), integer(p)].concat();
    let scrypt = hex::decode("06092b06010401da47040b").unwrap();
    let kdf = short(0x30, &[scrypt, short(0x30, &params)].concat());
    let sm4 = hex::decode("06082a811ccf55016802").unwrap();
    let cipher = short(0x30, &[sm4, short(4, &[0; 16])].concat());
    let pbes2 = hex::decode("06092a864886f70d01050d").unwrap();
    let algorithm = short(0x30, &[pbes2, short(0x30, &[kdf, cipher].concat())].concat());
    short(0x30, &[algorithm, short(4, &[0; 32])].concat())
}

#[test]
fn scrypt_is_bounded_in_memory_and_work() {
    let fault = |n, r, p, salt| {
        let asked = || panic!("the passphrase must not be asked for");
        match SoftwareKey::from_file_bytes(&with_scrypt(n, r, p, salt), asked).unwrap_err() {
            Error::Encryption(fault) => fault,
            error => panic!("{error}"),
        }
    };
    // Found in review: with N = 1 the memory is all in r and p.
    assert_eq!(fault(1, 1 << 21, 16, 8), EncryptionFault::ScryptCost);
    assert_eq!(fault(2, 1 << 21, 16, 8), EncryptionFault::ScryptCost);
    assert_eq!(fault(1 << 18, 8, 1, 8), EncryptionFault::ScryptCost);
    assert_eq!(fault(16384, 8, 17, 8), EncryptionFault::ScryptCost);
    assert_eq!(fault(16383, 8, 1, 8), EncryptionFault::ScryptCost);
    assert_eq!(fault(0, 8, 1, 8), EncryptionFault::ScryptCost);
    assert_eq!(fault(16384, 0, 1, 8), EncryptionFault::ScryptCost);
    assert_eq!(fault(16384, 8, 1, 1025), EncryptionFault::Parameters);
    let few = || Ok(Passphrase::new("x"));
    let error = SoftwareKey::from_file_bytes(&with_scrypt(1024, 8, 1, 16), few).unwrap_err();
    assert!(matches!(error, Error::WrongPassphrase), "{error}");
}

#[test]
fn every_flipped_bit_of_an_encrypted_key_is_refused() {
    let key = SoftwareKey::generate().unwrap();
    let passphrase = Passphrase::new("p");
    let pem = key.to_encrypted_pem(&passphrase, KeyFormat::GmSsl).unwrap();
    let der = der_of(&pem);
    for at in 0..der.len() {
        let mut bad = der.clone();
        bad[at] ^= 1 << (at % 8);
        // A flipped bit in the iteration count may ask for millions of them.
        if let Ok(read) = SoftwareKey::from_file_bytes(&bad, || Ok(passphrase.clone())) {
            panic!("byte {at}: read as {:?}", read.public_key());
        }
    }
}

#[test]
fn the_registry_opens_files_for_the_operator_only() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("key file.pem");
    let key = SoftwareKey::generate().unwrap();
    std::fs::write(&path, key.to_pem().as_bytes()).unwrap();
    let uri = format!("file:{}", path.display()).replace(' ', "%20");
    let keys = KeyRegistry::new().with(FileOpener);
    let open = |text: &str, origin| {
        let uri = KeyUri::parse(text, origin)?;
        keys.open_private(&uri, &|_: &str| Err(Error::PassphraseNeeded))
    };
    assert_eq!(open(&uri, Origin::Operator).unwrap().public_key(), key.public_key());
    assert!(matches!(open(&uri, Origin::Untrusted).unwrap_err(), Error::UntrustedUri));
    let unknown = open("pkcs11:token=prod", Origin::Operator).unwrap_err();
    assert!(matches!(unknown, Error::UnknownScheme { .. }));
    let directory = open(&dir.path().display().to_string(), Origin::Operator).unwrap_err();
    assert!(matches!(directory, Error::Io { .. }), "{directory}");
    let big = dir.path().join("big");
    std::fs::write(&big, vec![b'x'; (1 << 20) + 1]).unwrap();
    let error = open(big.to_str().unwrap(), Origin::Operator).unwrap_err();
    assert!(matches!(error, Error::FileTooLarge { .. }), "{error}");
}

proptest::proptest! {
    #[test]
    fn no_bytes_make_a_reader_panic(mut bytes: Vec<u8>, as_pem: bool) {
        if as_pem {
            let mut pem = b"-----BEGIN PRIVATE KEY-----\n".to_vec();
            pem.append(&mut bytes);
            pem.extend(b"\n-----END PRIVATE KEY-----\n");
            bytes = pem;
        }
        let _ = SoftwareKey::from_file_bytes(&bytes, no_passphrase);
        let _ = public_key_from_file_bytes(&bytes);
    }
}
