//! What is not a certificate.

use gmkit_keys::SoftwareKey;
use rcgen::{CustomExtension, DnType};

use super::{Careless, params};
use crate::{Certificate, Error, Profile, Purpose, Untrusted, parts, signed};

/// The members of a TBSCertificate, changed, and signed again.
fn altered(root: &Careless, change: impl FnOnce(&mut Vec<Vec<u8>>)) -> Result<Certificate, Error> {
    let tbs = root.tbs(params(Profile::Sign), &SoftwareKey::generate().unwrap());
    let mut members: Vec<Vec<u8>> =
        parts::members(&tbs).unwrap().iter().map(|part| part.to_vec()).collect();
    change(&mut members);
    let members: Vec<&[u8]> = members.iter().map(Vec::as_slice).collect();
    Certificate::from_der(&root.sign(&parts::sequence(&members)))
}

fn malformed(result: Result<Certificate, Error>, wanted: &str) {
    match result {
        Err(Error::Malformed { reason, .. }) => assert_eq!(reason, wanted),
        other => panic!("{wanted}: {other:?}"),
    }
}

#[test]
fn what_is_not_der_or_not_a_certificate() {
    let root = Careless::new("CN=root");
    assert!(altered(&root, |_| {}).is_ok());
    // A length in two bytes where one is enough: validity has 30 bytes of content.
    malformed(
        altered(&root, |m| {
            m[4].splice(1..2, [0x81, 30]);
        }),
        "a length that is not DER's",
    );
    malformed(
        altered(&root, |m| {
            m[1] = [&[2, 17, 0], &m[1][2..]].concat();
        }),
        "an integer that is not minimal",
    );
    malformed(
        altered(&root, |m| m[1] = vec![2, 2, 0x80, 1]),
        "a serial number that is negative or longer than 20 bytes",
    );
    malformed(
        altered(&root, |m| {
            m.remove(0);
        }),
        "not of version 3",
    );
    malformed(altered(&root, |m| m[0] = vec![0xa0, 3, 2, 1, 1]), "not of version 3");
    malformed(
        altered(&root, |m| m[2] = signed::ALGORITHM_NULL.to_vec()),
        "the signature's algorithm is another one inside",
    );
    malformed(
        altered(&root, |m| {
            m.truncate(5);
        }),
        "not the fields of a certificate",
    );
    // ecPublicKey with a SEQUENCE where the curve's name should be.
    let explicit =
        parts::sequence(&[&[6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1], &[0x30, 3, 2, 1, 1]]);
    malformed(
        altered(&root, |m| m[6] = parts::sequence(&[&explicit, &[3, 2, 0, 4]])),
        "a curve that is not given by its name",
    );
    // A point that is not on the curve.
    malformed(
        altered(&root, |m| {
            *m[6].last_mut().unwrap() ^= 1;
        }),
        "a point that is not on the curve",
    );
    let good = altered(&root, |_| {}).unwrap();
    for len in 0..good.as_der().len() {
        assert!(Certificate::from_der(&good.as_der()[..len]).is_err());
    }
    let longer = [good.as_der(), &[0]].concat();
    assert!(Certificate::from_der(&longer).is_err());
}

#[test]
fn names_and_extensions() {
    let root = Careless::new("CN=root");
    let issue = |params| {
        Certificate::from_der(&root.sign(&root.tbs(params, &SoftwareKey::generate().unwrap())))
    };
    let mut nul = params(Profile::Sign);
    nul.distinguished_name.push(DnType::CommonName, "bank.example\0.evil.example");
    malformed(issue(nul), "a control character in a name");
    let mut nul = params(Profile::TlsServer);
    let name = rcgen::string::Ia5String::try_from("bank.example\0.evil.example").unwrap();
    nul.subject_alt_names = vec![rcgen::SanType::DnsName(name)];
    malformed(issue(nul), "an alternative name with a character that has no place there");

    let custom = |oid: &[u64], critical| {
        let mut extension = CustomExtension::from_oid_content(oid, vec![5, 0]);
        extension.set_criticality(critical);
        extension
    };
    let mut twice = params(Profile::Sign);
    twice.custom_extensions = vec![custom(&[1, 2, 3, 4], false), custom(&[1, 2, 3, 4], false)];
    malformed(issue(twice), "an extension that is there twice");
    let mut twice = params(Profile::Sign);
    twice.custom_extensions =
        vec![CustomExtension::from_oid_content(&[2, 5, 29, 15], vec![3, 2, 7, 0x80])];
    malformed(issue(twice), "an extension that is there twice");
    // extKeyUsage, as BER would have it: a length of two bytes.
    let mut ber = params(Profile::Sign);
    let purposes = vec![0x30, 0x81, 10, 6, 8, 0x2b, 6, 1, 5, 5, 7, 3, 1];
    ber.custom_extensions = vec![CustomExtension::from_oid_content(&[2, 5, 29, 37], purposes)];
    assert!(matches!(issue(ber), Err(Error::Malformed { .. })));

    let mut unknown = params(Profile::Sign);
    unknown.custom_extensions = vec![custom(&[1, 2, 3, 4], false)];
    assert!(root.verifier(Purpose::Sign).verify(&issue(unknown.clone()).unwrap()).is_ok());
    unknown.custom_extensions = vec![custom(&[1, 2, 3, 4], true)];
    let reason = root.verifier(Purpose::Sign).verify(&issue(unknown).unwrap()).unwrap_err();
    assert!(
        matches!(&reason, Untrusted::CriticalExtension { oid, .. } if oid == "1.2.3.4"),
        "{reason}"
    );
}

#[test]
fn names_that_look_like_others() {
    let root = Careless::new("CN=root");
    let mut odd = params(Profile::TlsServer);
    let uri = rcgen::string::Ia5String::try_from("https://x.example/, DNS:bank.example").unwrap();
    odd.subject_alt_names = vec![rcgen::SanType::URI(uri)];
    odd.distinguished_name.push(DnType::CommonName, "a, O=Bank\u{202e}elpmaxe");
    let odd = root.issue(odd).0;
    let shown = odd.extensions().subject_alt_names[0].to_string();
    assert_eq!(shown, "URI:https://x.example/\\, DNS:bank.example");
    assert_eq!(odd.subject().to_string(), "CN=a\\, O\\=Bank\\e2\\80\\aeelpmaxe, C=CN");
}
