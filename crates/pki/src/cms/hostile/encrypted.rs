//! Encrypted messages that must not be decrypted, or in forms that others write.

use gmkit_keys::SysRng;
use gmkit_sm2::PublicKey;

use super::*;
use crate::cms::{
    ContentReader, EncryptedReader, Encrypting, EntityId, Kind, Recipient, content_cipher::Mode,
    kind::write_algorithm,
};

fn encrypt(recipient: Recipient, authenticated: bool) -> Vec<u8> {
    let mut encrypting = Encrypting::new(Dialect::Rfc5652).with_recipient(recipient);
    if !authenticated {
        encrypting = encrypting.without_authentication();
    }
    let mut writer = encrypting.to(Vec::new()).unwrap();
    writer.update(CONTENT).unwrap();
    writer.finish().unwrap()
}

fn content(mut reader: ContentReader<&[u8]>) -> Result<Vec<u8>, Error> {
    let (mut content, mut buffer) = (Vec::new(), [0; 40]);
    loop {
        match reader.read_unverified(&mut buffer)? {
            0 => break,
            n => content.extend_from_slice(&buffer[..n]),
        }
    }
    let opened = reader.finish()?;
    content.extend_from_slice(&opened.rest);
    Ok(content)
}

fn decrypt(message: &[u8], key: &SoftwareKey) -> Result<Vec<u8>, Error> {
    content(EncryptedReader::new(message)?.open(key, None)?)
}

#[test]
fn no_changed_bit_changes_the_content() {
    let bob = SoftwareKey::generate().unwrap();
    let message = encrypt(Recipient::key(bob.public_key()), true);
    assert_eq!(decrypt(&message, &bob).unwrap(), CONTENT);
    let mut refused = 0;
    for bit in 0..message.len() * 8 {
        let mut changed = message.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        match decrypt(&changed, &bob) {
            // Version numbers, and who it says to be for.
            Ok(content) => assert_eq!(content, CONTENT, "bit {bit}"),
            Err(Error::NotDecrypted | Error::Malformed { .. }) => refused += 1,
            Err(error) => panic!("bit {bit}: {error:?}"),
        }
    }
    assert!(refused > message.len() * 6, "{refused}");
    for len in 0..message.len() {
        assert!(decrypt(&message[..len], &bob).is_err(), "{len}");
    }
}

#[test]
fn content_that_was_not_read() {
    let bob = SoftwareKey::generate().unwrap();
    let message = encrypt(Recipient::key(bob.public_key()), true);
    let reader = EncryptedReader::new(&message[..]).unwrap().open(&bob, None).unwrap();
    assert!(matches!(reader.finish(), Err(Error::Request { .. })));
}

#[test]
fn one_verdict_for_all_that_is_secret() {
    let (bob, eve) = (SoftwareKey::generate().unwrap(), SoftwareKey::generate().unwrap());
    let mut verdicts = Vec::new();
    for authenticated in [true, false] {
        let message = encrypt(Recipient::key(bob.public_key()), authenticated);
        verdicts.push(decrypt(&message, &eve).unwrap_err().to_string());
        // The tag; the padding, by the last byte of the block before it.
        let at = if authenticated { message.len() - 1 } else { message.len() - 17 };
        let mut changed = message.clone();
        changed[at] ^= 1;
        verdicts.push(decrypt(&changed, &bob).unwrap_err().to_string());
    }
    // A key of another length, encrypted to Bob.
    let cbc = encrypt(Recipient::key(bob.public_key()), false);
    let odd = with_recipient(&cbc, bob.public_key(), &[7; 15], Key::Der);
    verdicts.push(decrypt(&odd, &bob).unwrap_err().to_string());
    verdicts.dedup();
    assert_eq!(verdicts.len(), 1, "{verdicts:?}");
}

/// How the key of a content is written.
#[derive(Clone, Copy, Debug)]
enum Key {
    Der,
    C1c3c2,
    C1c3c2WithoutPrefix,
    C1c2c3,
    C1c2c3WithoutPrefix,
}

/// The message with another recipient info: this key, encrypted to somebody.
fn with_recipient(message: &[u8], to: &PublicKey, key: &[u8], form: Key) -> Vec<u8> {
    let ciphertext = to.encrypt(&mut SysRng, key).unwrap();
    let encrypted = match form {
        Key::Der => ciphertext.to_der().unwrap(),
        Key::C1c3c2 => ciphertext.to_c1c3c2(),
        Key::C1c3c2WithoutPrefix => ciphertext.to_c1c3c2()[1..].to_vec(),
        Key::C1c2c3 => ciphertext.to_c1c2c3(),
        Key::C1c2c3WithoutPrefix => ciphertext.to_c1c2c3()[1..].to_vec(),
    };
    let algorithm = write_algorithm(oid("1.2.156.10197.1.301"), &[5, 0]);
    let info = parts::sequence(&[
        &[2, 1, 2],
        &EntityId::KeyId(vec![9; 20]).write(),
        &algorithm,
        &octet_string(&encrypted),
    ]);
    with_recipients(message, &[info])
}

fn with_recipients(message: &[u8], infos: &[Vec<u8>]) -> Vec<u8> {
    let outer = owned(message);
    let mut data = owned(&owned(&outer[1])[0]);
    data[1] = frame::wrap(SET, &[&infos.concat()]);
    let data = parts::sequence(&[&data.concat()]);
    parts::sequence(&[&outer[0], &frame::wrap(context(0), &[&data])])
}

fn oid(text: &str) -> der::asn1::ObjectIdentifier {
    der::asn1::ObjectIdentifier::new_unwrap(text)
}

/// A message under a key that is known here.
fn under(key: [u8; 16], mode: &Mode, kind: Kind) -> Vec<u8> {
    let mut ciphertext = Vec::new();
    let mut cipher = mode.encryptor(&key.into()).unwrap();
    cipher.update(CONTENT, &mut ciphertext).unwrap();
    let tag = cipher.finish(&mut ciphertext).unwrap();
    let content = parts::sequence(&[
        &data_oid(Dialect::Rfc5652),
        &mode.write(),
        &frame::wrap(0x80, &[&ciphertext]),
    ]);
    let tag = tag.map(|tag| match mode {
        Mode::Gcm { tag_len, .. } => octet_string(&tag[..*tag_len]),
        Mode::Cbc { .. } => unreachable!(),
    });
    let data = parts::sequence(&[&[2, 1, 0], &[SET, 0], &content, &tag.unwrap_or_default()]);
    parts::sequence(&[&Dialect::Rfc5652.oid(kind), &frame::wrap(context(0), &[&data])])
}

#[test]
fn keys_as_others_write_them() {
    let bob = SoftwareKey::generate().unwrap();
    let key = [3; 16];
    let message = under(key, &Mode::Cbc { iv: [5; 16] }, Kind::EnvelopedData);
    for form in
        [Key::Der, Key::C1c3c2, Key::C1c3c2WithoutPrefix, Key::C1c2c3, Key::C1c2c3WithoutPrefix]
    {
        let message = with_recipient(&message, bob.public_key(), &key, form);
        assert_eq!(decrypt(&message, &bob).unwrap(), CONTENT, "{form:?}");
    }
}

#[test]
fn tags_have_the_length_that_is_said() {
    let bob = SoftwareKey::generate().unwrap();
    let key = [3; 16];
    for tag_len in [11, 12, 13, 16, 17] {
        let mode = Mode::Gcm { nonce: vec![1; 12], tag_len: tag_len.min(16) };
        let message = under(key, &mode, Kind::AuthEnvelopedData);
        let mut message = with_recipient(&message, bob.public_key(), &key, Key::Der);
        if tag_len == 17 || tag_len == 11 {
            // Says another length than there is.
            let said = message.windows(3).rposition(|bytes| bytes == [2, 1, tag_len.min(16) as u8]);
            message[said.unwrap() + 2] = 14;
        }
        let decrypted = decrypt(&message, &bob);
        match tag_len {
            12 | 13 | 16 => assert_eq!(decrypted.unwrap(), CONTENT),
            _ => assert!(decrypted.is_err(), "{tag_len}"),
        }
    }
}

#[test]
fn a_protected_message_is_not_taken_for_another() {
    let bob = SoftwareKey::generate().unwrap();
    let message = encrypt(Recipient::key(bob.public_key()), true);
    let outer = owned(&message);
    let data = owned(&owned(&outer[1])[0]);
    // Without its tag, under the name of the unprotected kind.
    let stripped = parts::sequence(&[&data[..3].concat()]);
    let message = parts::sequence(&[
        &Dialect::Rfc5652.oid(Kind::EnvelopedData),
        &frame::wrap(context(0), &[&stripped]),
    ]);
    assert!(matches!(decrypt(&message, &bob), Err(Error::Malformed { .. })));
}

#[test]
fn recipients() {
    let world = World::new();
    let (bob, carol) =
        (world.person("CN=Bob", Profile::Encrypt), world.person("CN=Carol", Profile::Encrypt));
    assert!(matches!(
        Recipient::certificate(&world.signer("CN=Alice").certificate),
        Err(Error::Untrusted(_))
    ));
    let encrypting = Encrypting::new(Dialect::Gmt0010)
        .with_recipient(Recipient::certificate(&bob.certificate).unwrap())
        .with_recipient(Recipient::certificate(&carol.certificate).unwrap())
        .without_authentication();
    let mut writer = encrypting.to(Vec::new()).unwrap();
    writer.update(CONTENT).unwrap();
    let message = writer.finish().unwrap();
    let read = || EncryptedReader::new(&message[..]).unwrap();
    assert_eq!(read().recipients().len(), 2);
    assert!(!read().is_authenticated());
    for person in [&bob, &carol] {
        assert_eq!(decrypt(&message, &person.key).unwrap(), CONTENT);
        let opened = read().open(&*person.key, Some(&person.certificate)).unwrap();
        assert_eq!(content(opened).unwrap(), CONTENT);
    }
    // Bob's key is not behind Carol's name, and nobody's behind a stranger's.
    assert!(matches!(read().open(&*bob.key, Some(&carol.certificate)), Err(Error::NotDecrypted)));
    // Recipients of other kinds are passed over; too many are not read.
    let infos = owned(&owned(&owned(&owned(&message)[1])[0])[1]);
    let other = frame::wrap(context(2), &[&[5, 0]]);
    let mixed = with_recipients(&message, &[other.clone(), infos[0].clone(), infos[1].clone()]);
    assert_eq!(decrypt(&mixed, &bob.key).unwrap(), CONTENT);
    assert_eq!(EncryptedReader::new(&mixed[..]).unwrap().other_recipients(), 1);
    let many = with_recipients(&message, &vec![other; 1025]);
    assert!(matches!(EncryptedReader::new(&many[..]), Err(Error::Malformed { .. })));
    assert!(Encrypting::new(Dialect::Rfc5652).to(Vec::new()).is_err(), "nobody could read it");
    assert!(
        Encrypting::new(Dialect::Gmt0010)
            .with_recipient(Recipient::key(bob.key.public_key()))
            .to(Vec::new())
            .is_err()
    );
}

#[test]
fn content_of_every_size_said_or_not() {
    let bob = SoftwareKey::generate().unwrap();
    for (len, authenticated) in [0, 1, 15, 16, 17, 70_000, 8 << 20, (8 << 20) + 1]
        .into_iter()
        .flat_map(|len| [(len, true), (len, false)])
    {
        let content: Vec<u8> = (0..len).map(|i: u32| (i % 251) as u8).collect();
        for said in [Some(u64::from(len)), None] {
            let mut encrypting =
                Encrypting::new(Dialect::Rfc5652).with_recipient(Recipient::key(bob.public_key()));
            if !authenticated {
                encrypting = encrypting.without_authentication();
            }
            if let Some(len) = said {
                encrypting = encrypting.with_len(len);
            }
            let mut writer = encrypting.to(Vec::new()).unwrap();
            content.chunks(100_003).for_each(|piece| writer.update(piece).unwrap());
            let message = writer.finish().unwrap();
            assert_eq!(message[1] != 0x80, said.is_some() || message.len() < (8 << 20) + 512);
            assert!(decrypt(&message, &bob).unwrap() == content, "{len} {said:?}");
        }
    }
    for (said, given) in [(10, 11), (10, 9), (0, 1), (u64::MAX, 0)] {
        let encrypting =
            Encrypting::new(Dialect::Rfc5652).with_recipient(Recipient::key(bob.public_key()));
        let writer = encrypting.with_len(said).to(Vec::new());
        let written = writer.and_then(|mut writer| {
            writer.update(&vec![0; given])?;
            writer.finish()
        });
        assert!(matches!(written, Err(Error::Request { .. })), "{said} {given}");
    }
}

/// SignedAndEnvelopedData as gmsm writes it: the signature is over SM3(Z ‖ content).
fn signed_and_enveloped(alice: &Person, bob: &Person, signed: &[u8]) -> Vec<u8> {
    let key = [3; 16];
    let enveloped = under(key, &Mode::Cbc { iv: [5; 16] }, Kind::EnvelopedData);
    let enveloped = with_recipient(&enveloped, bob.key.public_key(), &key, Key::Der);
    let data = owned(&owned(&owned(&enveloped)[1])[0]);
    let mut signer = Draft::of(&attached(alice)).signers.remove(0);
    signer.attributes = None;
    let signature = alice.key.sign(Id::DEFAULT, signed).unwrap();
    signer.signature = signature.to_der().as_bytes().to_vec();
    let data = parts::sequence(&[
        VERSION_1,
        &data[1],
        &digest_algorithms(),
        &data[2],
        &frame::wrap(context(0), &[alice.certificate.as_der()]),
        &frame::wrap(SET, &[&signer.write()]),
    ]);
    let oid = Dialect::Gmt0010.oid(Kind::SignedAndEnvelopedData);
    parts::sequence(&[&oid, &frame::wrap(context(0), &[&data])])
}

#[test]
fn signed_and_enveloped_in_one() {
    let world = World::new();
    let (alice, bob) = (world.signer("CN=Alice"), world.person("CN=Bob", Profile::Encrypt));
    for (signed, good) in [(CONTENT, true), (&b"something else"[..], false)] {
        let message = signed_and_enveloped(&alice, &bob, signed);
        assert!(SignedReader::new(&message[..]).is_err());
        let open = |signers: &[PublicKey]| {
            let reader = EncryptedReader::new(&message[..]).unwrap();
            let mut reader = reader.open_with_keys(&*bob.key, None, signers, Id::DEFAULT).unwrap();
            while reader.read_unverified(&mut [0; 64]).unwrap() > 0 {}
            reader.finish().unwrap().signed.unwrap()
        };
        let (read, digest) = open(&[]);
        let policy = world.policy();
        assert!(read.verify(&digest, &policy).must_read_again());
        let (read, digest) = open(&read.keys_without_attributes(&policy));
        assert_eq!(read.verify(&digest, &policy).is_good(), good);
    }
}
