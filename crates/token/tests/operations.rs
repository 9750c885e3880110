//! What keys do, through the module as `cryptoki` loads it, against OpenSSL.

mod support;

use std::{fs, path::Path};

use cryptoki::{
    error::{Error, RvError},
    mechanism::{
        Mechanism,
        aead::GcmParams,
        elliptic_curve::{EcKdf, Ecdh1DeriveParams},
    },
    object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle},
    session::Session,
};
use gmkit_keys::public_key_to_pem;
use gmkit_sm2::{PublicKey, SecretKey, Signature};
use gmkit_token::codes::*;
use support::*;

const P256: [u8; 10] = [6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7];

fn sm2_pair(session: &Session) -> (ObjectHandle, ObjectHandle) {
    let public = [Attribute::Token(true), Attribute::Label(b"sm2".into())];
    let private = [Attribute::Token(true), Attribute::Label(b"sm2".into())];
    session.generate_key_pair(&own(CKM_SM2_KEY_PAIR_GEN), &public, &private).unwrap()
}

fn sm2_public(session: &Session, public: ObjectHandle) -> PublicKey {
    let point = value(session, public, AttributeType::EcPoint);
    assert_eq!(point[..3], [4, 65, 4]);
    PublicKey::from_sec1_bytes(&point[2..]).unwrap()
}

fn failure<T: std::fmt::Debug>(result: Result<T, Error>) -> RvError {
    match result.unwrap_err() {
        Error::Pkcs11(error, _) => error,
        other => panic!("{other}"),
    }
}

fn session() -> (cryptoki::context::Pkcs11, Session) {
    let pkcs11 = load();
    let slot = fresh(&pkcs11)[0];
    let session = logged_in(&pkcs11, slot);
    (pkcs11, session)
}

/// OpenSSL verifies an SM2 signature over a message.
fn openssl_verifies(dir: &Path, key: &PublicKey, id: &str, message: &[u8], raw: &[u8]) {
    fs::write(dir.join("pub.pem"), public_key_to_pem(key)).unwrap();
    fs::write(dir.join("message"), message).unwrap();
    fs::write(dir.join("sig"), Signature::from_raw(raw).unwrap().to_der().as_bytes()).unwrap();
    shell(
        dir,
        &format!(
            "openssl pkeyutl -verify -pubin -inkey pub.pem -rawin -digest sm3 \
             -pkeyopt distid:{id} -in message -sigfile sig"
        ),
    );
}

#[test]
fn sm2_signatures() {
    isolated("sm2_signatures", 1, || {
        let (_pkcs11, session) = session();
        let lab = tempfile::tempdir().unwrap();
        let (public, private) = sm2_pair(&session);
        let key = sm2_public(&session, public);
        let message = b"signed in a token";

        let signature = session.sign(&own(CKM_SM2_SM3), private, message).unwrap();
        openssl_verifies(lab.path(), &key, "1234567812345678", message, &signature);
        let with_id = own_with(CKM_SM2_SM3, b"Alice");
        let other_id = session.sign(&with_id, private, message).unwrap();
        openssl_verifies(lab.path(), &key, "Alice", message, &other_id);

        session.verify(&own(CKM_SM2_SM3), public, message, &signature).unwrap();
        for (mechanism, message, signature) in [
            (own(CKM_SM2_SM3), &b"signed in a Token"[..], &signature),
            (own(CKM_SM2_SM3), message, &other_id),
            (with_id, message, &signature),
        ] {
            let verdict = session.verify(&mechanism, public, message, signature);
            assert_eq!(failure(verdict), RvError::SignatureInvalid);
        }

        let e = gmkit_sm3::digest(&[&key.z(gmkit_sm2::Id::DEFAULT), message]);
        let bare = session.sign(&own(CKM_SM2), private, &e).unwrap();
        openssl_verifies(lab.path(), &key, "1234567812345678", message, &bare);
        assert_ne!(bare, session.sign(&own(CKM_SM2), private, &e).unwrap(), "a fresh nonce");
        for len in [0, 31, 33, 64] {
            let result = session.sign(&own(CKM_SM2), private, &vec![1; len]);
            assert_eq!(failure(result), RvError::DataLenRange);
        }

        // In pieces.
        session.sign_init(&own(CKM_SM2_SM3), private).unwrap();
        for piece in message.chunks(3) {
            session.sign_update(piece).unwrap();
        }
        let signature = session.sign_final().unwrap();
        openssl_verifies(lab.path(), &key, "1234567812345678", message, &signature);
    });
}

#[test]
fn sm2_encryption() {
    isolated("sm2_encryption", 1, || {
        let (_pkcs11, session) = session();
        let lab = tempfile::tempdir().unwrap();
        // A key of OpenSSL's, brought in.
        shell(
            lab.path(),
            "openssl genpkey -algorithm SM2 -out key.pem
             openssl pkey -in key.pem -outform DER | openssl pkcs8 -topk8 -nocrypt -inform DER -outform DER -out key.der
             openssl pkey -in key.pem -pubout -out pub.pem",
        );
        let der = fs::read(lab.path().join("key.der")).unwrap();
        let key = SecretKey::from_private_key_info(&der).unwrap();
        let private = session
            .create_object(&[
                Attribute::Class(ObjectClass::PRIVATE_KEY),
                own_key_type(CKK_SM2),
                Attribute::Value(key.to_bytes().to_vec()),
            ])
            .unwrap();
        let public = session
            .create_object(&[
                Attribute::Class(ObjectClass::PUBLIC_KEY),
                own_key_type(CKK_SM2),
                Attribute::EcPoint(key.public_key().to_sec1_bytes().to_vec()),
            ])
            .unwrap();

        fs::write(lab.path().join("plain"), "to the token").unwrap();
        shell(lab.path(), "openssl pkeyutl -encrypt -pubin -inkey pub.pem -in plain -out cipher");
        let der = fs::read(lab.path().join("cipher")).unwrap();
        let opened = session.decrypt(&own(CKM_SM2_ENCRYPT_DER), private, &der).unwrap();
        assert_eq!(opened, b"to the token");

        let sealed = session.encrypt(&own(CKM_SM2_ENCRYPT_DER), public, b"from the token").unwrap();
        fs::write(lab.path().join("cipher"), sealed).unwrap();
        let opened = shell(lab.path(), "openssl pkeyutl -decrypt -inkey key.pem -in cipher");
        assert_eq!(opened, "from the token");

        let raw = session.encrypt(&own(CKM_SM2_ENCRYPT), public, b"raw").unwrap();
        assert_eq!(raw.len(), 97 + 3);
        assert_eq!(session.decrypt(&own(CKM_SM2_ENCRYPT), private, &raw).unwrap(), b"raw");
        for bit in [0, 9, 64 * 8, 96 * 8, 99 * 8] {
            let mut twin = raw.clone();
            twin[bit / 8] ^= 1 << (bit % 8);
            let result = session.decrypt(&own(CKM_SM2_ENCRYPT), private, &twin);
            assert_eq!(failure(result), RvError::EncryptedDataInvalid);
        }
        let swapped = session.decrypt(&own(CKM_SM2_ENCRYPT), public, &raw);
        assert_eq!(failure(swapped), RvError::KeyTypeInconsistent);
    });
}

fn secret(session: &Session, key_type: Attribute, value: &[u8]) -> ObjectHandle {
    let template = [
        Attribute::Class(ObjectClass::SECRET_KEY),
        key_type,
        Attribute::Value(value.to_vec()),
        Attribute::Wrap(true),
        Attribute::Unwrap(true),
        Attribute::Encrypt(true),
        Attribute::Decrypt(true),
        Attribute::Sensitive(false),
        Attribute::Extractable(true),
    ];
    session.create_object(&template).unwrap()
}

/// What `openssl enc` makes of a file, against the token.
fn compare(session: &Session, name: &str, mechanism: &Mechanism<'_>, key: ObjectHandle, hex: &str) {
    let lab = tempfile::tempdir().unwrap();
    for len in [16, 160, 4096] {
        let plain: Vec<u8> = (0..len).map(|n| (n % 251) as u8).collect();
        fs::write(lab.path().join("plain"), &plain).unwrap();
        let iv = if name.ends_with("ecb") {
            String::new()
        } else {
            "-iv 000102030405060708090a0b0c0d0e0f".to_owned()
        };
        shell(
            lab.path(),
            &format!("openssl enc -{name} -K {hex} {iv} -nopad -in plain -out cipher"),
        );
        let expected = fs::read(lab.path().join("cipher")).unwrap();
        assert_eq!(session.encrypt(mechanism, key, &plain).unwrap(), expected, "{name}");
        session.decrypt_init(mechanism, key).unwrap();
        let mut opened = Vec::new();
        for piece in expected.chunks(33) {
            opened.extend(session.decrypt_update(piece).unwrap());
        }
        opened.extend(session.decrypt_final().unwrap());
        assert_eq!(opened, plain, "{name}");
    }
}

#[repr(C)]
struct Ctr(u64, [u8; 16]);

#[test]
fn ciphers() {
    isolated("ciphers", 1, || {
        let (_pkcs11, session) = session();
        let iv: [u8; 16] = std::array::from_fn(|n| n as u8);
        let bytes: Vec<u8> = (0x10..0x30).collect();
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let sm4 = secret(&session, own_key_type(CKK_SM4), &bytes[..16]);
        compare(&session, "sm4-ecb", &own(CKM_SM4_ECB), sm4, &hex[..32]);
        compare(&session, "sm4-cbc", &own_with(CKM_SM4_CBC, &iv), sm4, &hex[..32]);
        compare(&session, "sm4-ctr", &own_with(CKM_SM4_CTR, &Ctr(128, iv)), sm4, &hex[..32]);
        let narrow = session.encrypt(&own_with(CKM_SM4_CTR, &Ctr(32, iv)), sm4, b"x");
        assert_eq!(failure(narrow), RvError::MechanismParamInvalid);
        for len in [16, 24, 32] {
            let aes = secret(&session, Attribute::KeyType(KeyType::AES), &bytes[..len]);
            let hex = &hex[..2 * len];
            let bits = 8 * len;
            compare(&session, &format!("aes-{bits}-ecb"), &Mechanism::AesEcb, aes, hex);
            compare(&session, &format!("aes-{bits}-cbc"), &Mechanism::AesCbc(iv), aes, hex);
        }
        for len in [0, 1, 15, 16, 17] {
            let mechanism = own_with(CKM_SM4_CBC_PAD, &iv);
            let sealed = session.encrypt(&mechanism, sm4, &vec![5; len]).unwrap();
            assert_eq!(sealed.len(), len / 16 * 16 + 16);
            assert_eq!(session.decrypt(&mechanism, sm4, &sealed).unwrap(), vec![5; len]);
        }
        let odd = session.encrypt(&own(CKM_SM4_ECB), sm4, b"seventeen bytes..");
        assert_eq!(failure(odd), RvError::DataLenRange);
    });
}

/// RFC 8998, A.1.
#[test]
fn gcm() {
    isolated("gcm", 1, || {
        let (_pkcs11, session) = session();
        let unhex = |text: &str| hex(text);
        let key = unhex("0123456789ABCDEFFEDCBA9876543210");
        let mut iv = unhex("00001234567800000000ABCD");
        let aad = unhex("FEEDFACEDEADBEEFFEEDFACEDEADBEEFABADDAD2");
        let plain: Vec<u8> = [0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff, 0xee, 0xaa]
            .into_iter()
            .flat_map(|byte| [byte; 8])
            .collect();
        let expected = unhex(
            "17F399F08C67D5EE19D0DC9969C4BB7D5FD46FD3756489069157B282BB200735\
             D82710CA5C22F0CCFA7CBF93D496AC15A56834CBCF98C397B4024A2691233B8D\
             83DE3541E4C2B58177E065A9BF7B62EC",
        );
        let sm4 = secret(&session, own_key_type(CKK_SM4), &key);
        let parameters = GcmParams::new(&mut iv, &aad, 128.into()).unwrap();
        let mechanism = own_with(CKM_SM4_GCM, &parameters);
        assert_eq!(session.encrypt(&mechanism, sm4, &plain).unwrap(), expected);

        // In pieces, nothing comes out before the tag.
        session.decrypt_init(&mechanism, sm4).unwrap();
        for piece in expected.chunks(7) {
            assert!(session.decrypt_update(piece).unwrap().is_empty());
        }
        assert_eq!(session.decrypt_final().unwrap(), plain);
        for bit in [0, 200, 8 * 79] {
            let mut twin = expected.clone();
            twin[bit / 8] ^= 1;
            let result = session.decrypt(&mechanism, sm4, &twin);
            assert_eq!(failure(result), RvError::EncryptedDataInvalid);
        }
        let short = GcmParams::new(&mut iv, &aad, 96.into()).unwrap();
        let refused = session.encrypt(&own_with(CKM_SM4_GCM, &short), sm4, &plain);
        assert_eq!(failure(refused), RvError::MechanismParamInvalid);
    });
}

fn hex(text: &str) -> Vec<u8> {
    ::hex::decode(text.replace(' ', "")).unwrap()
}

#[test]
fn digests_and_macs() {
    isolated("digests_and_macs", 1, || {
        let (_pkcs11, session) = session();
        let lab = tempfile::tempdir().unwrap();
        let message: Vec<u8> = (0..1000).map(|n| n as u8).collect();
        fs::write(lab.path().join("m"), &message).unwrap();
        let openssl = |line: &str| hex(shell(lab.path(), line).split_whitespace().last().unwrap());

        for (mechanism, name) in [
            (own(CKM_SM3), "sm3"),
            (Mechanism::Sha256, "sha256"),
            (Mechanism::Sha384, "sha384"),
            (Mechanism::Sha512, "sha512"),
        ] {
            let expected = openssl(&format!("openssl dgst -{name} m"));
            assert_eq!(session.digest(&mechanism, &message).unwrap(), expected);
            session.digest_init(&mechanism).unwrap();
            message.chunks(77).for_each(|piece| session.digest_update(piece).unwrap());
            assert_eq!(session.digest_final().unwrap(), expected);
        }

        let key = [7; 20];
        let generic = secret(&session, Attribute::KeyType(KeyType::GENERIC_SECRET), &key);
        let key = ::hex::encode(key);
        for (mechanism, name) in [(own(CKM_SM3_HMAC), "sm3"), (Mechanism::Sha256Hmac, "sha256")] {
            let line = format!("openssl dgst -{name} -mac HMAC -macopt hexkey:{key} m");
            let expected = openssl(&line);
            assert_eq!(session.sign(&mechanism, generic, &message).unwrap(), expected);
            session.verify(&mechanism, generic, &message, &expected).unwrap();
            let mut twin = expected;
            twin[31] ^= 1;
            let verdict = session.verify(&mechanism, generic, &message, &twin);
            assert_eq!(failure(verdict), RvError::SignatureInvalid);
        }
        let sm4 = secret(&session, own_key_type(CKK_SM4), &[9; 16]);
        let line = format!(
            "openssl mac -cipher SM4-CBC -macopt hexkey:{} -in m CMAC",
            ::hex::encode([9; 16])
        );
        assert_eq!(session.sign(&own(CKM_SM4_CMAC), sm4, &message).unwrap(), openssl(&line));
    });
}

#[test]
fn p256() {
    isolated("p256", 1, || {
        let (_pkcs11, session) = session();
        let lab = tempfile::tempdir().unwrap();
        let (public, private) = session
            .generate_key_pair(
                &Mechanism::EccKeyPairGen,
                &[Attribute::EcParams(P256.into())],
                &[Attribute::Derive(true)],
            )
            .unwrap();
        let point = value(&session, public, AttributeType::EcPoint);
        let spki = hex("3059301306072a8648ce3d020106082a8648ce3d030107034200");
        fs::write(lab.path().join("pub.der"), [&spki, &point[2..]].concat()).unwrap();
        fs::write(lab.path().join("m"), "message").unwrap();
        let signature = session.sign(&Mechanism::EcdsaSha256, private, b"message").unwrap();
        session.verify(&Mechanism::EcdsaSha256, public, b"message", &signature).unwrap();
        let integers = p256::ecdsa::Signature::from_slice(&signature).unwrap().to_der();
        fs::write(lab.path().join("sig"), integers.as_bytes()).unwrap();
        let line = "openssl dgst -sha256 -verify pub.der -keyform DER -signature sig m";
        assert!(shell(lab.path(), line).contains("OK"));

        // ECDH with a key of OpenSSL's.
        shell(
            lab.path(),
            "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out peer.pem
             openssl pkey -in peer.pem -pubout -outform DER -out peer.der
             openssl pkey -pubin -inform DER -in pub.der -out pub.pem
             openssl pkeyutl -derive -inkey peer.pem -peerkey pub.pem -out shared",
        );
        let peer = fs::read(lab.path().join("peer.der")).unwrap();
        let parameters = Ecdh1DeriveParams::new(EcKdf::null(), &peer[26..]);
        let template = [
            Attribute::Class(ObjectClass::SECRET_KEY),
            Attribute::KeyType(KeyType::GENERIC_SECRET),
            Attribute::Sensitive(false),
            Attribute::Extractable(true),
        ];
        let shared =
            session.derive_key(&Mechanism::Ecdh1Derive(parameters), private, &template).unwrap();
        let shared = value(&session, shared, AttributeType::Value);
        assert_eq!(shared, fs::read(lab.path().join("shared")).unwrap());

        // A shorter key is the end of it, and a point may come bare.
        let template = [
            Attribute::Class(ObjectClass::SECRET_KEY),
            Attribute::KeyType(KeyType::AES),
            Attribute::ValueLen(16.into()),
            Attribute::Sensitive(false),
            Attribute::Extractable(true),
        ];
        let short =
            session.derive_key(&Mechanism::Ecdh1Derive(parameters), private, &template).unwrap();
        assert_eq!(value(&session, short, AttributeType::Value), shared[16..]);

        let wrong = session.sign(&own(CKM_SM2), private, &[1; 32]);
        assert_eq!(failure(wrong), RvError::KeyTypeInconsistent);
    });
}

#[test]
fn wrapping() {
    isolated("wrapping", 1, || {
        let (_pkcs11, session) = session();
        // RFC 3394, 4.1.
        let kek: Vec<u8> = (0..16).collect();
        let aes = || Attribute::KeyType(KeyType::AES);
        let kek = secret(&session, aes(), &kek);
        let key = secret(&session, aes(), &hex("00112233445566778899AABBCCDDEEFF"));
        let wrapped = session.wrap_key(&Mechanism::AesKeyWrap, kek, key).unwrap();
        assert_eq!(wrapped, hex("1FA68B0A8112B447AEF34BD8FB5A7B829D3E862371D2CFE5"));

        let template = [
            Attribute::Class(ObjectClass::SECRET_KEY),
            aes(),
            Attribute::Sensitive(false),
            Attribute::Extractable(true),
        ];
        let again = session.unwrap_key(&Mechanism::AesKeyWrap, kek, &wrapped, &template).unwrap();
        assert_eq!(
            value(&session, again, AttributeType::Value),
            hex("00112233445566778899AABBCCDDEEFF")
        );
        let mut twin = wrapped;
        twin[9] ^= 1;
        let refused = session.unwrap_key(&Mechanism::AesKeyWrap, kek, &twin, &template);
        assert_eq!(failure(refused), RvError::WrappedKeyInvalid);

        // An SM2 key under SM4, as PKCS#8, and an SM4 key under an SM2 key.
        let sm4 = secret(&session, own_key_type(CKK_SM4), &[3; 16]);
        let (public, private) = session
            .generate_key_pair(
                &own(CKM_SM2_KEY_PAIR_GEN),
                &[Attribute::Wrap(true)],
                &[Attribute::Extractable(true), Attribute::Unwrap(true)],
            )
            .unwrap();
        let private_template = [Attribute::Class(ObjectClass::PRIVATE_KEY), own_key_type(CKK_SM2)];
        let iv = [1_u8; 16];
        for mechanism in [own(CKM_SM4_KEY_WRAP_PAD), own_with(CKM_SM4_CBC_PAD, &iv)] {
            let wrapped = session.wrap_key(&mechanism, sm4, private).unwrap();
            let again = session.unwrap_key(&mechanism, sm4, &wrapped, &private_template).unwrap();
            let signature = session.sign(&own(CKM_SM2_SM3), again, b"m").unwrap();
            session.verify(&own(CKM_SM2_SM3), public, b"m", &signature).unwrap();
        }
        let wrapped = session.wrap_key(&own(CKM_SM2_ENCRYPT), public, sm4).unwrap();
        let template = [
            Attribute::Class(ObjectClass::SECRET_KEY),
            own_key_type(CKK_SM4),
            Attribute::Sensitive(false),
            Attribute::Extractable(true),
        ];
        let again =
            session.unwrap_key(&own(CKM_SM2_ENCRYPT), private, &wrapped, &template).unwrap();
        assert_eq!(value(&session, again, AttributeType::Value), [3; 16]);

        // What may not leave stays.
        let (_, stays) = session.generate_key_pair(&own(CKM_SM2_KEY_PAIR_GEN), &[], &[]).unwrap();
        let refused = session.wrap_key(&own(CKM_SM4_KEY_WRAP_PAD), sm4, stays);
        assert_eq!(failure(refused), RvError::KeyUnextractable);
        assert!(session.get_attributes(stays, &[AttributeType::Value]).unwrap().is_empty());
    });
}
