//! Secret keys in devices, what a token does without a key, and the test of a device: in each
//! persona, and compared with what is computed here.

mod support;

use std::{env, fs};

use gmkit_hsm::{
    DeviceSecret, Error, Export, Finding, KeyName, KeyUse, Mode, Opener, Outcome, SecretType,
};
use gmkit_keys::{KeyOpener, KeyUri, Origin, SecretKey, SecretUse, SoftwareSecret};
use support::{as_persona, device, right_pin};

fn named(label: &str) -> KeyName {
    KeyName { label: Some(label.to_owned()), id: None }
}

/// What an SM4 key in the device and one here make of each other's messages.
#[test]
fn an_sm4_key_seals_and_opens() {
    as_persona("an_sm4_key_seals_and_opens", "koal-with-z", |lab| {
        let (token, _) = device();
        let value = [0x42; 16];
        let key =
            token.import_secret(&named("seal"), SecretType::Sm4, KeyUse::Encrypt, &value).unwrap();
        assert_eq!(key.kind(), SecretType::Sm4);
        let ours = SoftwareSecret::sm4(&value).unwrap();
        for len in [0, 1, 15, 16, 17, 1000, 100_000] {
            let message = vec![7; len];
            let sealed = key.seal(b"aad", &message).unwrap();
            assert_eq!(sealed.len(), 12 + len + 16);
            assert_eq!(ours.open(b"aad", &sealed).unwrap(), message);
            assert_eq!(key.open(b"aad", &ours.seal(b"aad", &message).unwrap()).unwrap(), message);
        }
        let (one, two) = (key.seal(b"", b"m").unwrap(), key.seal(b"", b"m").unwrap());
        assert_ne!(one[..12], two[..12], "each has its nonce");

        // One answer for all that is wrong with a message, and another for the device.
        let sealed = key.seal(b"aad", b"message").unwrap();
        for bad in [&sealed[..20], &[], &sealed[1..], &[&sealed[..], &[0]].concat()] {
            assert!(matches!(key.open(b"aad", bad), Err(gmkit_keys::Error::Rejected)));
        }
        assert!(matches!(key.open(b"other", &sealed), Err(gmkit_keys::Error::Rejected)));
        fs::write(lab.join("faults"), "broken").unwrap();
        let gone = key.open(b"aad", &sealed);
        assert!(matches!(gone, Err(gmkit_keys::Error::Device(_))), "{gone:?}");
        fs::write(lab.join("faults"), "").unwrap();
        assert_eq!(key.open(b"aad", &sealed).unwrap(), b"message");

        // What it is not for.
        assert!(matches!(key.start_mac(), Err(gmkit_keys::Error::Unsupported { .. })));
        assert!(matches!(key.start_sealing(b""), Err(gmkit_keys::Error::Unsupported { .. })));
        let cbc = Mode::Cbc { iv: &[0; 16] };
        assert!(matches!(key.encrypt(cbc, &[0; 16]), Err(Error::Device { .. })), "absent there");
        assert_eq!(format!("{key:?}"), "DeviceSecret(Sm4, Token(lab), Some(\"seal\"))");
    });
}

#[test]
fn an_hmac_key_authenticates() {
    as_persona("an_hmac_key_authenticates", "luna", |_| {
        let (token, _) = device();
        let value = [9; 40];
        let key = token
            .import_secret(&named("mac"), SecretType::HmacSm3, KeyUse::Authenticate, &value)
            .unwrap();
        let ours = SoftwareSecret::hmac_sm3(&value).unwrap();
        for len in [0, 1, 64, 5000] {
            let message = vec![3; len];
            let (mut there, mut here) = (key.start_mac().unwrap(), ours.start_mac().unwrap());
            for piece in message.chunks(100) {
                there.update(piece).unwrap();
            }
            here.update(&message).unwrap();
            let mac = here.finish().unwrap();
            assert_eq!(there.finish().unwrap(), mac);
            let mut again = key.start_mac().unwrap();
            again.update(&message).unwrap();
            again.verify(&mac).unwrap();
            let mut bad = mac;
            bad[31] ^= 1;
            let mut again = key.start_mac().unwrap();
            again.update(&message).unwrap();
            assert!(matches!(again.verify(&bad), Err(gmkit_keys::Error::Rejected)));
        }
        assert!(matches!(key.seal(b"", b"m"), Err(gmkit_keys::Error::Unsupported { .. })));
        // SM4 needs another number, which this vendor's device does not have.
        let sm4 =
            token.generate_secret(&named("seal"), SecretType::Sm4, KeyUse::Encrypt, Export::Never);
        assert!(matches!(sm4, Err(Error::Device { .. })), "{sm4:?}");
    });
}

/// Messages longer than what a device takes in one call, which refuses them: they go in pieces.
#[test]
fn long_messages_go_in_frames() {
    as_persona("long_messages_go_in_frames", "tass", |_| {
        let (token, _) = device();
        let value = [5; 16];
        let key =
            token.import_secret(&named("k"), SecretType::Sm4, KeyUse::Encrypt, &value).unwrap();
        let iv = &[1; 16];
        for len in [8192, 8208, 16384, 50_000_usize.next_multiple_of(16)] {
            let message: Vec<u8> = (0..len).map(|n| (n % 251) as u8).collect();
            assert_eq!(token.sm3(&message).unwrap(), gmkit_sm3::digest(&[&message]));
            let expected = gmkit_sm4::cbc::encrypt(&value, iv, &message);
            let padded = key.encrypt(Mode::CbcPadded { iv }, &message).unwrap();
            assert_eq!(padded, expected);
            assert_eq!(key.encrypt(Mode::Cbc { iv }, &message).unwrap(), expected[..len]);
            assert_eq!(*key.decrypt(Mode::CbcPadded { iv }, &padded).unwrap(), message);
            let blocks = key.encrypt(Mode::Ecb, &message).unwrap();
            assert_eq!(*key.decrypt(Mode::Ecb, &blocks).unwrap(), message);
        }
        let gcm = Mode::Gcm { nonce: &[0; 12], aad: b"" };
        let refused = key.encrypt(gcm, b"m");
        assert!(matches!(refused, Err(Error::Unsupported { .. })), "no number for it: {refused:?}");
        let rejected = key.decrypt(Mode::CbcPadded { iv }, &[0; 32]);
        assert!(
            matches!(&rejected, Err(Error::Key(error)) if matches!(**error, gmkit_keys::Error::Rejected)),
            "{rejected:?}"
        );
    });
}

#[test]
fn keys_wrap_keys() {
    as_persona("keys_wrap_keys", "plain", |_| {
        let (token, _) = device();
        let make = |label, kind, for_what, export| {
            token.generate_secret(&named(label), kind, for_what, export).unwrap()
        };
        let kek = make("kek", SecretType::Sm4, KeyUse::Wrap, Export::Never);
        let travels = make("travels", SecretType::Sm4, KeyUse::Encrypt, Export::Wrapped);
        let stays = make("stays", SecretType::Sm4, KeyUse::Encrypt, Export::Never);
        let wrapped = kek.wrap(&travels).unwrap();
        assert_eq!(wrapped.len(), 24, "RFC 3394");
        let refused = kek.wrap(&stays);
        assert!(matches!(refused, Err(Error::Device { .. })), "{refused:?}");
        let sealed = travels.seal(b"", b"message").unwrap();
        let unwrap = |wrapped: &[u8], label, for_what| {
            kek.unwrap(wrapped, &named(label), SecretType::Sm4, for_what)
        };
        let again = unwrap(&wrapped, "again", KeyUse::Encrypt).unwrap();
        assert_eq!(again.open(b"", &sealed).unwrap(), b"message");
        assert!(kek.wrap(&again).is_err(), "it came to stay");
        let mut forged = wrapped.clone();
        forged[3] ^= 1;
        assert!(unwrap(&forged, "forged", KeyUse::Encrypt).is_err());
        let taken = unwrap(&wrapped, "again", KeyUse::Encrypt);
        assert!(matches!(taken, Err(Error::Ambiguous { .. })), "{taken:?}");

        // A key does one thing: what wraps does not decrypt what it has wrapped, and what seals does
        // not authenticate; and nobody outside knows a key that wraps.
        assert!(kek.decrypt(Mode::Ecb, &wrapped[8..]).is_err());
        assert!(kek.encrypt(Mode::Ecb, &[0; 16]).is_err() && travels.mac(b"m").is_err());
        assert!(travels.wrap(&again).is_err());
        let mac = make("mac", SecretType::Sm4, KeyUse::Authenticate, Export::Never);
        assert_eq!(mac.mac(b"m").unwrap().len(), 16);
        assert!(mac.encrypt(Mode::Ecb, &[0; 16]).is_err());
        for refused in [
            unwrap(&wrapped, "wraps", KeyUse::Wrap),
            token.import_secret(&named("wraps"), SecretType::Sm4, KeyUse::Wrap, &[1; 16]),
            token.import_secret(&named("hmac"), SecretType::HmacSm3, KeyUse::Encrypt, &[1; 16]),
        ] {
            assert!(matches!(refused, Err(Error::Unsupported { .. })), "{refused:?}");
        }

        // AES goes by the standard's numbers.
        let aes = make("aes", SecretType::Aes, KeyUse::Encrypt, Export::Wrapped);
        let mode = Mode::Gcm { nonce: &[1; 12], aad: b"h" };
        let ciphertext = aes.encrypt(mode, b"message").unwrap();
        assert_eq!(*aes.decrypt(mode, &ciphertext).unwrap(), b"message");
        assert!(matches!(aes.seal(b"", b"m"), Err(gmkit_keys::Error::Unsupported { .. })));
        let wrapper = make("wrapper", SecretType::Aes, KeyUse::Wrap, Export::Never);
        let wrapped = wrapper.wrap(&aes).unwrap();
        let twin = wrapper.unwrap(&wrapped, &named("twin"), SecretType::Aes, KeyUse::Encrypt);
        assert_eq!(*twin.unwrap().decrypt(mode, &ciphertext).unwrap(), b"message");

        let nameless = token.generate_secret(
            &KeyName::default(),
            SecretType::Sm4,
            KeyUse::Encrypt,
            Export::Never,
        );
        assert!(matches!(nameless, Err(Error::Uri { .. })), "{nameless:?}");
        assert!(matches!(
            DeviceSecret::open(&token, named("nobody")),
            Err(Error::NotFound { what: "secret key" })
        ));
    });
}

/// Another key under the same name is not this one: what is sealed must not be sealed under it.
#[test]
fn a_secret_key_that_was_replaced_is_not_used() {
    as_persona("a_secret_key_that_was_replaced_is_not_used", "plain", |_| {
        let (token, _) = device();
        for (kind, for_what) in
            [(SecretType::Sm4, KeyUse::Encrypt), (SecretType::HmacSm3, KeyUse::Authenticate)]
        {
            let make = || token.generate_secret(&named("k"), kind, for_what, Export::Never);
            let key = make().unwrap();
            let works = |key: &DeviceSecret| match kind {
                SecretType::Sm4 => key.seal(b"", b"m").map(|_| ()),
                _ => key.start_mac().and_then(|mac| mac.finish()).map(|_| ()),
            };
            works(&key).unwrap();
            assert_eq!(token.delete(&named("k"), None).unwrap(), 1);
            let other = make().unwrap();
            let refused = works(&key);
            assert!(matches!(refused, Err(gmkit_keys::Error::Uri { .. })), "{refused:?}");
            works(&other).unwrap();
            assert_eq!(token.delete(&named("k"), None).unwrap(), 1);
        }
    });
}

/// What is sealed can be opened, up to the last byte of the limit.
#[test]
fn the_longest_message() {
    as_persona("the_longest_message", "plain", |_| {
        let (token, _) = device();
        let key = named("k");
        let key = token.generate_secret(&key, SecretType::Sm4, KeyUse::Encrypt, Export::Never);
        let (key, mut message) = (key.unwrap(), vec![7; 64 << 20]);
        let sealed = key.seal(b"", &message).unwrap();
        assert!(key.open(b"", &sealed).unwrap() == message);
        message.push(7);
        assert!(matches!(key.seal(b"", &message), Err(gmkit_keys::Error::MessageTooLong)));
        let longer = [&sealed[..], &[0]].concat();
        assert!(matches!(key.open(b"", &longer), Err(gmkit_keys::Error::MessageTooLong)));
    });
}

/// By URI, as a service opens it; a key for something else is refused in words.
#[test]
fn a_secret_key_by_uri() {
    as_persona("a_secret_key_by_uri", "plain", |_| {
        let (token, _) = device();
        token
            .generate_secret(&named("seal"), SecretType::Sm4, KeyUse::Encrypt, Export::Never)
            .unwrap();
        token
            .generate_secret(
                &named("mac"),
                SecretType::HmacSm3,
                KeyUse::Authenticate,
                Export::Never,
            )
            .unwrap();
        let open = |label: &str, for_what| {
            let uri = format!("pkcs11:token=lab;object={label}");
            let uri = KeyUri::parse(&uri, Origin::Operator).unwrap();
            Opener::new().open_secret(&uri, for_what, &right_pin)
        };
        let seal = open("seal", SecretUse::Seal).unwrap();
        assert_eq!(seal.open(b"", &seal.seal(b"", b"m").unwrap()).unwrap(), b"m");
        let mac = open("mac", SecretUse::Mac).unwrap();
        assert_eq!(mac.start_mac().unwrap().finish().unwrap().len(), 32);
        for (label, for_what) in [("mac", SecretUse::Seal), ("seal", SecretUse::Mac)] {
            let refused = open(label, for_what).unwrap_err();
            assert!(matches!(refused, gmkit_keys::Error::Unsupported { .. }), "{refused}");
        }
        assert!(matches!(open("nobody", SecretUse::Mac), Err(gmkit_keys::Error::Uri { .. })));
    });
}

#[test]
fn random_bytes_of_the_device() {
    as_persona("random_bytes_of_the_device", "ep11", |_| {
        let (token, _) = device();
        let (mut one, mut two) = ([0; 40], [0; 40]);
        token.random(&mut one).unwrap();
        token.random(&mut two).unwrap();
        assert_ne!(one, two);
        token.random(&mut []).unwrap();
        assert_eq!(token.sm3(b"abc").unwrap(), gmkit_sm3::digest(&[b"abc"]));
    });
}

/// What the test of a device is expected to find, by persona: mechanism, and a part of its line.
fn expected(persona: &str) -> &'static [(&'static str, u64, &'static str)] {
    match persona {
        "plain" => &[
            ("SM2 sign e", 0x8047_4d10, "works: r ‖ s"),
            ("SM2 sign message", 0x8047_4d11, "Z inside, for the default ID; r ‖ s"),
            ("SM2 encrypt", 0x8047_4d21, "gives DER"),
            ("SM4-GCM", 0x8047_4d45, "works"),
            ("SM4 MAC", 0x8047_4d46, "CMAC, 16 bytes"),
            ("SM4 key wrap", 0x8047_4d47, "RFC 3394"),
            ("AES-ECB", 0x1081, "works"),
        ],
        "sansec" => &[
            ("SM2 sign e", 0x8000_8104, "DER without the zero bytes"),
            ("SM2 sign e", 0x8000_8105, "works: r ‖ s"),
            ("SM2 sign message", 0x8000_8100, "without Z; r ‖ s"),
            ("SM2 sign message", 0x8000_8101, "absent"),
            ("SM2 sign message", 0x8000_8103, "Z inside, for the default ID; DER without"),
            ("SM2 decrypt", 0x8000_8200, "takes C1 ‖ C3 ‖ C2 without 04"),
            ("SM2 encrypt", 0x8000_8200, "gives C1 ‖ C3 ‖ C2 without 04"),
            ("SM4-CBC", 0x8000_0109, "works"),
            ("SM4-CBC padded", 0x8000_a102, "absent"),
        ],
        "tass" => &[
            ("SM2 key pair", 0x8000_8001, "EC_POINT is X ‖ Y"),
            ("SM2 sign e", 0x8000_8000, "works: DER"),
            ("SM2 decrypt", 0x8000_8200, "takes 04 ‖ C1 ‖ C2 ‖ C3"),
            ("SM4 MAC", 0x8000_010a, "CMAC"),
        ],
        "koal-with-z" => &[
            ("SM2 sign e", 0x8000_8104, "absent"),
            ("SM2 sign message", 0x8000_8100, "Z inside"),
            ("SM4-GCM", 0x8000_010f, "works"),
        ],
        "luna" => &[
            ("SM2 sign message", 0x8000_0b22, "without Z"),
            ("HMAC-SM3", 0x8000_0b02, "works"),
            ("SM4 key", 0x8000_0b10, "absent"),
        ],
        "ep11" => {
            &[("SM3", 0x8005_000e, "works"), ("SM2 encrypt", 0x8005_000d, "04 ‖ C1 ‖ C3 ‖ C2")]
        }
        "westone" => &[
            ("SM2 key pair", 0x8000_0003, "EC_POINT is 04 ‖ X ‖ Y"),
            ("SM2 decrypt", 0x8000_0004, "fails: CKR_MECHANISM_INVALID"),
        ],
        "broken" => &[
            ("SM2 sign e", 0x8000_8104, "WRONG: the signature does not verify"),
            ("SHA-256", 0x250, "works"),
        ],
        other => panic!("{other}"),
    }
}

#[test]
#[ignore = "a part of the_test_of_a_device"]
fn test_of_one_persona() {
    let Ok(persona) = env::var("GMKIT_LAB_PERSONA") else { return };
    let (token, _) = device();
    let before = token.keys().unwrap();
    let findings = token.conformance(std::time::Duration::ZERO).unwrap();
    assert_eq!(token.keys().unwrap(), before, "nothing is left on the token");
    let line = |finding: &Finding| {
        format!("{:#x} {} {}", finding.mechanism, finding.what, finding.outcome)
    };
    let all: Vec<_> = findings.iter().map(line).collect();
    for (what, mechanism, part) in expected(&persona) {
        let of = |finding: &&Finding| finding.what == *what && finding.mechanism == *mechanism;
        let found = findings.iter().find(of).unwrap_or_else(|| panic!("{what}: {all:#?}"));
        assert!(found.outcome.to_string().contains(part), "{part}: {all:#?}");
        let works = matches!(found.outcome, Outcome::Works { .. });
        assert_eq!(found.per_second.is_some(), works);
    }
    let wrong = findings.iter().filter(|f| matches!(f.outcome, Outcome::Wrong { .. })).count();
    assert_eq!(wrong, usize::from(persona == "broken"), "{all:#?}");
}

#[test]
fn the_test_of_a_device() {
    for persona in ["plain", "sansec", "tass", "koal-with-z", "luna", "ep11", "westone", "broken"] {
        as_persona("test_of_one_persona", persona, |_| unreachable!("the child runs the other"));
    }
}
