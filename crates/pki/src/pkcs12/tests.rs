//! Files that are changed, cut, or not what they say. Those of others are read in the command line's tests.

use std::sync::Arc;

use super::*;
use crate::{Issuer, Profile, subject};

fn file() -> (Vec<u8>, Passphrase, Certificate) {
    let ca_key = Arc::new(SoftwareKey::generate().unwrap());
    let params = Profile::Ca.params(subject("CN=CA").unwrap(), 10).unwrap();
    let ca = Issuer::self_signed(params, ca_key).unwrap();
    let key = SoftwareKey::generate().unwrap();
    let params = Profile::Sign.params(subject("CN=Alice").unwrap(), 5).unwrap();
    let leaf = ca.issue(params, key.public_key()).unwrap();
    let chain = vec![leaf.clone(), ca.certificate().clone()];
    let password = Passphrase::new("密码");
    let made = Pkcs12::new(key, chain).unwrap().named("Alice 爱丽丝");
    (made.write(&password, KeyFormat::OpenSsl4).unwrap(), password, leaf)
}

#[test]
fn read_as_written() {
    let (file, password, leaf) = file();
    let read = Pkcs12::read(&file, &password).unwrap();
    assert_eq!(read.chain().unwrap()[0], &leaf);
    assert_eq!(read.chain().unwrap().len(), 2);
    assert_eq!(read.name(), Some("Alice 爱丽丝"));
    assert_eq!(read.unread_certificates(), 0);
    assert_eq!(read.into_key().unwrap().public_key(), leaf.public_key().unwrap());
    for wrong in ["", "密", "密码 "] {
        let refused = Pkcs12::read(&file, &Passphrase::new(wrong));
        assert!(matches!(refused, Err(Error::Key(gmkit_keys::Error::WrongPassphrase))), "{wrong}");
    }
}

/// Every byte is under the MAC, or is the MAC. Each trial costs a key derivation, so some bytes stand for all.
#[test]
fn changed_or_cut() {
    let (file, password, _) = file();
    for at in (0..file.len()).step_by(211).chain((file.len() - 64..file.len() - 8).step_by(7)) {
        let mut changed = file.clone();
        changed[at] ^= 1;
        assert!(Pkcs12::read(&changed, &password).is_err(), "{at}");
    }
    for len in 0..file.len() {
        assert!(
            matches!(Pkcs12::read(&file[..len], &password), Err(Error::Malformed { .. })),
            "{len}"
        );
    }
}

#[test]
fn work_without_end_is_refused() {
    let (file, password, _) = file();
    let members = parts::members(&file).unwrap();
    let mac = parts::members(members[2]).unwrap();
    let mac = parts::sequence(&[mac[0], mac[1], &[2, 4, 1, 0, 0, 0]]);
    let slow = parts::sequence(&[members[0], members[1], &mac]);
    assert!(matches!(
        Pkcs12::read(&slow, &password),
        Err(Error::Key(gmkit_keys::Error::Encryption(gmkit_keys::EncryptionFault::Iterations(_))))
    ));
}

/// Each key derivation is counted, wherever it hides.
#[test]
fn an_encrypted_key_among_plain_ones() {
    let password = Passphrase::new("x");
    let key = SoftwareKey::generate().unwrap();
    let under_mac = |kind: &[u8], value: &[u8]| {
        let oid = [&[6, 11, 0x2a, 0x86, 0x48, 0x86, 0xf7, 13, 1, 12, 10, 1], kind].concat();
        let bag = parts::sequence(&[&oid, &parts::wrap(0xa0, &[value])]);
        let safe = parts::sequence(&[&bags::write_data(&parts::sequence(&[&bag]))]);
        let mac = mac::make(&safe, &password).unwrap();
        let file = parts::sequence(&[&[2, 1, 3], &bags::write_data(&safe), &mac]);
        Pkcs12::read(&file, &password).map(|read| read.keys().len())
    };
    let plain = pem_rfc7468::decode_vec(key.to_pem().as_bytes()).unwrap().1;
    let encrypted = key.to_encrypted_der(&password, KeyFormat::Compat).unwrap();
    assert_eq!(under_mac(&[1], &plain).unwrap(), 1);
    assert_eq!(under_mac(&[2], &encrypted).unwrap(), 1);
    assert!(matches!(under_mac(&[1], &encrypted), Err(Error::Malformed { .. })));
}

#[test]
fn what_is_not_joined_or_written() {
    let (file, password, leaf) = file();
    let stranger = SoftwareKey::generate().unwrap();
    assert!(Pkcs12::new(stranger, vec![leaf]).is_err());
    assert!(Pkcs12::new(SoftwareKey::generate().unwrap(), Vec::new()).is_err());
    let read = Pkcs12::read(&file, &password).unwrap();
    assert!(matches!(read.write(&password, KeyFormat::GmSsl), Err(Error::Request { .. })));
    // Without its MAC.
    let members = parts::members(&file).unwrap();
    let bare = parts::sequence(&members[..2]);
    assert!(matches!(Pkcs12::read(&bare, &password), Err(Error::Malformed { .. })));
}
