//! Both ways with GmSSL 3.1.1, which `cargo xtask test` builds from PyPI's `easy_gmssl` into
//! `target/peers`.

mod support;

use support::Lab;

/// The command line of GmSSL's tool.
fn gmssl() -> String {
    let home = format!("{}/../../target/peers/.gmssl_3.1.1_install", env!("CARGO_MANIFEST_DIR"));
    assert!(
        std::path::Path::new(&home).exists(),
        "these tests need GmSSL in target/peers: `cargo xtask test` puts it there"
    );
    format!("env LD_LIBRARY_PATH={home}/lib {home}/bin/gmssl")
}

fn lab() -> (Lab, String) {
    let (lab, gmssl) = (Lab::empty(), gmssl());
    lab.write("pass", "secret\n");
    lab.peer(&format!("{gmssl} sm2keygen -pass secret -out their.pem -pubout their.pub"));
    lab.ok("keygen -o our.pem -p our.pub --passphrase-file pass --key-format gmssl");
    (lab, gmssl)
}

#[test]
fn keys_and_signatures() {
    let (lab, gmssl) = lab();
    assert_eq!(
        lab.ok("pubkey -k their.pem --passphrase-file pass").as_bytes(),
        lab.read("their.pub")
    );
    for size in [0, 1, 1_000_000] {
        lab.sparse("m", size);
        for key in ["our", "their"] {
            lab.ok(&format!("sign -k {key}.pem --passphrase-file pass -o s m"));
            lab.peer(&format!("{gmssl} sm2verify -pubkey {key}.pub -in m -sig s"));
            lab.peer(&format!("{gmssl} sm2sign -key {key}.pem -pass secret -in m -out s"));
            lab.ok(&format!("verify -p {key}.pub -s s m"));
            lab.peer(&format!(
                "{gmssl} sm2sign -key {key}.pem -pass secret -id alice -in m -out s"
            ));
            lab.ok(&format!("verify -p {key}.pub --id alice -s s m"));
            lab.fails(1, &format!("verify -p {key}.pub -s s m"));
        }
    }
}

#[test]
fn ciphertexts() {
    let (lab, gmssl) = lab();
    for size in [1, 32, 255] {
        lab.sparse("m", size);
        for key in ["our", "their"] {
            lab.ok(&format!("encrypt -r {key}.pub -f sm2 -o e m"));
            lab.peer(&format!("{gmssl} sm2decrypt -key {key}.pem -pass secret -in e -out back"));
            lab.peer("cmp m back");
            lab.peer(&format!("{gmssl} sm2encrypt -pubkey {key}.pub -in m -out e"));
            lab.ok(&format!("decrypt -k {key}.pem --passphrase-file pass -o back e"));
            lab.peer("cmp m back");
        }
    }
}

#[test]
fn sm4_modes() {
    let (lab, gmssl) = (Lab::empty(), gmssl());
    let (key, iv) = ("0123456789abcdeffedcba9876543210", "000102030405060708090a0b0c0d0e0f");
    lab.write("k", key);
    for size in [0, 1, 16, 100_000] {
        lab.sparse("m", size);
        for mode in ["cbc", "ctr"] {
            lab.ok(&format!("cipher -m {mode} -K k --iv {iv} --encrypt -o ours m"));
            lab.peer(&format!(
                "{gmssl} sm4 -{mode} -encrypt -key {key} -iv {iv} -in m -out theirs"
            ));
            lab.peer("cmp ours theirs");
        }
        // Ours is nonce, ciphertext, tag; theirs is ciphertext, tag.
        lab.ok("cipher -K k --encrypt -o ours m");
        let ours = lab.read("ours");
        let nonce: String = ours[..12].iter().map(|b| format!("{b:02x}")).collect();
        lab.peer(&format!("{gmssl} sm4 -gcm -encrypt -key {key} -iv {nonce} -in m -out theirs"));
        assert!(ours[12..] == lab.read("theirs"), "{size} bytes");
    }
}

#[test]
fn digests_and_macs() {
    let (lab, gmssl) = (Lab::empty(), gmssl());
    lab.write("k", [0x5a; 32]);
    for size in [0, 1, 55, 56, 64, 100_000] {
        lab.sparse("m", size);
        let theirs = lab.peer(&format!("{gmssl} sm3 -in m"));
        assert_eq!(lab.ok("hash m").split(' ').next(), Some(theirs.trim()));
        let key = "5a".repeat(32);
        let theirs = lab.peer(&format!("{gmssl} sm3hmac -key {key} -in m"));
        assert_eq!(lab.ok("mac -K k m").split(' ').next(), Some(theirs.trim()));
    }
}
