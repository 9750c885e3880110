//! With OpenSSL 4 and Tongsuo: the modes that their commands refuse, through a program on their
//! libraries that `cargo xtask peers` builds. Inputs are random, with the seed in the output.

use std::{path::Path, process::Command};

use gmkit_sm4::{Error, ccm::Ccm, gcm::Gcm, xts::Xts};
use rand::{RngExt, SeedableRng, rngs::StdRng};

const PEERS: [&str; 2] = ["openssl4", "tongsuo"];

fn hex(bytes: &[u8]) -> String {
    if bytes.is_empty() {
        return "-".to_owned();
    }
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    if text == "-" {
        return Vec::new();
    }
    (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap()).collect()
}

/// What the peer prints, a vector per word; `None` when it refuses a tag.
fn evp(peer: &str, mode: &str, direction: &str, inputs: &[&[u8]]) -> Option<Vec<Vec<u8>>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/peers");
    let program = root.join(peer).join("evp");
    assert!(program.exists(), "this test needs {peer}: run `cargo xtask peers`");
    let inputs = inputs.iter().map(|input| hex(input));
    let output = Command::new(program).arg(mode).arg(direction).args(inputs).output().unwrap();
    match output.status.code() {
        Some(0) => {
            Some(String::from_utf8(output.stdout).unwrap().split_whitespace().map(unhex).collect())
        }
        Some(1) => None,
        _ => panic!("{peer}: {}", String::from_utf8_lossy(&output.stderr)),
    }
}

struct Draw(StdRng);

impl Draw {
    fn new(test: &str) -> Self {
        let seed = rand::random();
        println!("{test}: seed {seed}");
        Self(StdRng::seed_from_u64(seed))
    }

    fn array<const N: usize>(&mut self) -> [u8; N] {
        self.0.random()
    }

    fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.0.random()).collect()
    }

    /// Lengths around the ends of blocks and batches, and any other.
    fn len(&mut self, least: usize) -> usize {
        const EDGES: [usize; 10] = [0, 1, 15, 16, 17, 127, 128, 1023, 1024, 1025];
        let len = if self.0.random() {
            EDGES[self.0.random_range(0..EDGES.len())]
        } else {
            self.0.random_range(0..3000)
        };
        len.max(least)
    }
}

#[test]
fn xts_in_both_conventions() {
    let mut draw = Draw::new("xts");
    for peer in PEERS {
        for round in 0..40 {
            let (key, tweak) = (draw.array(), draw.array());
            let len = draw.len(16);
            let plain = draw.bytes(len);
            for (mode, xts) in [("xts-GB", Xts::gb(&key)), ("xts-IEEE", Xts::ieee(&key))] {
                let xts = xts.unwrap();
                let mut ours = plain.clone();
                xts.encrypt(&tweak, &mut ours).unwrap();
                let theirs = evp(peer, mode, "enc", &[&key, &tweak, b"", &plain]).unwrap();
                assert_eq!(theirs[0], ours, "{peer} {mode} round {round}, {} bytes", plain.len());
                let back = evp(peer, mode, "dec", &[&key, &tweak, b"", &ours]).unwrap();
                assert_eq!(back[0], plain, "{peer} {mode} round {round}");
                xts.decrypt(&tweak, &mut ours).unwrap();
                assert_eq!(ours, plain);
            }
        }
    }
}

#[test]
fn ccm() {
    let mut draw = Draw::new("ccm");
    for peer in PEERS {
        for round in 0..40 {
            let key = draw.array();
            let nonce_len = 7 + round % 7;
            let (nonce, aad_len) = (draw.bytes(nonce_len), draw.len(0) % 100);
            let (aad, len) = (draw.bytes(aad_len), draw.len(1));
            let plain = draw.bytes(len);
            let ccm = Ccm::new(&key);
            let mut ours = plain.clone();
            let tag = ccm.seal(&nonce, &aad, &mut ours).unwrap();
            let theirs = evp(peer, "ccm", "enc", &[&key, &nonce, &aad, &plain]).unwrap();
            assert_eq!(theirs, [ours.clone(), tag.as_bytes().to_vec()], "{peer} round {round}");

            let inputs: [&[u8]; 5] = [&key, &nonce, &aad, &ours, tag.as_bytes()];
            assert_eq!(evp(peer, "ccm", "dec", &inputs).unwrap()[0], plain);
            let mut forged = tag.as_bytes().to_vec();
            forged[round % 16] ^= 1;
            let inputs: [&[u8]; 5] = [&key, &nonce, &aad, &ours, &forged];
            assert!(evp(peer, "ccm", "dec", &inputs).is_none());
            assert_eq!(ccm.open(&nonce, &aad, &mut ours, &forged), Err(Error::Rejected));
            ccm.open(&nonce, &aad, &mut ours, tag.as_bytes()).unwrap();
            assert_eq!(ours, plain);
        }
    }
}

#[test]
fn gcm() {
    let mut draw = Draw::new("gcm");
    for peer in PEERS {
        for round in 0..40 {
            let (key, nonce_len, aad_len) = (draw.array(), draw.len(1) % 60 + 1, draw.len(0) % 100);
            let (nonce, aad, len) = (draw.bytes(nonce_len), draw.bytes(aad_len), draw.len(0));
            let plain = draw.bytes(len);
            let mut ours = vec![0; plain.len()];
            let tag = Gcm::new(&key).seal_to(&nonce, &aad, &plain, &mut ours).unwrap();
            let theirs = evp(peer, "gcm", "enc", &[&key, &nonce, &aad, &plain]).unwrap();
            assert_eq!(theirs, [ours.clone(), tag.to_vec()], "{peer} round {round}");
            let mut back = vec![0; plain.len()];
            Gcm::new(&key).open_to(&nonce, &aad, &theirs[0], &mut back, &theirs[1]).unwrap();
            assert_eq!(back, plain);
        }
    }
}
