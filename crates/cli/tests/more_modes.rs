//! The less common modes of `gmkit cipher`, GMAC, and their bad input.

mod support;

use std::os::unix::fs::PermissionsExt;

use support::Lab;

const IV: &str = "000102030405060708090a0b0c0d0e0f";

fn mode_of(lab: &Lab, name: &str) -> u32 {
    std::fs::metadata(lab.path(name)).unwrap().permissions().mode() & 0o777
}

#[test]
fn authenticated_modes_open_what_they_seal_and_nothing_else() {
    let lab = Lab::empty();
    lab.write("k", [7; 16]);
    for mode in ["ccm", "gcm-siv"] {
        for len in [0, 1, 16, 100_000] {
            let plain: Vec<u8> = (0..len).map(|i| (i % 127) as u8).collect();
            lab.write("plain", &plain);
            lab.ok(&format!("cipher -m {mode} -K k --encrypt -o sealed plain"));
            lab.ok(&format!("cipher -m {mode} -K k --encrypt -o again plain"));
            let sealed = lab.read("sealed");
            assert_eq!(sealed.len(), len + 28);
            assert_ne!(sealed[..12], lab.read("again")[..12], "nonces must be fresh");
            lab.ok(&format!("cipher -m {mode} -K k --decrypt -o opened sealed"));
            assert_eq!(lab.read("opened"), plain);
            assert_eq!(mode_of(&lab, "opened"), 0o600);
            for at in [0, 12.min(sealed.len() - 17), sealed.len() - 1] {
                let mut bad = sealed.clone();
                bad[at] ^= 0x10;
                lab.write("bad", &bad);
                lab.fails(1, &format!("cipher -m {mode} -K k --decrypt -o out bad"));
                let piped = lab.gmkit(&format!("cipher -m {mode} -K k --decrypt bad"));
                assert_eq!((piped.code, piped.stdout.len()), (1, 0));
            }
            lab.write("bad", &sealed[..27]);
            lab.fails(2, &format!("cipher -m {mode} -K k --decrypt -o out bad"));
        }
        lab.sparse("big", 1 << 24);
        lab.fails(2, &format!("cipher -m {mode} -K k --encrypt -o out big"));
        lab.fails(2, &format!("cipher -m {mode} -K k --iv {IV} --encrypt -o out plain"));
    }
}

#[test]
fn key_wrap() {
    let lab = Lab::empty();
    lab.write("kek", [7; 16]);
    for len in [1, 8, 16, 20, 65_536] {
        lab.write("secret", vec![3; len]);
        lab.ok("cipher -m wrap -K kek --encrypt -o wrapped secret");
        let wrapped = lab.read("wrapped");
        assert_eq!(wrapped.len(), len.next_multiple_of(8) + 8);
        lab.ok("cipher -m wrap -K kek --decrypt -o back wrapped");
        assert_eq!(lab.read("back"), vec![3; len]);
        let mut bad = wrapped.clone();
        bad[0] ^= 1;
        lab.write("bad", &bad);
        lab.fails(1, "cipher -m wrap -K kek --decrypt -o out bad");
        lab.write("bad", &wrapped[1..]);
        lab.fails(2, "cipher -m wrap -K kek --decrypt -o out bad");
    }
    for len in [0, 65_537] {
        lab.write("secret", vec![3; len]);
        lab.fails(2, "cipher -m wrap -K kek --encrypt -o out secret");
    }
    lab.write("secret", vec![3; 70_000]);
    assert!(lab.fails(2, "cipher -m wrap -K kek --encrypt -o out secret").contains("64 KiB"));
}

#[test]
fn modes_without_authentication() {
    let lab = Lab::empty();
    lab.write("k", [7; 16]);
    lab.write("k32", (0..32).collect::<Vec<u8>>());
    for (mode, key, lens) in [
        ("hctr", "k32", [16, 17, 1000]),
        ("bc", "k", [0, 16, 600_000]),
        ("ofbnlf", "k", [0, 16, 300_000]),
    ] {
        for len in lens {
            lab.write("plain", vec![b'x'; len]);
            lab.ok(&format!("cipher -m {mode} -K {key} --iv {IV} --encrypt -o c plain"));
            assert_eq!(lab.read("c").len(), len);
            lab.ok(&format!("cipher -m {mode} -K {key} --iv {IV} --decrypt -o p c"));
            assert!(lab.read("p") == lab.read("plain"), "{mode} {len}");
        }
        lab.write("plain", vec![b'x'; 15]);
        lab.fails(2, &format!("cipher -m {mode} -K {key} --iv {IV} --encrypt -o out plain"));
        lab.fails(2, &format!("cipher -m {mode} -K {key} --encrypt -o out plain"));
        let other = if key == "k" { "k32" } else { "k" };
        lab.fails(2, &format!("cipher -m {mode} -K {other} --iv {IV} --encrypt -o out plain"));
    }
    // Values that other implementations agree on, as in `vectors/`.
    lab.write("key", "2b7e151628aed2a6abf7158809cf4f3c");
    let block = [
        0x6b, 0xc1, 0xbe, 0xe2, 0x2e, 0x40, 0x9f, 0x96, 0xe9, 0x3d, 0x7e, 0x11, 0x73, 0x93, 0x17,
        0x2a,
    ];
    lab.write("m", block);
    lab.ok(&format!("cipher -m bc -K key --iv {IV} --encrypt -o c m"));
    assert_eq!(lab.read("c")[..4], [0xac, 0x52, 0x9a, 0xf9]);
    lab.ok(&format!("cipher -m ofbnlf -K key --iv {IV} --encrypt -o c m"));
    assert_eq!(lab.read("c")[..4], [0x00, 0xa5, 0xb5, 0xc9]);
}

/// `gmkit` with the alphabet as one argument, whatever is in it.
fn ff1(lab: &Lab, alphabet: &str, more: &str) -> support::Done {
    let words = ["cipher", "-m", "ff1", "-K", "k", "--alphabet", alphabet];
    lab.gmkit_with(words.into_iter().chain(more.split(' ')), b"")
}

#[test]
fn format_preserving_encryption() {
    let lab = Lab::empty();
    lab.write("k", [7; 16]);
    for text in ["6222021234567894\n1234567\n\n9999999", "1234567\r\n7654321\r\n", "1234567\n", ""]
    {
        lab.write("plain", text);
        lab.ok("cipher -m ff1 -K k --iv 0a0b --encrypt -o c plain");
        let sealed = String::from_utf8(lab.read("c")).unwrap();
        assert_eq!(sealed.len(), text.len());
        let shape = |text: &str| {
            text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect::<String>()
        };
        assert_eq!(shape(&sealed), shape(text));
        assert!(text.is_empty() || sealed != text);
        lab.ok("cipher -m ff1 -K k --iv 0a0b --decrypt -o p c");
        assert_eq!(lab.read("p"), text.as_bytes());
    }
    lab.write("plain", "张三李四王五赵六孙七\n");
    let alphabet = "张三李四王五赵六孙七周八吴九郑十";
    assert_eq!(ff1(&lab, alphabet, "--encrypt -o c plain").code, 0);
    assert_eq!(ff1(&lab, alphabet, "--decrypt -o p c").code, 0);
    assert_eq!(lab.read("p"), lab.read("plain"));
}

#[test]
fn format_preserving_encryption_refuses() {
    let lab = Lab::empty();
    lab.write("k", [7; 16]);
    for (text, reason) in [
        ("1234567\n12345\n", "line 2"),
        ("1234567\n123456x\n", "line 2"),
        ("1234567 ", "alphabet"),
        (&"1".repeat(4097), "4096"),
    ] {
        lab.write("plain", text);
        let error = lab.fails(2, "cipher -m ff1 -K k --encrypt -o out plain");
        assert!(error.contains(reason), "{error}");
    }
    lab.write("plain", b"\xff\xfe");
    lab.fails(2, "cipher -m ff1 -K k --encrypt -o out plain");
    lab.write("plain", "1234567\n");
    for alphabet in ["", "1", "1231", "0123456789\r", "0123456789\n"] {
        let done = ff1(&lab, alphabet, "--encrypt -o out plain");
        assert_eq!(done.code, 2, "{alphabet:?}");
        assert!(!lab.path("out").exists());
    }
}

#[test]
fn gmac() {
    let lab = Lab::empty();
    // RFC 8998's key and nonce over K ‖ K: the value that OpenSSL gives.
    lab.write("k", "0123456789abcdeffedcba9876543210");
    lab.write("m", b"\x01\x23\x45\x67\x89\xab\xcd\xef\xfe\xdc\xba\x98\x76\x54\x32\x10".repeat(2));
    let tag = lab.ok("mac --algorithm gmac-sm4 -K k --iv 00001234567800000000abcd m");
    assert_eq!(tag, "a6598fb168f2ee9f5a88b21f492bc1ab  m\n");
    lab.fails(2, "mac --algorithm gmac-sm4 -K k m");
    lab.fails(2, "mac --algorithm gmac-sm4 -K k --iv xyz m");
    lab.fails(2, "mac --algorithm cmac-sm4 -K k --iv 00 m");
    lab.write("short", [1; 15]);
    lab.fails(2, "mac --algorithm gmac-sm4 -K short --iv 00 m");
}
