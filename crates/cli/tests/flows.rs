//! Whole flows, as a user types them.

mod support;

use support::{Lab, big, mode};

#[test]
fn the_tour_works_and_shows_a_refusal() {
    let lab = Lab::empty();
    let text = lab.ok("quickstart --dir tour");
    assert!(text.contains("contract.txt: good signature"), "{text}");
    assert!(text.contains("tampered.txt: BAD signature"), "{text}");
    // The commands it prints can be typed.
    let tour = lab.path("tour");
    let typed: Vec<_> = text.lines().filter_map(|l| l.strip_prefix("$ gmkit ")).collect();
    assert_eq!(typed.len(), 10);
    for key in ["signer.pem", "signer.pub.pem", "ca.pem"] {
        std::fs::remove_file(tour.join(key)).unwrap(); // keygen replaces no key
    }
    std::fs::remove_dir_all(tour.join("ca.db")).unwrap(); // it is the old key's
    std::fs::remove_file(tour.join("received.txt")).unwrap(); // written again by the message
    for (line, code) in typed.iter().zip([0, 0, 0, 0, 0, 0, 0, 0, 0, 1]) {
        let done = std::process::Command::new(env!("CARGO_BIN_EXE_gmkit"))
            .args(line.split(' '))
            .current_dir(&tour)
            .output()
            .unwrap();
        assert_eq!(done.status.code(), Some(code), "{line}");
    }
    assert_eq!(lab.read("tour/received.txt"), lab.read("tour/contract.txt"));
}

#[test]
fn keys_signatures_and_public_keys() {
    let lab = Lab::new();
    assert_eq!(mode(&lab.path("key.pem")), 0o600);
    assert_eq!(lab.ok("pubkey -k key.pem").as_bytes(), lab.read("pub.pem"));
    assert_eq!(lab.ok("pubkey -k file:key.pem").as_bytes(), lab.read("pub.pem"));

    lab.write("m", "message");
    lab.ok("sign -k key.pem -o m.sig m");
    let text = lab.ok("verify -p pub.pem -s m.sig m");
    assert!(text.contains("good signature"), "{text}");
    let json: serde_json::Value =
        serde_json::from_str(&lab.ok("verify -p pub.pem -s m.sig m --json")).unwrap();
    assert_eq!(json["verified"], true);

    lab.ok("sign -k key.pem --id alice -o a.sig m");
    lab.ok("verify -p pub.pem --id alice -s a.sig m");
    lab.fails(1, "verify -p pub.pem -s a.sig m");
    lab.fails(1, "verify -p pub.pem --id bob -s a.sig m");

    lab.write("m2", "another message");
    lab.fails(1, "verify -p pub.pem -s m.sig m2");
    let json = lab.gmkit("verify -p pub.pem -s m.sig m2 --json");
    assert_eq!(json.code, 1);
    assert!(json.stdout.contains("\"verified\":false"), "{}", json.stdout);
    lab.ok("keygen -o other.pem -p other.pub --no-passphrase");
    lab.fails(1, "verify -p other.pub -s m.sig m");
}

#[test]
fn encrypted_keys_in_each_format() {
    let lab = Lab::empty();
    lab.write("pass", "correct horse\n");
    lab.write("wrong", "battery staple\n");
    lab.write("empty", "\n");
    lab.write("m", "message");
    for format in ["compat", "openssl4", "gmssl"] {
        lab.ok(&format!(
            "keygen -o {format}.pem -p {format}.pub --passphrase-file pass --key-format {format}"
        ));
        lab.ok(&format!("sign -k {format}.pem --passphrase-file pass -o {format}.sig m"));
        lab.ok(&format!("verify -p {format}.pub -s {format}.sig m"));
        let error = lab.fails(2, &format!("sign -k {format}.pem --passphrase-file wrong -o x m"));
        assert!(error.contains("wrong passphrase"), "{error}");
        let error = lab.fails(2, &format!("sign -k {format}.pem -o x m"));
        assert!(error.contains("no passphrase was given"), "{error}");
    }
    let error = lab.fails(2, "keygen -o x.pem --passphrase-file empty");
    assert!(error.contains("empty"), "{error}");
    let error = lab.fails(2, "keygen -o x.pem --no-passphrase --key-format gmssl");
    assert!(error.contains("GmSSL"), "{error}");
    let before = lab.read("compat.pem");
    for args in ["-o compat.pem", "-o new.pem -p compat.pem"] {
        let error = lab.fails(2, &format!("keygen {args} --no-passphrase"));
        assert!(error.contains("--force"), "{error}");
    }
    for same in ["new.pem", "./new.pem"] {
        lab.fails(2, &format!("keygen -o new.pem -p {same} --no-passphrase --force"));
    }
    lab.fails(2, "keygen -o pass --passphrase-file pass --force");
    lab.fails(2, "sign -k FILE:compat%2Epem --passphrase-file pass -o ./compat.pem m");
    lab.fails(2, "keygen -o - --json --no-passphrase");
    lab.fails(2, "pubkey -k compat.pem --passphrase-file pass -o compat.pem");
    lab.fails(2, "sign -k file:compat.pem --passphrase-file pass -o compat.pem m");
    assert_eq!(lab.read("compat.pem"), before);
    lab.ok("keygen -o compat.pem --no-passphrase --force");
}

#[test]
fn standard_input_is_read_once_wherever_a_file_is() {
    let lab = Lab::new();
    lab.write("m", "message");
    let key = lab.read("key.pem");
    let with = |args: &str, stdin: &[u8]| lab.gmkit_with(args.split(' '), stdin);
    assert_eq!(with("pubkey -k -", &key).stdout.as_bytes(), lab.read("pub.pem"));
    assert_eq!(with("sign -k - -o sig m", &key).code, 0);
    assert_eq!(with("verify -p - -s sig m", &lab.read("pub.pem")).code, 0);
    assert_eq!(with("verify -p pub.pem -s - m", &lab.read("sig")).code, 0);
    assert_eq!(with("verify -p pub.pem -s sig -", b"message").code, 0);
    assert_eq!(with("mac -K - m", &[1; 16]).code, 0);
    assert_eq!(with("keygen -o e.pem --passphrase-file -", b"secret").code, 0);
    let done = with("verify -p pub.pem -s - -", &lab.read("sig"));
    assert_eq!(done.code, 2);
    assert!(done.stderr.contains("twice"), "{}", done.stderr);
}

#[test]
fn names_need_not_be_utf8() {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt};
    let lab = Lab::new();
    let name = OsStr::from_bytes(b"a\xff");
    std::fs::write(lab.path("x").with_file_name(name), "content").unwrap();
    for json in [false, true] {
        let mut args = vec![OsStr::new("hash"), name];
        args.extend(json.then_some(OsStr::new("--json")));
        let done = lab.gmkit_with(args, b"");
        assert_eq!(done.code, 0, "{}", done.stderr);
    }
    let gmkit = env!("CARGO_BIN_EXE_gmkit");
    lab.write("run.sh", format!("{gmkit} hash a* > SUMS && {gmkit} hash -c SUMS"));
    assert!(lab.peer("bash run.sh").ends_with(": OK\n"));
}

#[test]
fn a_list_of_digests_cannot_forge_verdicts() {
    let lab = Lab::empty();
    let digest = "0".repeat(64);
    lab.write("SUMS", format!("\\{digest}  x\\nkernel.img: OK\\ny\x1b[2J\n"));
    let done = lab.gmkit("hash -c SUMS");
    assert_eq!(done.code, 1);
    for line in done.stdout.lines().chain(done.stderr.lines()) {
        assert!(!line.starts_with("kernel.img"), "{line}");
        assert!(!line.contains('\x1b'), "{line}");
    }
}

#[test]
fn sm2_encryption_in_each_layout() {
    let lab = Lab::new();
    lab.write("m", "a session key");
    for layout in ["der", "c1c3c2", "c1c2c3"] {
        lab.ok(&format!("encrypt -r pub.pem -f sm2 --layout {layout} -o {layout}.enc m"));
        lab.ok(&format!("decrypt -k key.pem --layout {layout} -o {layout}.out {layout}.enc"));
        assert_eq!(lab.read(&format!("{layout}.out")), b"a session key");
        assert_eq!(mode(&lab.path(&format!("{layout}.out"))), 0o600);
    }
    assert_eq!(lab.ok("decrypt -k key.pem der.enc"), "a session key");
    assert_eq!(lab.ok("decrypt -k key.pem c1c3c2.enc"), "a session key");
    lab.fails(1, "decrypt -k key.pem c1c2c3.enc");
}

/// Where the system lets a user have no more threads, as in a container.
#[test]
fn many_files_are_hashed_without_threads() {
    let lab = Lab::empty();
    let names = ["a", "b", "c"];
    names.iter().for_each(|name| lab.write(name, name));
    // Root is not limited, so somebody else must run it, and be able to reach it.
    std::fs::copy(env!("CARGO_BIN_EXE_gmkit"), lab.path("gmkit")).unwrap();
    let everyone = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(lab.path("."), everyone).unwrap();
    let limited = "bash -c 'ulimit -u 1; exec ./gmkit hash a b c'";
    lab.write(
        "run.sh",
        format!(
            "if [ $(id -u) = 0 ]; then exec setpriv --reuid=65534 --clear-groups {limited}; fi\n\
             exec {limited}\n"
        ),
    );
    assert_eq!(lab.peer("bash run.sh"), lab.ok("hash a b c"));
}

/// More files than are hashed together, on all cores: lines stand in the order of the names, and what
/// cannot be read takes nothing from the others.
#[test]
fn many_files_are_hashed_in_their_order() {
    let lab = Lab::empty();
    let mut names: Vec<String> = (0..600).map(|i| format!("f{i}")).collect();
    for (i, name) in names.iter().enumerate() {
        lab.write(name, vec![i as u8; (i * 37) % 5000]);
    }
    names.insert(300, "missing".to_owned());
    let done = lab.gmkit_with(["hash".to_owned()].iter().chain(&names), b"");
    assert_eq!(done.code, 2);
    assert!(done.stderr.contains("missing"));
    names.remove(300);
    let lines: Vec<&str> = done.stdout.lines().collect();
    assert_eq!(lines.len(), 600);
    for (line, name) in lines.iter().zip(&names).take(20) {
        assert_eq!(lab.ok(&format!("hash {name}")), format!("{line}\n"));
    }
    for (line, name) in lines.iter().zip(&names) {
        assert!(line.ends_with(&format!("  {name}")), "{line}");
    }
    lab.write("SUMS", &done.stdout);
    lab.write("f599", "changed");
    let checked = lab.gmkit("hash -c SUMS");
    assert_eq!(checked.code, 1);
    let verdicts: Vec<&str> = checked.stdout.lines().collect();
    assert_eq!((verdicts.len(), verdicts[0], verdicts[599]), (600, "f0: OK", "f599: FAILED"));
    assert_eq!(verdicts.iter().filter(|verdict| verdict.ends_with(": OK")).count(), 599);
}

#[test]
fn hashes_are_listed_and_checked_as_sha256sum_does() {
    let lab = Lab::empty();
    lab.write("abc", "abc");
    lab.write("with blank", "x");
    let digest = "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0";
    assert_eq!(lab.ok("hash abc"), format!("{digest}  abc\n"));
    assert_eq!(lab.gmkit_with(["hash", "-"], b"abc").stdout, format!("{digest}  -\n"));
    let list = lab.gmkit_with(["hash", "abc", "with blank"], b"").stdout;
    lab.write("SUMS", &list);
    assert_eq!(lab.ok("hash -c SUMS"), "abc: OK\nwith blank: OK\n");
    assert_eq!(lab.gmkit_with(["hash", "-c", "-"], list.as_bytes()).code, 0);

    lab.write("abc", "abd");
    let done = lab.gmkit("hash -c SUMS");
    assert_eq!((done.code, done.stdout.as_str()), (1, "abc: FAILED\nwith blank: OK\n"));
    std::fs::remove_file(lab.path("abc")).unwrap();
    let done = lab.gmkit("hash -c SUMS");
    assert_eq!(done.code, 1);
    assert!(done.stdout.starts_with("abc: FAILED open or read\n"), "{}", done.stdout);
    lab.write("SUMS", "no digests here\n");
    lab.fails(2, "hash -c SUMS");
    lab.fails(2, "hash missing");
    lab.fails(2, "hash");
}

#[test]
fn macs() {
    let lab = Lab::empty();
    lab.write("raw.key", [0x0b; 32]);
    lab.write("hex.key", "0b".repeat(32) + "\n");
    lab.write("m", "Hi There");
    let want = "c0ba18c68b90c88bc07de794bfc7d2c8d19ec31ed8773bc2b390c9604e0be11e  m\n";
    assert_eq!(lab.ok("mac -K raw.key m"), want);
    assert_eq!(lab.ok("mac -K hex.key m"), want);
    lab.write("none.key", "");
    lab.fails(2, "mac -K none.key m");
}

#[test]
fn sealed_files() {
    let lab = Lab::empty();
    lab.write("k", "0123456789abcdeffedcba9876543210");
    for len in [0, 1, 15, 16, 17, 300_000] {
        let plain: Vec<u8> = (0..len).map(|i| (i % 251) as u8).collect();
        lab.write("plain", &plain);
        lab.ok("cipher -K k --encrypt -o sealed plain");
        lab.ok("cipher -K k --encrypt -o again plain");
        assert_eq!(lab.read("sealed").len(), len + 28);
        assert_ne!(lab.read("sealed")[..12], lab.read("again")[..12], "nonces must be fresh");
        lab.ok("cipher -K k --decrypt -o opened sealed");
        assert_eq!(lab.read("opened"), plain);
        let through_pipes =
            lab.gmkit_with("cipher -K k --decrypt -".split(' '), &lab.read("sealed"));
        assert_eq!(through_pipes.code, 0);
        if len <= 17 {
            assert_eq!(through_pipes.stdout.as_bytes(), plain); // ASCII, so that text will do
        }
    }
    // The only copy of a key is not overwritten by what was encrypted under it.
    lab.fails(2, "cipher -K k --encrypt -o ./k plain");
    assert_eq!(lab.read("k"), b"0123456789abcdeffedcba9876543210");
}

#[test]
fn no_plaintext_leaves_before_its_tag_is_checked() {
    let lab = Lab::empty();
    lab.write("k", [7; 16]);
    let plain = vec![b'p'; 1_000_000];
    lab.write("plain", &plain);
    lab.ok("cipher -K k --encrypt -o sealed plain");
    let sealed = lab.read("sealed");
    for at in [0, 11, 12, 500_000, sealed.len() - 17, sealed.len() - 16, sealed.len() - 1] {
        let mut bad = sealed.clone();
        bad[at] ^= 1;
        lab.write("bad", &bad);
        lab.fails(1, "cipher -K k --decrypt -o out bad");
        let piped = lab.gmkit("cipher -K k --decrypt bad");
        assert_eq!((piped.code, piped.stdout.len()), (1, 0), "byte {at}");
    }
    for len in [0, 11, 12, 27] {
        lab.write("bad", &sealed[..len]);
        lab.fails(2, "cipher -K k --decrypt -o out bad");
    }
    lab.write("bad", &sealed[..28]);
    lab.fails(1, "cipher -K k --decrypt -o out bad");
    // An existing file survives a failed decryption.
    lab.write("out", "precious");
    lab.write("bad", &sealed[..1000]);
    lab.fails(1, "cipher -K k --decrypt -o out bad");
    assert_eq!(lab.read("out"), b"precious");
    // More than can be held back goes to a file only.
    lab.sparse("big", 17 << 20);
    lab.ok("cipher -K k --encrypt -o big.gcm big");
    let piped = lab.gmkit("cipher -K k --decrypt big.gcm");
    assert_eq!((piped.code, piped.stdout.len()), (2, 0));
    assert!(piped.stderr.contains("give -o"), "{}", piped.stderr);
    lab.ok("cipher -K k --decrypt -o big.out big.gcm");
    assert!(lab.read("big") == lab.read("big.out"));
}

#[test]
fn a_broken_pipe_ends_quietly_but_changes_no_verdict() {
    let lab = Lab::empty();
    let gmkit = env!("CARGO_BIN_EXE_gmkit");
    // A list whose reader leaves after the first line: the mismatch further down still counts.
    lab.write("a", "a");
    lab.write("b", "b");
    let sums = lab.ok("hash a b a a a a");
    lab.write("SUMS", sums);
    lab.write("b", "changed");
    lab.write("check.sh", format!("{gmkit} hash -c SUMS | true; exit ${{PIPESTATUS[0]}}"));
    assert_eq!(lab.peer_done("bash check.sh").code, 1);
    lab.write(
        "check.sh",
        format!("{gmkit} selftest --require-seal --json | true; exit ${{PIPESTATUS[0]}}"),
    );
    assert_eq!(lab.peer_done("bash check.sh").code, 1);
    // Content that is cut short is not a success either.
    lab.write("k", [7; 16]);
    lab.sparse("big", 8 << 20);
    lab.write("run.sh", format!(
        "set -o pipefail; {gmkit} cipher -m ctr --iv {:032} -K k --encrypt big | head -c 1 >/dev/null",
        0
    ));
    let done = lab.peer_done("bash run.sh");
    assert_eq!((done.code, done.stderr.as_str()), (141, ""));
    // Errors that nobody can read are no reason to panic.
    lab.write("mute.sh", format!("{gmkit} hash missing 2>/dev/full"));
    assert_eq!(lab.peer_done("bash mute.sh").code, 2);
}

#[test]
fn output_goes_into_devices_and_not_through_links() {
    let lab = Lab::new();
    lab.write("m", "message");
    lab.write("target", "old");
    std::os::unix::fs::symlink(lab.path("target"), lab.path("link")).unwrap();
    let error = lab.fails(2, "sign -k key.pem -o link m");
    assert!(error.contains("symbolic link"), "{error}");
    std::os::unix::fs::symlink("nowhere", lab.path("dangling")).unwrap();
    lab.fails(2, "sign -k key.pem -o dangling m");
    assert_eq!(lab.read("target"), b"old");
    lab.ok("sign -k key.pem -o /dev/null m");
    let error = lab.fails(2, "sign -k key.pem -o /dev/full m");
    assert!(error.contains("/dev/full"), "{error}");
}

#[test]
fn vectors_selftest_and_generated_texts() {
    let lab = Lab::empty();
    let json: serde_json::Value =
        serde_json::from_str(&lab.ok("vectors run --json --junit report.xml")).unwrap();
    assert_eq!(json["failed"], 0);
    for suite in json["suites"].as_array().unwrap() {
        for refusal in suite["refusals"].as_array().unwrap() {
            assert!(!refusal["reason"].as_str().unwrap().is_empty());
        }
    }
    assert!(String::from_utf8(lab.read("report.xml")).unwrap().contains("<testsuite"));
    lab.fails(2, "vectors run --suite nonsense");
    lab.fails(2, "vectors run --backend abacus");

    assert!(lab.ok("selftest").contains("SM2 pairwise consistency"));
    let json: serde_json::Value = serde_json::from_str(&lab.ok("selftest --json")).unwrap();
    assert_eq!(json["passed"], true);
    for shell in ["bash", "zsh", "fish"] {
        assert!(lab.ok(&format!("completions {shell}")).contains("quickstart"));
    }
    assert!(lab.ok("man").contains(".TH"));
    lab.ok("man -o pages");
    assert!(lab.path("pages/gmkit-sign.1").is_file());
    for command in [
        "quickstart",
        "keygen",
        "pubkey",
        "sign",
        "verify",
        "encrypt",
        "decrypt",
        "hash",
        "mac",
        "cipher",
        "vectors run",
        "selftest",
        "completions",
        "man",
    ] {
        let help = lab.ok(&format!("{command} --help"));
        assert!(help.contains("Example:"), "{command} --help has no example");
    }
}

#[test]
fn a_sealed_binary_knows_when_it_is_damaged() {
    let lab = Lab::empty();
    lab.fails(1, "selftest --require-seal");
    lab.ok("selftest --seal sealed");
    let sealed = lab.path("sealed").display().to_string();
    assert!(lab.peer(&format!("{sealed} selftest --require-seal")).contains("intact"));
    // Its last bytes are section names: damage that lets it run.
    let mut bytes = lab.read("sealed");
    let at = bytes.len() - 8;
    bytes[at] ^= 1;
    lab.write("sealed", bytes);
    let damaged = lab.peer_done(&format!("{sealed} selftest"));
    assert_eq!(damaged.code, 1);
    assert!(damaged.stdout.contains("DAMAGED"), "{}", damaged.stdout);
}

#[test]
fn a_progress_bar_shows_on_a_terminal_only() {
    let lab = Lab::empty();
    lab.sparse("big", 1 << 30);
    let gmkit = env!("CARGO_BIN_EXE_gmkit");
    // util-linux's `script` gives the command a terminal.
    lab.write("run.sh", format!("script -qec '{gmkit} hash big' /dev/null"));
    let on_terminal = lab.peer("bash run.sh");
    assert!(on_terminal.contains("GiB"), "{on_terminal}");
    assert_eq!(lab.gmkit("hash big").stderr, "");
}

#[test]
fn files_of_any_size_sign_in_64_mebibytes() {
    let lab = Lab::new();
    lab.sparse("huge", big());
    let gmkit = env!("CARGO_BIN_EXE_gmkit");
    // The limit is on all address space, so that no buffer can hide.
    let limit = 64 << 20;
    lab.peer(&format!("prlimit --as={limit} {gmkit} sign -k key.pem -o huge.sig huge"));
    lab.peer(&format!("prlimit --as={limit} {gmkit} verify -p pub.pem -s huge.sig huge"));
}
