//! Keys in the software token, in the lab's disguises of it: each vendor's numbers, encodings and
//! habits, and a device that goes away and comes back.

mod support;

use std::{
    env, fs, thread,
    time::{Duration, Instant},
};

use gmkit_hsm::{Checks, DeviceKey, Error, KeyName, Opener, SharedKey, Uri};
use gmkit_keys::{Passphrase, PrivateKey, SysRng};
use gmkit_sm2::{Id, PublicKey, SecretKey, rand_core::UnwrapErr};
use support::{as_persona, device, module, name, right_pin, uri};

/// What a persona is expected to do.
struct Expected {
    profile: &'static str,
    signs_by: &'static str,
    any_id: bool,
    decrypts: bool,
}

fn expected(persona: &str) -> Expected {
    let (profile, signs_by, any_id, decrypts) = match persona {
        "sansec" => ("sansec", "0x80008104 over e", true, true),
        "sansec-without-e" => ("sansec", "0x80008101 over Z and the message", true, true),
        "tass" => ("tass", "0x80008000 over e", true, true),
        "koal-with-z" => ("koal", "0x80008100 over the message, default ID only", false, true),
        "luna" => ("luna", "0x80000b21 over e", true, false),
        "ep11" => ("ep11", "0x8005000b over e", true, true),
        "westone" => ("westone", "0x80000004 over e", true, false),
        "plain" => ("gmkit", "0x80474d10 over e", true, true),
        other => panic!("{other}"),
    };
    Expected { profile, signs_by, any_id, decrypts }
}

#[test]
#[ignore = "a part of every_persona_signs_and_decrypts"]
fn one_persona() {
    let Ok(persona) = env::var("GMKIT_LAB_PERSONA") else { return };
    let expected = expected(&persona);
    let (token, public) = device();
    assert_eq!(token.module().profile().name, expected.profile);
    let key = DeviceKey::open(&token, name()).unwrap();
    assert_eq!(*key.public_key(), public);
    assert_eq!(key.signs_by(), expected.signs_by);
    assert_eq!(key.as_sign_e().is_some(), expected.signs_by.ends_with("over e"));

    // Often, so that integers of every length come up, with and without a high bit.
    for n in 0..40_u8 {
        let message = vec![n; usize::from(n) * 100];
        let signature = key.sign(Id::DEFAULT, &message).unwrap();
        public.verify(Id::DEFAULT, &message, &signature).unwrap();
        assert!(public.verify(Id::DEFAULT, b"another", &signature).is_err());
    }
    let alice = Id::new(b"Alice").unwrap();
    match key.sign(alice, b"m") {
        Ok(signature) if expected.any_id => public.verify(alice, b"m", &signature).unwrap(),
        Err(gmkit_keys::Error::Unsupported { .. }) if !expected.any_id => {}
        other => panic!("{persona}: {other:?}"),
    }
    let ciphertext = public.encrypt(&mut UnwrapErr(SysRng), b"to the device").unwrap();
    match key.decrypt(&ciphertext) {
        Ok(opened) if expected.decrypts => assert_eq!(*opened, b"to the device"),
        Err(_) if !expected.decrypts => {}
        other => panic!("{persona}: {other:?}"),
    }
    if expected.decrypts {
        let mut twin = ciphertext.to_c1c3c2();
        *twin.last_mut().unwrap() ^= 1;
        let twin = gmkit_sm2::Ciphertext::from_c1c3c2(&twin).unwrap();
        assert!(matches!(key.decrypt(&twin), Err(gmkit_keys::Error::Rejected)));
    }
}

#[test]
fn every_persona_signs_and_decrypts() {
    for persona in
        ["plain", "sansec", "sansec-without-e", "tass", "koal-with-z", "luna", "ep11", "westone"]
    {
        as_persona("one_persona", persona, |_| unreachable!("the child runs one_persona"));
    }
}

/// `cargo xtask cross` looks for the mark in what is released.
#[test]
fn the_lab_build_bears_its_mark() {
    let bytes = fs::read(module()).unwrap();
    let mark = b"gmkit token lab build";
    assert!(bytes.windows(mark.len()).any(|window| window == mark));
}

#[test]
fn a_device_that_signs_wrongly_is_found_out() {
    as_persona("a_device_that_signs_wrongly_is_found_out", "broken", |_| {
        let (token, _) = device();
        let opened = DeviceKey::open(&token, name());
        assert!(matches!(opened, Err(Error::NothingVerifies)), "{opened:?}");
    });
}

#[test]
fn a_device_that_goes_and_comes_back() {
    as_persona("a_device_that_goes_and_comes_back", "sansec", |lab| {
        let (token, public) = device();
        let key = DeviceKey::open(&token, name()).unwrap();
        let sign = || key.sign(Id::DEFAULT, b"m");
        for (fault, code) in [("removed", "CKR_DEVICE_REMOVED"), ("broken", "CKR_DEVICE_ERROR")] {
            for _ in 0..3 {
                public.verify(Id::DEFAULT, b"m", &sign().unwrap()).unwrap();
                fs::write(lab.join("faults"), fault).unwrap();
                for _ in 0..2 {
                    assert!(sign().unwrap_err().to_string().contains(code));
                }
                fs::write(lab.join("faults"), "").unwrap();
            }
        }
        public.verify(Id::DEFAULT, b"m", &sign().unwrap()).unwrap();
    });
}

#[test]
fn many_threads_and_a_device_that_comes_and_goes() {
    as_persona("many_threads_and_a_device_that_comes_and_goes", "tass", |lab| {
        let (token, public) = device();
        let key = DeviceKey::open(&token, name()).unwrap();
        let faults = lab.join("faults");
        let (mut signed, mut refused) = (0, 0);
        thread::scope(|scope| {
            let signers: Vec<_> = (0..8)
                .map(|n: u8| {
                    let key = &key;
                    scope.spawn(move || {
                        let (mut signed, mut refused) = (0, 0);
                        for m in 0..60 {
                            match key.sign(Id::DEFAULT, &[n, m]) {
                                Ok(signature) => {
                                    public.verify(Id::DEFAULT, &[n, m], &signature).unwrap();
                                    signed += 1;
                                }
                                Err(gmkit_keys::Error::Device(_)) => refused += 1,
                                Err(other) => panic!("{other}"),
                            }
                        }
                        (signed, refused)
                    })
                })
                .collect();
            for _ in 0..4 {
                fs::write(&faults, "removed").unwrap();
                thread::sleep(Duration::from_millis(3));
                fs::write(&faults, "").unwrap();
                thread::sleep(Duration::from_millis(400));
            }
            for signer in signers {
                let counts = signer.join().unwrap();
                signed += counts.0;
                refused += counts.1;
            }
        });
        assert_eq!(signed + refused, 8 * 60, "each got an answer");
        assert!(signed > 0);
        // And all is well afterwards.
        public.verify(Id::DEFAULT, b"m", &key.sign(Id::DEFAULT, b"m").unwrap()).unwrap();
    });
}

#[test]
fn a_wrong_pin_is_tried_once() {
    as_persona("a_wrong_pin_is_tried_once", "sansec", |_| {
        let module = Opener::new().module(&Uri::default()).unwrap();
        let pin = right_pin("").unwrap();
        module.init_token(None, "lab", &Passphrase::new("12345678"), &pin).unwrap();
        let uri = uri("pkcs11:token=lab");
        let wrong = |_: &str| Ok(Passphrase::new("11111111"));
        let first = Opener::new().token(&uri, &wrong).unwrap_err();
        assert!(first.to_string().contains("CKR_PIN_INCORRECT"), "{first}");
        for _ in 0..20 {
            let again = Opener::new().token(&uri, &wrong).unwrap_err();
            assert!(matches!(again, Error::PinRefused), "{again}");
        }
        Opener::new().token(&uri, &right_pin).expect("not locked");
    });
}

/// Another process puts another key in the place of this one, under the same name: its signatures
/// are never taken for this one's.
#[test]
fn a_key_that_was_replaced_does_not_sign() {
    as_persona("a_key_that_was_replaced_does_not_sign", "sansec", |_| {
        let (token, public) = device();
        let key = DeviceKey::open(&token, name()).unwrap();
        assert_eq!(token.delete(&name(), None).unwrap(), 2);
        let other = token.generate_sm2(&name()).unwrap();
        assert_ne!(other, public);
        let refused = key.sign(Id::DEFAULT, b"m").unwrap_err();
        assert!(matches!(refused, gmkit_keys::Error::Uri { .. }), "{refused}");
    });
}

/// A device that signed rightly when its key was opened, and does not any more.
#[test]
fn a_wrong_signature_is_never_given_out() {
    as_persona("a_wrong_signature_is_never_given_out", "luna", |lab| {
        let (token, public) = device();
        let key = DeviceKey::open(&token, name()).unwrap();
        public.verify(Id::DEFAULT, b"m", &key.sign(Id::DEFAULT, b"m").unwrap()).unwrap();
        fs::write(lab.join("faults"), "lies").unwrap();
        let refused = key.sign(Id::DEFAULT, b"m").unwrap_err();
        assert!(refused.to_string().contains("no signature of this key verifies"), "{refused}");
        fs::write(lab.join("faults"), "").unwrap();
        public.verify(Id::DEFAULT, b"m", &key.sign(Id::DEFAULT, b"m").unwrap()).unwrap();
    });
}

/// Without the first use nothing is signed until somebody signs, and that is verified.
#[test]
fn a_key_may_be_opened_without_signing() {
    as_persona("a_key_may_be_opened_without_signing", "sansec-without-e", |lab| {
        let (token, public) = device();
        let signed = || token.calls().iter().filter(|call| call.operation == "sign").count();
        let key = DeviceKey::open_with(&token, name(), Checks::AtSigning).unwrap();
        assert_eq!(signed(), 0);
        assert_eq!(key.signs_by(), "0x80008101 over Z and the message");
        public.verify(Id::DEFAULT, b"m", &key.sign(Id::DEFAULT, b"m").unwrap()).unwrap();
        assert_eq!(signed(), 1);
        fs::write(lab.join("faults"), "lies").unwrap();
        assert!(key.sign(Id::DEFAULT, b"m").is_err());
        fs::write(lab.join("faults"), "").unwrap();
        let by_uri = uri("pkcs11:x-checks=signing");
        assert_eq!(by_uri.checks, Some(Checks::AtSigning));
    });
}

/// Whoever believes a device gets what it gives, and nothing is verified but when it is opened.
#[test]
fn a_device_may_be_believed() {
    as_persona("a_device_may_be_believed", "luna", |lab| {
        let (token, public) = device();
        fs::write(lab.join("faults"), "lies").unwrap();
        let opened = DeviceKey::open_with(&token, name(), Checks::AtOpening);
        assert!(matches!(opened, Err(Error::NothingVerifies)), "{opened:?}");
        fs::write(lab.join("faults"), "").unwrap();
        let key = DeviceKey::open_with(&token, name(), Checks::AtOpening).unwrap();
        public.verify(Id::DEFAULT, b"m", &key.sign(Id::DEFAULT, b"m").unwrap()).unwrap();
        fs::write(lab.join("faults"), "lies").unwrap();
        let lie = key.sign(Id::DEFAULT, b"m").unwrap();
        assert!(public.verify(Id::DEFAULT, b"m", &lie).is_err());
    });
}

/// What calls cost, and how they end, can be asked for: by mechanism, with the standard's names.
#[test]
fn calls_are_counted() {
    as_persona("calls_are_counted", "sansec", |lab| {
        let (token, _) = device();
        let key = DeviceKey::open(&token, name()).unwrap();
        for _ in 0..5 {
            key.sign(Id::DEFAULT, b"m").unwrap();
        }
        fs::write(lab.join("faults"), "broken").unwrap();
        assert!(key.sign(Id::DEFAULT, b"m").is_err());
        let calls = token.calls();
        let sign = calls.iter().find(|call| call.operation == "sign").unwrap();
        assert_eq!((sign.mechanism, sign.calls), (0x8000_8104, 7), "first use, 5, and one refused");
        assert_eq!(sign.errors, [("CKR_DEVICE_ERROR".to_owned(), 1)].into());
        assert!(sign.longest >= sign.within(0.5) && sign.total >= sign.longest);
        let told = format!("{calls:?}");
        assert!(!told.contains("87654321"), "{told}");
    });
}

/// Nothing is deleted where the name is not one key's.
#[test]
fn a_name_of_two_deletes_none() {
    as_persona("a_name_of_two_deletes_none", "plain", |_| {
        let (token, _) = device();
        let label = name().label;
        let second = KeyName { label: label.clone(), id: Some(vec![9]) };
        token.generate_sm2(&second).unwrap();
        let by_label = KeyName { label, id: None };
        let refused = token.delete(&by_label, None);
        assert!(matches!(refused, Err(Error::Ambiguous { .. })), "{refused:?}");
        assert_eq!(token.keys().unwrap().len(), 4);
        assert_eq!(token.delete(&second, None).unwrap(), 2);
    });
}

/// A ciphertext that no device takes takes no device out.
#[test]
fn bad_requests_take_no_device_out() {
    as_persona("bad_requests_take_no_device_out", "sansec", |_| {
        let (key, public) = two_devices();
        let good = public.encrypt(&mut UnwrapErr(SysRng), b"to both").unwrap();
        assert_eq!(*key.decrypt(&good).unwrap(), b"to both");
        let mut bad = good.to_c1c3c2();
        *bad.last_mut().unwrap() ^= 1;
        let bad = gmkit_sm2::Ciphertext::from_c1c3c2(&bad).unwrap();
        for _ in 0..10 {
            assert!(matches!(key.decrypt(&bad), Err(gmkit_keys::Error::Rejected)));
        }
        assert_eq!(key.devices(), (2, 2));
        assert_eq!(*key.decrypt(&good).unwrap(), b"to both");
    });
}

/// Many more requests than threads wait for their turn; slow is not gone.
#[test]
fn a_queue_takes_no_device_out() {
    as_persona("a_queue_takes_no_device_out", "sansec", |lab| {
        let (key, _) = two_devices();
        fs::write(lab.join("faults"), "slow").unwrap();
        thread::scope(|scope| {
            for n in 0..60_u8 {
                let key = &key;
                scope.spawn(move || key.sign(Id::DEFAULT, &[n]).unwrap());
            }
        });
        assert_eq!(key.devices(), (2, 2));
    });
}

/// A PIN is asked for once, and an empty one is never sent.
#[test]
fn one_pin_for_all_devices() {
    as_persona("one_pin_for_all_devices", "plain", |_| {
        let (key, _) = two_devices();
        drop(key);
        let asked = std::cell::Cell::new(0);
        let once = |_: &str| {
            asked.set(asked.get() + 1);
            right_pin("")
        };
        Opener::new().tokens(&Uri::default(), &once).unwrap();
        assert_eq!(asked.get(), 1);
    });
}

#[test]
fn an_empty_pin_is_not_sent() {
    as_persona("an_empty_pin_is_not_sent", "sansec", |_| {
        let module = Opener::new().module(&Uri::default()).unwrap();
        let pin = right_pin("").unwrap();
        module.init_token(None, "lab", &Passphrase::new("12345678"), &pin).unwrap();
        let uri = uri("pkcs11:token=lab");
        for _ in 0..20 {
            let refused = Opener::new().token(&uri, &|_: &str| Ok(Passphrase::new("")));
            assert!(matches!(refused, Err(Error::Key(_))), "{refused:?}");
        }
        Opener::new().token(&uri, &right_pin).expect("not locked");
        // The module has one profile in a process.
        let other = Opener::new().with_profile("luna").module(&Uri::default());
        assert!(matches!(other, Err(Error::Profile { .. })), "{other:?}");
    });
}

/// Two tokens that hold the same key, opened as one.
fn two_devices() -> (SharedKey, PublicKey) {
    let module = Opener::new().module(&Uri::default()).unwrap();
    let pin = right_pin("").unwrap();
    let secret = SecretKey::generate(&mut SysRng).unwrap();
    for label in ["one", "two"] {
        module.init_token(None, label, &Passphrase::new("12345678"), &pin).unwrap();
    }
    let tokens = Opener::new().tokens(&uri("pkcs11:x-failover=yes"), &right_pin).unwrap();
    assert_eq!(tokens.len(), 2);
    for token in &tokens {
        token.import_sm2(&name(), &secret).unwrap();
    }
    let key = SharedKey::open(&tokens, &name()).unwrap();
    assert_eq!(key.devices(), (2, 2));
    (key, *secret.public_key())
}

/// The long form is `GMKIT_HSM_SECONDS=120`.
#[test]
fn one_of_two_devices_goes_and_comes_back() {
    as_persona("one_of_two_devices_goes_and_comes_back", "sansec", |lab| {
        let (key, public) = two_devices();
        let seconds = env::var("GMKIT_HSM_SECONDS").map_or(6, |text| text.parse().unwrap());
        let end = Instant::now() + Duration::from_secs(seconds);
        let mut times: Vec<Duration> = thread::scope(|scope| {
            let signers: Vec<_> = (0..8_u8)
                .map(|n| {
                    let key = &key;
                    scope.spawn(move || {
                        let mut times = Vec::new();
                        while Instant::now() < end {
                            let message = [&[n], &times.len().to_be_bytes()[..]].concat();
                            let started = Instant::now();
                            // Not one is lost, as the other device is always there.
                            let signature = key.sign(Id::DEFAULT, &message).unwrap();
                            times.push(started.elapsed());
                            public.verify(Id::DEFAULT, &message, &signature).unwrap();
                        }
                        times
                    })
                })
                .collect();
            let mut away = false;
            while Instant::now() < end {
                away = !away;
                fs::write(lab.join("faults"), if away { "removed 1" } else { "" }).unwrap();
                thread::sleep(Duration::from_secs(1));
            }
            fs::write(lab.join("faults"), "").unwrap();
            signers.into_iter().flat_map(|signer| signer.join().unwrap()).collect()
        });
        times.sort();
        let at = |percent| times[times.len() * percent / 100 - 1];
        println!(
            "{} signatures in {seconds} s; half within {:?}, 99 % within {:?}, all within {:?}",
            times.len(),
            at(50),
            at(99),
            at(100)
        );
        until(|| key.devices() == (2, 2));
    });
}

fn until(done: impl Fn() -> bool) {
    for _ in 0..1200 {
        if done() {
            return;
        }
        thread::sleep(Duration::from_millis(50));
    }
    panic!("not within a minute");
}

#[test]
fn a_call_that_hangs_is_left_behind() {
    as_persona("a_call_that_hangs_is_left_behind", "sansec", |lab| {
        let (key, public) = two_devices();
        let key = key.with_deadline(Duration::from_millis(500)).unwrap();
        fs::write(lab.join("faults"), "hang 0").unwrap();
        let started = Instant::now();
        for n in 0..20_u8 {
            public.verify(Id::DEFAULT, &[n], &key.sign(Id::DEFAULT, &[n]).unwrap()).unwrap();
        }
        assert_eq!(key.devices(), (1, 2));
        assert!(started.elapsed() < Duration::from_secs(7), "one hung call for all of them");
        fs::write(lab.join("faults"), "").unwrap();
        until(|| key.devices() == (2, 2));
    });
}

#[test]
fn when_all_are_gone_that_is_told_and_they_come_back() {
    as_persona("when_all_are_gone_that_is_told_and_they_come_back", "tass", |lab| {
        let (key, public) = two_devices();
        fs::write(lab.join("faults"), "removed").unwrap();
        for _ in 0..3 {
            assert!(matches!(key.sign(Id::DEFAULT, b"m"), Err(gmkit_keys::Error::Device(_))));
        }
        assert_eq!(key.devices(), (0, 2));
        fs::write(lab.join("faults"), "").unwrap();
        until(|| key.devices() == (2, 2));
        public.verify(Id::DEFAULT, b"m", &key.sign(Id::DEFAULT, b"m").unwrap()).unwrap();
    });
}

#[test]
fn devices_with_different_keys_are_not_one() {
    as_persona("devices_with_different_keys_are_not_one", "plain", |_| {
        let module = Opener::new().module(&Uri::default()).unwrap();
        let pin = right_pin("").unwrap();
        for label in ["one", "two"] {
            module.init_token(None, label, &Passphrase::new("12345678"), &pin).unwrap();
        }
        let tokens = Opener::new().tokens(&Uri::default(), &right_pin).unwrap();
        for token in &tokens {
            token.generate_sm2(&name()).unwrap();
        }
        let opened = SharedKey::open(&tokens, &name());
        assert!(matches!(opened, Err(Error::Ambiguous { .. })), "{opened:?}");
        let taken = tokens[0].generate_sm2(&name());
        assert!(matches!(taken, Err(Error::Ambiguous { .. })), "{taken:?}");
    });
}
