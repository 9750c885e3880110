//! CMS messages of any size in little memory, and what is left when something goes wrong on the way.

mod support;

use std::{
    process::{Command, Stdio},
    thread::sleep,
    time::Duration,
};

use support::{Lab, big};

fn lab() -> Lab {
    let lab = Lab::empty();
    lab.ok("keygen -o ca.key --no-passphrase");
    lab.ok("cert ca -k ca.key --subject CN=CA,C=CN -o ca.crt");
    for (name, profile) in [("alice", "sign"), ("carol", "encrypt")] {
        lab.ok(&format!("keygen -o {name}.key --no-passphrase"));
        lab.ok(&format!("cert csr -k {name}.key --subject CN={name},C=CN -o {name}.csr"));
        lab.ok(&format!(
            "cert issue --ca ca.crt -k ca.key --csr {name}.csr --profile {profile} -o {name}.crt"
        ));
    }
    lab
}

/// In 64 MiB of address space, so that no buffer can hide.
fn limited(lab: &Lab, line: &str) {
    let gmkit = env!("CARGO_BIN_EXE_gmkit");
    lab.peer(&format!("prlimit --as={} {gmkit} {line}", 64 << 20));
}

#[test]
fn files_of_any_size_in_64_mebibytes() {
    let lab = lab();
    lab.sparse("big", big());
    limited(&lab, "sign -k alice.key -c alice.crt -o big.p7s big");
    limited(&lab, "verify --ca ca.crt -s big.p7s big");
    limited(&lab, "sign -k alice.key -c alice.crt --attach -o big.p7m big");
    limited(&lab, "verify --ca ca.crt -s big.p7m -o back");
    lab.peer("cmp big back");
    lab.peer("rm big.p7m back");
    for more in ["", "--enveloped"] {
        limited(&lab, &format!("encrypt -r carol.crt {more} -o big.enc big"));
        limited(&lab, "decrypt -k carol.key -o back big.enc");
        lab.peer("cmp big back");
        lab.peer("rm big.enc back");
    }
}

/// Without a length that is known before; more than 32 bits of it in the long form.
#[test]
fn any_size_goes_through_a_pipe() {
    let lab = lab();
    lab.sparse("big", big());
    let gmkit = format!("prlimit --as={} {}", 64 << 20, env!("CARGO_BIN_EXE_gmkit"));
    lab.write(
        "pipe.sh",
        format!(
            "set -o pipefail\n{gmkit} sign -k alice.key -c alice.crt --attach big | {gmkit} verify --ca ca.crt -s -\n"
        ),
    );
    let said = lab.peer("bash pipe.sh");
    assert!(said.contains("good signature"), "{said}");
}

#[test]
fn killed_at_any_moment() {
    let lab = lab();
    lab.sparse("big", 64 << 20);
    lab.ok("encrypt -r carol.crt -o big.enc big");
    let lines = [
        "sign -k alice.key -c alice.crt --attach -o out big",
        "encrypt -r carol.crt -o out big",
        "decrypt -k carol.key -o out big.enc",
    ];
    let mut killed = 0;
    for delay in 1..=30 {
        let line = lines[delay % lines.len()];
        let mut child = Command::new(env!("CARGO_BIN_EXE_gmkit"))
            .args(line.split(' '))
            .current_dir(lab.path("."))
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        sleep(Duration::from_millis(delay as u64 * 3));
        child.kill().unwrap();
        // A file that is there is whole: the command had come to its end.
        let done = child.wait().unwrap().success();
        killed += u32::from(!done);
        if lab.path("out").exists() {
            lab.ok(match delay % lines.len() {
                0 => "verify --ca ca.crt -s out",
                1 => "decrypt -k carol.key -o back out",
                _ => "hash big",
            });
            let _ = std::fs::remove_file(lab.path("back"));
            std::fs::remove_file(lab.path("out")).unwrap();
        }
    }
    assert!(killed > 3, "{killed}");
}

/// A file that may not grow is as good as a full disk.
#[test]
fn a_full_disk_leaves_nothing() {
    let lab = lab();
    lab.sparse("big", 16 << 20);
    lab.ok("encrypt -r carol.crt -o big.enc big");
    lab.ok("sign -k alice.key -c alice.crt --attach -o big.p7m big");
    let before = lab.files();
    let gmkit = env!("CARGO_BIN_EXE_gmkit");
    for line in [
        "sign -k alice.key -c alice.crt --attach -o out big",
        "encrypt -r carol.crt -o out big",
        "encrypt -r carol.crt --enveloped -o out big",
        "decrypt -k carol.key -o out big.enc",
        "verify --ca ca.crt -s big.p7m -o out",
    ] {
        lab.write("full.sh", format!("trap '' XFSZ\nulimit -f 10240\nexec {gmkit} {line}\n"));
        let done = lab.peer_done("bash full.sh");
        assert_eq!(done.code, 2, "{line}: {}", done.stderr);
        assert!(done.stderr.contains("File too large"), "{line}: {}", done.stderr);
        std::fs::remove_file(lab.path("full.sh")).unwrap();
        assert_eq!(lab.files(), before, "{line}");
    }
}
