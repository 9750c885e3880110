//! Other people's programs on the token: OpenSC, GnuTLS, OpenSSL's engine, Java.

mod support;

use std::{fs, path::Path};

use cryptoki::object::Attribute;
use gmkit_keys::public_key_to_pem;
use gmkit_sm2::{PublicKey, Signature};
use gmkit_token::codes::{CKM_SM2_KEY_PAIR_GEN, CKM_SM2_SM3, CKM_SM3};
use support::*;

/// A token with both PINs, made by this process; a folder to work in, which it is in too.
fn lab() -> &'static Path {
    let pkcs11 = load();
    fresh(&pkcs11);
    pkcs11.finalize().unwrap();
    Box::leak(Box::from(directories()[0].parent().unwrap()))
}

fn tool(line: &str) -> String {
    format!("pkcs11-tool --module {} {line}", module().display())
}

#[test]
fn opensc() {
    isolated("opensc", 1, || {
        let lab = lab();
        let run = |line: &str| shell(lab, &tool(&format!("--login --pin {PIN} {line}")));
        run("--keypairgen --key-type EC:prime256v1 --id 01 --label k1");
        assert!(run("--test 2>&1").contains("No errors"));
        assert!(run("-O").contains("sensitive, always sensitive, never extractable, local"));
        fs::write(lab.join("m"), "message").unwrap();
        run("--sign -m ECDSA-SHA256 --signature-format openssl --id 01 -i m -o sig");
        run("--read-object --type pubkey --id 01 -o pub.der");
        let verified =
            shell(lab, "openssl dgst -sha256 -verify pub.der -keyform DER -signature sig m");
        assert!(verified.contains("OK"));
        run("--keygen --key-type AES:32 --id 02 --label aes");
        fs::write(lab.join("plain"), [7; 64]).unwrap();
        run(
            "--encrypt -m AES-CBC-PAD --iv 000102030405060708090a0b0c0d0e0f --id 02 -i plain -o cipher",
        );
        run(
            "--decrypt -m AES-CBC-PAD --iv 000102030405060708090a0b0c0d0e0f --id 02 -i cipher -o back",
        );
        assert_eq!(fs::read(lab.join("back")).unwrap(), [7; 64]);
        run("--write-object m --type data --label note --private");
        assert_eq!(run("--read-object --type data --label note"), "message");
        run("--delete-object --type data --label note");
        run("--change-pin --new-pin 11223344");
        shell(lab, &tool("--login --pin 11223344 --delete-object --type privkey --id 01"));
        let threads = tool("--use-locking --test-threads ILGISLT0");
        shell(lab, &threads);
    });
}

/// SM2 and SM3 by their numbers.
#[test]
fn opensc_with_vendor_mechanisms() {
    isolated("opensc_with_vendor_mechanisms", 1, || {
        let lab = lab();
        let pkcs11 = load();
        let session = logged_in(&pkcs11, pkcs11.get_all_slots().unwrap()[0]);
        let template = [Attribute::Token(true), Attribute::Id(vec![7])];
        let (public, _) =
            session.generate_key_pair(&own(CKM_SM2_KEY_PAIR_GEN), &template, &template).unwrap();
        let point = value(&session, public, cryptoki::object::AttributeType::EcPoint);
        let key = PublicKey::from_sec1_bytes(&point[2..]).unwrap();
        fs::write(lab.join("pub.pem"), public_key_to_pem(&key)).unwrap();
        // One call of C_Sign below 1,025 bytes, pieces above.
        for len in [10, 5000] {
            fs::write(lab.join("m"), vec![b'm'; len]).unwrap();
            let line =
                format!("--login --pin {PIN} --sign -m {CKM_SM2_SM3:#x} --id 07 -i m -o sig.raw");
            shell(lab, &tool(&line));
            let raw = fs::read(lab.join("sig.raw")).unwrap();
            fs::write(lab.join("sig"), Signature::from_raw(&raw).unwrap().to_der().as_bytes())
                .unwrap();
            shell(
                lab,
                "openssl pkeyutl -verify -pubin -inkey pub.pem -rawin -digest sm3 \
                 -pkeyopt distid:1234567812345678 -in m -sigfile sig",
            );
        }
        shell(lab, &tool(&format!("--hash -m {CKM_SM3:#x} -i m -o digest")));
        let digest = ::hex::encode(fs::read(lab.join("digest")).unwrap());
        assert!(shell(lab, "openssl dgst -sm3 m").contains(&digest));
    });
}

#[test]
fn gnutls() {
    isolated("gnutls", 1, || {
        let lab = lab();
        let p11tool = format!("p11tool --batch --provider {}", module().display());
        let token = shell(lab, &format!("{p11tool} --list-token-urls"));
        assert!(token.contains("manufacturer=gmkit"), "{token}");
        shell(
            lab,
            &tool(&format!(
                "--login --pin {PIN} --keypairgen --key-type EC:prime256v1 --id 01 --label k1"
            )),
        );
        let all = shell(
            lab,
            &format!("{p11tool} --login --list-all 'pkcs11:token=gmkit%20test?pin-value={PIN}'"),
        );
        assert!(all.contains("type=private") && all.contains("object=k1"), "{all}");
        let mechanisms =
            shell(lab, &format!("{p11tool} --list-mechanisms 'pkcs11:token=gmkit%20test'"));
        assert!(mechanisms.contains("[0x80474d10] UNKNOWN"), "{mechanisms}");
    });
}

#[test]
fn openssl_engine() {
    isolated("openssl_engine", 1, || {
        let lab = lab();
        shell(
            lab,
            &tool(&format!(
                "--login --pin {PIN} --keypairgen --key-type EC:prime256v1 --id 01 --label k1"
            )),
        );
        let settings = format!(
            "openssl_conf = init\n[init]\nengines = engines\n[engines]\npkcs11 = pkcs11\n\
             [pkcs11]\nengine_id = pkcs11\nMODULE_PATH = {}\ninit = 0\n",
            module().display()
        );
        fs::write(lab.join("openssl.cnf"), settings).unwrap();
        let key = format!("pkcs11:token=gmkit%20test;object=k1;type=private;pin-value={PIN}");
        shell(
            lab,
            &format!(
                "OPENSSL_CONF=$PWD/openssl.cnf openssl req -new -x509 -engine pkcs11 \
                 -keyform engine -key '{key}' -subj /CN=engine -out engine.crt
                 openssl verify -CAfile engine.crt engine.crt"
            ),
        );
    });
}

#[test]
fn java() {
    isolated("java", 1, || {
        let lab = lab();
        let settings = format!("name = gmkit\nlibrary = {}\nslot = 0\n", module().display());
        fs::write(lab.join("p11.cfg"), settings).unwrap();
        let keytool = format!(
            "keytool -keystore NONE -storetype PKCS11 -addprovider SunPKCS11 \
             -providerArg p11.cfg -storepass {PIN}"
        );
        shell(
            lab,
            &format!(
                "{keytool} -genkeypair -keyalg EC -groupname secp256r1 -alias k1 -dname CN=java
                 {keytool} -exportcert -rfc -alias k1 > java.crt
                 openssl verify -CAfile java.crt java.crt
                 {keytool} -certreq -alias k1 | openssl req -verify -noout"
            ),
        );
        let list = shell(lab, &format!("{keytool} -list"));
        assert!(list.contains("k1, PrivateKeyEntry"), "{list}");
    });
}
